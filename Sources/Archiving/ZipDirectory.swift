import ExecutorCore

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
    /// What is added to every offset: the length of what was put before the archive.
    private let shift: Int64
    private let end: Int64
    private let count: UInt64
    private var position: Int64
    private var seen: UInt64 = 0
    /// A part of the directory, and how much of it is used up.
    private var buffer: [UInt8] = []
    private var used = 0

    private static let recordLength = 46
    private static let endLength = 22
    private static let longestComment = 0xFFFF

    init(_ file: ZipFile) throws {
        self.file = file
        let tailLength = Int(min(file.size, Int64(Self.endLength + Self.longestComment)))
        let tail = try file.bytes(at: file.size - Int64(tailLength), tailLength)
        guard let found = Self.findEnd(tail) else { throw ZipReader.error("", "not a valid zip file", .wrongFormat) }
        let record = ZipFields(bytes: Array(tail[found..<found + Self.endLength]))
        let place = file.size - Int64(tailLength) + Int64(found)
        var (count, length, offset) = (UInt64(record.short(10)), Int64(record.word(12)), Int64(record.word(16)))
        var end = place
        if count == 0xFFFF || length == 0xFFFF_FFFF || offset == 0xFFFF_FFFF,
            let large = try Self.largeEnd(file, before: place)
        {
            (count, length, offset, end) = large
        }
        self.count = count
        self.end = end
        let (start, overflow) = end.subtractingReportingOverflow(length)
        guard length >= 0, offset >= 0, !overflow, start >= offset else {
            throw ZipReader.error("", "not a valid zip file", .wrongFormat)
        }
        shift = start - offset
        position = start
    }

    /// The next record; nil after the last.
    mutating func next() throws -> Record? {
        guard seen < count else { return nil }
        let fixed = ZipFields(bytes: try take(Self.recordLength))
        guard fixed.word(0) == 0x0201_4B50 else { throw ZipReader.error("", "the directory of entries is broken") }
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
        let (offset, overflow) = record.offset.addingReportingOverflow(shift)
        if overflow { throw ZipReader.error("", "the directory of entries is broken") }
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
                    guard at + 8 <= end, let large = extra.long(at) else {
                        throw ZipReader.error("", "the directory of entries is broken")
                    }
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

    private mutating func take(_ count: Int) throws -> [UInt8] {
        if buffer.count - used < count {
            buffer.removeFirst(used)
            used = 0
            let more = Int(min(end - position, Int64(max(64 << 10, count))))
            buffer += try file.bytes(at: position, max(0, more))
            position += Int64(max(0, more))
            guard buffer.count >= count else { throw ZipReader.error("", "unexpected EOF", .truncated) }
        }
        defer { used += count }
        return Array(buffer[used..<used + count])
    }

    /// The record that ends the archive: the last whose comment reaches no further than the file.
    private static func findEnd(_ tail: [UInt8]) -> Int? {
        var index = tail.count - endLength
        while index >= 0 {
            if tail[index] == 0x50, tail[index + 1] == 0x4B, tail[index + 2] == 5, tail[index + 3] == 6,
                index + endLength + Int(tail[index + 20]) + Int(tail[index + 21]) << 8 <= tail.count
            {
                return index
            }
            index -= 1
        }
        return nil
    }

    /// The record of 64 bits that stands before the other, with the place where the directory ends.
    private static func largeEnd(
        _ file: ZipFile, before place: Int64
    ) throws -> (count: UInt64, length: Int64, offset: Int64, end: Int64)? {
        guard place >= 20 else { return nil }
        let locator = ZipFields(bytes: try file.bytes(at: place - 20, 20))
        guard locator.word(0) == 0x0706_4B50 else { return nil }
        // The record stands right before its locator, wherever that says it is: what was put before the archive moves both.
        for candidate in [place - 20 - 56, locator.long(8) ?? -1] where candidate >= 0 && candidate <= place - 76 {
            let record = ZipFields(bytes: try file.bytes(at: candidate, 56))
            if record.word(0) == 0x0606_4B50, let count = record.long(32), let length = record.long(40),
                let offset = record.long(48)
            {
                return (UInt64(count), length, offset, candidate)
            }
        }
        return nil
    }
}
