import SystemSupport

/// Where a zip file's central directory lies, as the records at the file's end tell (APPNOTE 4.3.14 to 4.3.16).
///
/// What these records say is not believed blindly: counts have 16 bits and lengths and places 32, which wrap where the writer knows
/// no zip64; other records may stand between the directory and the end; something may have been put before the archive or behind
/// it; and a comment may look like a record. So each reading of them is tried until one leads to a directory.
struct ZipEnd {
    /// How many entries there are: exactly, or modulo 65,536.
    enum Count {
        case exactly(UInt64)
        case modulo16(UInt16)

        func agrees(with seen: UInt64) -> Bool {
            switch self {
            case .exactly(let count): seen == count
            case .modulo16(let count): UInt16(truncatingIfNeeded: seen) == count
            }
        }
    }

    /// Where the directory begins.
    let start: Int64
    /// Where it ends at the latest.
    let end: Int64
    /// What is added to every offset: the length of what was put before the archive.
    let shift: Int64
    let count: Count

    static let directorySignature: UInt32 = 0x0201_4B50
    private static let length = 22
    private static let longestComment = 0xFFFF

    /// Finds the directory.
    ///
    /// The last record counts that leads to one: so what looks like a record in a comment is passed over. One of zeros, which would
    /// lead to an empty archive anywhere, only counts where it is not in another's comment.
    /// - Throws: `wrongFormat` where no record leads to one.
    static func find(in file: ZipFile) throws -> ZipEnd {
        let tailLength = Int(min(file.size, Int64(length + longestComment)))
        let tail = try file.bytes(at: file.size - Int64(tailLength), tailLength)
        var empty: ZipEnd?
        var index = tail.count - length
        while index >= 0 {
            if tail[index] == 0x50, tail[index + 1] == 0x4B, tail[index + 2] == 5, tail[index + 3] == 6 {
                let record = ZipFields(bytes: Array(tail[index..<index + length]))
                let commentEnd = index + length + record.short(20)
                if empty == nil ? commentEnd <= tail.count : commentEnd == tail.count,
                    let end = try read(record, at: file.size - Int64(tailLength - index), file)
                {
                    if end.start < end.end { return end }
                    empty = empty ?? end
                }
            }
            index -= 1
        }
        if let empty { return empty }
        throw ZipReader.error("", "not a valid zip file", .wrongFormat)
    }

    /// What a record of 16 and 32 bits tells, or the one of 64 bits beside it.
    private static func read(_ record: ZipFields, at place: Int64, _ file: ZipFile) throws -> ZipEnd? {
        let small = (count: UInt16(record.short(10)), length: record.word(12), offset: record.word(16))
        if let large = try Large.find(file, before: place), large.agrees(with: small) {
            let found = try directory(
                offset: large.offset, length: large.length, end: large.place, .exactly(large.count), file)
            if let found { return found }
        }
        return try directory(
            offset: Int64(small.offset), length: Int64(small.length), end: place, .modulo16(small.count), file)
    }

    /// A directory right before `end`, wherever it is said to be: what was put before the archive moves it. Else, where something
    /// stands between it and the end, the one at the place that is told.
    private static func directory(
        offset: Int64, length: Int64, end: Int64, _ count: Count, _ file: ZipFile
    ) throws -> ZipEnd? {
        guard length >= 0, offset >= 0, length <= end else { return nil }
        let start = end - length
        if start >= offset, try length == 0 && count.agrees(with: 0) || hasRecord(file, at: start) {
            return ZipEnd(start: start, end: end, shift: start - offset, count: count)
        }
        guard offset < end, try hasRecord(file, at: offset) else { return nil }
        return ZipEnd(start: offset, end: end, shift: 0, count: count)
    }

    private static func hasRecord(_ file: ZipFile, at place: Int64) throws -> Bool {
        guard place <= file.size - 4 else { return false }
        return ZipFields(bytes: try file.bytes(at: place, 4)).word(0) == directorySignature
    }

    /// The record of 64 bits, which its locator, right before the record of 32 bits, leads to.
    private struct Large {
        let place: Int64
        let count: UInt64
        let length: Int64
        let offset: Int64

        private static let length: Int64 = 56
        private static let locatorLength: Int64 = 20

        static func find(_ file: ZipFile, before place: Int64) throws -> Large? {
            guard place >= locatorLength else { return nil }
            let locator = ZipFields(bytes: try file.bytes(at: place - locatorLength, Int(locatorLength)))
            guard locator.word(0) == 0x0706_4B50 else { return nil }
            // It stands right before its locator, wherever that says it is, unless it has fields that we do not know.
            let last = place - locatorLength - length
            for candidate in [last, locator.long(8) ?? -1] where candidate >= 0 && candidate <= last {
                let record = ZipFields(bytes: try file.bytes(at: candidate, Int(length)))
                if record.word(0) == 0x0606_4B50, let count = record.long(32), let length = record.long(40),
                    let offset = record.long(48)
                {
                    return Large(place: candidate, count: UInt64(count), length: length, offset: offset)
                }
            }
            return nil
        }

        /// Whether each smaller field is the same, left to this record, or what is left of the number where it does not fit.
        func agrees(with small: (count: UInt16, length: UInt32, offset: UInt32)) -> Bool {
            (small.count == .max || small.count == UInt16(truncatingIfNeeded: count))
                && (small.length == .max || small.length == UInt32(truncatingIfNeeded: length))
                && (small.offset == .max || small.offset == UInt32(truncatingIfNeeded: offset))
        }
    }
}
