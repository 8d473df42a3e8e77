/// Judges whether bytes are the beginning of a tar archive.
enum TarProbe {
    /// The longest extended header that counts, in bytes.
    private static let longestExtension: Int64 = 1 << 20

    /// Whether the first entry's header, extended headers before it included, is readable.
    ///
    /// - Parameter isCut: whether more follows the bytes, which then gets the benefit of the doubt once a first header was read.
    static func startsWithHeader(_ bytes: [UInt8], isCut: Bool) -> Bool {
        var position = 0
        while position + TarHeader.blockSize <= bytes.count {
            let block = bytes[position..<position + TarHeader.blockSize]
            guard let size = readableSize(Array(block)) else { return false }
            position += TarHeader.blockSize
            let kind = block[block.startIndex + 156]
            guard "xXgKL".utf8.contains(kind) else { return true }
            guard size <= longestExtension else { return false }
            let end = position + Int(size)
            if end > bytes.count { return isCut }
            if "xXg".utf8.contains(kind), !areRecords(bytes[position..<end]) { return false }
            if kind == UInt8(ascii: "g") { return true }
            position = end + TarHeader.padding(size)
        }
        return isCut && position > 0
    }

    /// The content's size when the block is a header with a right checksum and readable numbers.
    private static func readableSize(_ block: [UInt8]) -> Int64? {
        guard block.contains(where: { $0 != 0 }), let checksum = octal(block[148..<156]) else { return nil }
        var (unsigned, signed) = (Int64(0), Int64(0))
        for (index, byte) in block.enumerated() {
            let byte = (148..<156).contains(index) ? UInt8(ascii: " ") : byte
            unsigned += Int64(byte)
            signed += Int64(Int8(bitPattern: byte))
        }
        guard checksum == unsigned || checksum == signed else { return nil }
        for field in [100..<108, 108..<116, 116..<124, 136..<148] where number(block[field]) == nil { return nil }
        guard let size = number(block[124..<136]), size >= 0 else { return nil }
        return size
    }

    /// Octal digits, or binary with the first bit set.
    private static func number(_ field: ArraySlice<UInt8>) -> Int64? {
        guard let first = field.first, first & 0x80 != 0 else { return octal(field) }
        var value: Int64 = first & 0x40 != 0 ? -1 : 0
        for (index, byte) in field.enumerated() {
            let (shifted, overflow) = value.multipliedReportingOverflow(by: 256)
            if overflow { return nil }
            value = index == 0 ? (first & 0x40 != 0 ? -64 : 0) | Int64(byte & 0x3F) : shifted | Int64(byte)
        }
        return value
    }

    /// Spaces and NULs around the digits do not count; no digits are zero.
    private static func octal(_ field: ArraySlice<UInt8>) -> Int64? {
        let isFiller = { (byte: UInt8) in byte == 0 || byte == 0x20 }
        var digits = field.drop(while: isFiller)
        while let last = digits.last, isFiller(last) { digits.removeLast() }
        if let end = digits.firstIndex(of: 0) { digits = digits[..<end] }
        var value: Int64 = 0
        for digit in digits {
            guard (0x30...0x37).contains(digit), value < 1 << 60 else { return nil }
            value = value << 3 | Int64(digit - 0x30)
        }
        return value
    }

    /// Whether bytes are pax records: `length key=value\n`, one after the other.
    private static func areRecords(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            guard let space = rest.firstIndex(of: 0x20), space - rest.startIndex <= 8,
                let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length > space - rest.startIndex + 1,
                length <= rest.count, rest[rest.startIndex + length - 1] == 0x0A,
                let equals = rest[(space + 1)..<(rest.startIndex + length)].firstIndex(of: 0x3D), equals > space + 1
            else { return false }
            rest = rest.dropFirst(length)
        }
        return true
    }
}
