import FileTrees
import SystemSupport

/// The records of one entry of a zip file (APPNOTE 6.3).
struct ZipEntry {
    /// At most 65,535 bytes.
    let name: BytePath
    /// Where its local header begins.
    let offset: UInt64
    /// The Unix mode with the kind of file.
    private let mode: UInt32
    private let modified: Timestamp
    var isStreamed = false
    /// Whether the sizes are written with 64 bits.
    var hasLargeSizes = false
    var checksum: UInt32 = 0
    var size: UInt64 = 0
    var packedSize: UInt64 = 0

    init(_ name: BytePath, _ status: FileStatus, offset: UInt64) {
        self.name = name
        self.offset = offset
        modified = status.modified
        let kind: UInt32 =
            switch status.kind {
            case .directory: 0o040000
            case .symlink: 0o120000
            default: 0o100000
            }
        mode = kind | status.permissions
    }

    private static let limit = UInt64(UInt32.max)
    /// 4.5 when 64-bit sizes are used, else 2.0 (directories and deflate).
    private static func version(isLarge: Bool) -> UInt16 { isLarge ? 45 : 20 }

    /// Bit 3: sizes follow the content. Bit 11: the name is UTF-8.
    private var flags: UInt16 {
        let isText = name.validText != nil && name.bytes.contains { $0 >= 0x80 }
        return (isStreamed ? 0x0008 : 0) | (isText ? 0x0800 : 0)
    }

    private var method: UInt16 { isStreamed ? 8 : 0 }

    func localHeader() -> [UInt8] {
        var record = Record(0x0403_4B50)
        let extra = (hasLargeSizes ? Self.field(0x0001, [0, 0].flatMap { Record.bytes($0 as UInt64) }) : []) + timeField
        record.add(Self.version(isLarge: hasLargeSizes))
        record.add(flags)
        record.add(method)
        addTime(to: &record)
        record.add(isStreamed ? 0 : checksum)
        record.add(hasLargeSizes ? UInt32.max : isStreamed ? 0 : UInt32(packedSize))
        record.add(hasLargeSizes ? UInt32.max : isStreamed ? 0 : UInt32(size))
        record.add(UInt16(name.bytes.count))
        record.add(UInt16(extra.count))
        return record.bytes + name.bytes + extra
    }

    /// What follows the content of a streamed entry.
    func descriptor() -> [UInt8] {
        var record = Record(0x0807_4B50)
        record.add(checksum)
        if hasLargeSizes {
            record.add(packedSize)
            record.add(size)
        } else {
            record.add(UInt32(truncatingIfNeeded: packedSize))
            record.add(UInt32(truncatingIfNeeded: size))
        }
        return record.bytes
    }

    func centralHeader() -> [UInt8] {
        var large: [UInt8] = []
        func shortened(_ value: UInt64) -> UInt32 {
            if value < Self.limit { return UInt32(value) }
            large += Record.bytes(value)
            return UInt32.max
        }
        let (size, packedSize, offset) = (shortened(size), shortened(packedSize), shortened(offset))
        let extra = (large.isEmpty ? [] : Self.field(0x0001, large)) + timeField
        let version = Self.version(isLarge: hasLargeSizes || !large.isEmpty)
        var record = Record(0x0201_4B50)
        record.add(UInt16(3 << 8) | version)  // made on Unix
        record.add(version)
        record.add(flags)
        record.add(method)
        addTime(to: &record)
        record.add(checksum)
        record.add(packedSize)
        record.add(size)
        record.add(UInt16(name.bytes.count))
        record.add(UInt16(extra.count))
        for _ in 0..<3 { record.add(0 as UInt16) }  // comment, disk, kind of text
        record.add(mode << 16 | (mode & 0o170000 == 0o040000 ? 0x10 : 0))
        record.add(offset)
        return record.bytes + name.bytes + extra
    }

    /// The records after the central directory.
    static func end(entries: UInt64, directory: UInt64, length: UInt64) -> [UInt8] {
        var large: [UInt8] = []
        if entries >= UInt64(UInt16.max) || directory >= limit || length >= limit {
            var record = Record(0x0606_4B50)
            record.add(44 as UInt64)
            record.add(UInt16(3 << 8) | version(isLarge: true))
            record.add(version(isLarge: true))
            record.add(0 as UInt64)  // this disk, the directory's disk
            record.add(entries)
            record.add(entries)
            record.add(length)
            record.add(directory)
            var locator = Record(0x0706_4B50)
            locator.add(0 as UInt32)
            locator.add(directory + length)
            locator.add(1 as UInt32)
            large = record.bytes + locator.bytes
        }
        var record = Record(0x0605_4B50)
        record.add(0 as UInt32)
        record.add(UInt16(clamping: entries))
        record.add(UInt16(clamping: entries))
        record.add(UInt32(clamping: length))
        record.add(UInt32(clamping: directory))
        record.add(0 as UInt16)
        return large + record.bytes
    }

    /// The time to the second, in UTC (Info-ZIP's extended timestamp), where it fits.
    private var timeField: [UInt8] {
        guard let seconds = Int32(exactly: modified.seconds) else { return [] }
        return Self.field(0x5455, [1] + Record.bytes(UInt32(bitPattern: seconds)))
    }

    /// MS-DOS: two-second steps from 1980 to 2107.
    private func addTime(to record: inout Record) {
        let lowest = Timestamp(seconds: 315_532_800)
        let highest = Timestamp(seconds: 4_354_819_199)
        let time = min(max(modified, lowest), highest).fields
        record.add(UInt16(time.hour << 11 | time.minute << 5 | time.second / 2))
        record.add(UInt16((time.year - 1980) << 9 | time.month << 5 | time.day))
    }

    private static func field(_ kind: UInt16, _ content: [UInt8]) -> [UInt8] {
        Record.bytes(kind) + Record.bytes(UInt16(content.count)) + content
    }

    /// Numbers in little-endian order.
    private struct Record {
        private(set) var bytes: [UInt8]

        init(_ signature: UInt32) { bytes = Self.bytes(signature) }

        mutating func add(_ value: some FixedWidthInteger) { bytes += Self.bytes(value) }

        static func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
            (0..<Value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> Value($0 * 8)) }
        }
    }
}
