import SystemSupport

/// The central directory of a zip file, record by record.
struct ZipDirectory {
    struct Record {
        var name: [UInt8] = []
        var flags = 0
        var method = 0
        /// The operating system that the attributes are of: 3 Unix, 19 macOS, 0 MS-DOS.
        var system = 0
        var attributes: UInt32 = 0
        var checksum: UInt32 = 0
        var packedSize: Int64 = 0
        var size: Int64 = 0
        /// Where the entry itself begins.
        var offset: Int64 = 0
        var modified: Timestamp?
    }

    private let file: ZipFile
    private let end: ZipEnd
    /// Where the next record begins.
    private var place: Int64
    private var position: Int64
    private var seen: UInt64 = 0
    /// A part of the directory, and how much of it is used up.
    private var buffer: [UInt8] = []
    private var used = 0

    private static let recordLength = 46
    private static let signatureLength = 4

    /// - Throws: `wrongFormat` when the file is no zip.
    init(_ file: ZipFile) throws {
        self.file = file
        end = try ZipEnd.find(in: file)
        (place, position) = (end.start, end.start)
    }

    /// The next record; nil after the last.
    ///
    /// - Throws: `corrupt` where the records end elsewhere than the directory, or are not as many as the archive says.
    mutating func next() throws -> Record? {
        guard try hasRecord() else {
            try checkEnd()
            return nil
        }
        let fixed = ZipFields(bytes: try take(Self.recordLength))
        var record = Record()
        record.system = fixed.short(4) >> 8
        record.flags = fixed.short(8)
        record.method = fixed.short(10)
        record.checksum = fixed.word(16)
        record.attributes = fixed.word(38)
        let sizes = (packed: fixed.word(20), full: fixed.word(24), offset: fixed.word(42))
        record.name = try take(fixed.short(28))
        let extra = try take(fixed.short(30))
        _ = try take(fixed.short(32))
        (record.packedSize, record.size, record.offset) = (Int64(sizes.packed), Int64(sizes.full), Int64(sizes.offset))
        try readExtra(ZipFields(bytes: extra), into: &record, sizes.packed, sizes.full, sizes.offset)
        let (offset, overflow) = record.offset.addingReportingOverflow(end.shift)
        if overflow { throw Self.broken }
        record.offset = offset
        seen += 1
        return record
    }

    /// The fields that do not fit, in this order where they are marked so, and the time.
    private func readExtra(
        _ extra: ZipFields, into record: inout Record, _ packed: UInt32, _ full: UInt32, _ offset: UInt32
    ) throws {
        var position = 0
        while position + 4 <= extra.bytes.count {
            let (kind, length) = (extra.short(position), extra.short(position + 2))
            var at = position + 4
            let end = at + length
            guard end <= extra.bytes.count else { return }
            if kind == 0x0001 {
                func long(_ marked: UInt32, _ value: inout Int64) throws {
                    guard marked == .max else { return }
                    guard at + 8 <= end, let large = extra.long(at) else { throw Self.broken }
                    value = large
                    at += 8
                }
                try long(full, &record.size)
                try long(packed, &record.packedSize)
                try long(offset, &record.offset)
            } else if kind == 0x5455, length >= 5, extra.bytes[at] & 1 != 0 {
                record.modified = Timestamp(seconds: Int64(Int32(bitPattern: extra.word(at + 1))))
            }
            position = end
        }
    }

    private mutating func hasRecord() throws -> Bool {
        guard end.end - place >= Int64(Self.signatureLength) else { return false }
        try fill(Self.signatureLength)
        return ZipFields(bytes: Array(buffer[used..<used + Self.signatureLength])).word(0) == ZipEnd.directorySignature
    }

    /// The length of the directory tells more than the count of 16 bits: where so much is left that as many records as that count
    /// can hide may be in it, one of them is broken.
    private func checkEnd() throws {
        guard end.count.agrees(with: seen), end.end - place < 65_536 * Int64(Self.recordLength) else { throw Self.broken }
    }

    private static var broken: ArchiveError { ZipReader.error("", "the directory of entries is broken") }

    private mutating func take(_ count: Int) throws -> [UInt8] {
        try fill(count)
        defer {
            used += count
            place += Int64(count)
        }
        return Array(buffer[used..<used + count])
    }

    /// Has so many bytes ready behind those that are used up.
    private mutating func fill(_ count: Int) throws {
        guard buffer.count - used < count else { return }
        buffer.removeFirst(used)
        used = 0
        let more = Int(max(0, min(end.end - position, Int64(max(64 << 10, count)))))
        buffer += try file.bytes(at: position, more)
        position += Int64(more)
        guard buffer.count >= count else { throw ZipReader.error("", "unexpected EOF", .truncated) }
    }
}
