import SystemSupport

/// One entry's metadata, and its encoding: ustar where everything fits, else pax, else GNU (contract 03 §4).
struct TarHeader {
    enum Kind: UInt8 {
        case file = 0x30
        case hardLink = 0x31
        case symlink = 0x32
        case characterDevice = 0x33
        case blockDevice = 0x34
        case directory = 0x35
        case fifo = 0x36
    }

    var name: [UInt8]
    var kind: Kind
    var linkName: [UInt8] = []
    /// Permissions with setuid, setgid and sticky.
    var mode: UInt32 = 0
    var userID: UInt32 = 0
    var groupID: UInt32 = 0
    var userName: [UInt8] = []
    var groupName: [UInt8] = []
    /// Bytes of content that follow the header.
    var size: Int64 = 0
    var modified = Timestamp(seconds: 0)
    var deviceMajor: UInt32 = 0
    var deviceMinor: UInt32 = 0
    /// Pax records beyond those that the other fields need.
    var records: [(key: [UInt8], value: [UInt8])] = []

    static let blockSize = 512

    /// The header's blocks: any extended headers, then the entry's own.
    func encoded() -> [UInt8] {
        let needed = neededRecords()
        let fitsNumbers = fits(deviceMajor) && fits(deviceMinor)
        if needed.isEmpty, fitsNumbers { return block(prefix: splitName()) }
        // A pax header cannot carry device numbers; the GNU format has room for them.
        if !fitsNumbers { return encodedAsGNU() }
        var content: [UInt8] = []
        for record in needed.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            content += Self.record(record.key, record.value)
        }
        let slash = name.lastIndex(of: 0x2F).map { $0 + 1 } ?? 0
        let directory = BytePath(bytes: name[..<slash])
        let extended = directory.appending("PaxHeaders.0").appending(BytePath(bytes: name[slash...])).cleaned
        return Self.extension(0x78, name: extended.bytes, content: content) + block(prefix: nil)
    }

    // MARK: What ustar has room for

    /// The pax records for all that the ustar header has no room for.
    private func neededRecords() -> [(key: [UInt8], value: [UInt8])] {
        var needed = records
        func text(_ key: String, _ value: [UInt8], _ size: Int, fits: Bool? = nil) {
            if !(value.allSatisfy { $0 < 0x80 } && (fits ?? (value.count <= size))) { needed.append((Array(key.utf8), value)) }
        }
        func number(_ key: String, _ value: Int64, _ digits: Int) {
            if value < 0 || value >= 1 << (3 * digits) { needed.append((Array(key.utf8), Array(String(value).utf8))) }
        }
        text("path", name, Ustar.nameSize, fits: name.count <= Ustar.nameSize || splitName() != nil)
        text("linkpath", linkName, Ustar.linkNameSize)
        text("uname", userName, Ustar.ownerNameSize)
        text("gname", groupName, Ustar.ownerNameSize)
        number("uid", Int64(userID), 7)
        number("gid", Int64(groupID), 7)
        number("size", size, 11)
        if modified.nanoseconds != 0 {
            needed.append((Array("mtime".utf8), Array(Self.decimal(modified).utf8)))
        } else {
            number("mtime", modified.seconds, 11)
        }
        return needed
    }

    private func fits(_ device: UInt32) -> Bool { device < 1 << 21 }

    /// Where a long name may be divided: a slash with at most 155 bytes before it and 1 to 100 after it.
    private func splitName() -> Int? {
        guard name.count > Ustar.nameSize else { return nil }
        var end = min(name.count, Ustar.prefixSize + 1)
        if end == name.count, name.last == 0x2F { end -= 1 }
        guard let slash = name[..<end].lastIndex(of: 0x2F), slash > 0 else { return nil }
        let rest = name.count - slash - 1
        return rest > 0 && rest <= Ustar.nameSize ? slash : nil
    }

    private static func decimal(_ time: Timestamp) -> String {
        // -0.25 is second -1 with 750,000,000 nanoseconds.
        var (seconds, nanoseconds) = (time.seconds, time.nanoseconds)
        let isNegative = seconds < 0
        if isNegative { (seconds, nanoseconds) = (-(seconds + 1), 1_000_000_000 - nanoseconds) }
        var fraction = pad(Int(nanoseconds), 9)
        while fraction.last == "0" { fraction.removeLast() }
        return (isNegative ? "-" : "") + "\(seconds).\(fraction)"
    }

    // MARK: Blocks

    private enum Ustar {
        static let nameSize = 100
        static let linkNameSize = 100
        static let ownerNameSize = 32
        static let prefixSize = 155
    }

    /// The entry's own block.
    ///
    /// - Parameter prefix: where the name is divided; without it, too long a name is cut, as a pax record has the whole.
    private func block(prefix: Int?, isGNU: Bool = false) -> [UInt8] {
        var block = Block(isGNU: isGNU)
        let isPlain = { (text: [UInt8]) in isGNU ? text : text.filter { $0 < 0x80 } }
        if let prefix {
            block.text(Array(name[..<prefix]), at: 345, Ustar.prefixSize)
            block.text(Array(name[(prefix + 1)...]), at: 0, Ustar.nameSize)
        } else {
            block.text(isPlain(name), at: 0, Ustar.nameSize)
        }
        block.number(Int64(mode), at: 100, 8)
        block.number(Int64(userID), at: 108, 8)
        block.number(Int64(groupID), at: 116, 8)
        block.number(size, at: 124, 12)
        block.number(modified.seconds, at: 136, 12)
        block.bytes[156] = kind.rawValue
        block.text(isPlain(linkName), at: 157, Ustar.linkNameSize)
        block.text(isPlain(userName), at: 265, Ustar.ownerNameSize)
        block.text(isPlain(groupName), at: 297, Ustar.ownerNameSize)
        block.number(Int64(deviceMajor), at: 329, 8)
        block.number(Int64(deviceMinor), at: 337, 8)
        return block.sealed()
    }

    private func encodedAsGNU() -> [UInt8] {
        var blocks: [UInt8] = []
        let longLink = Array("././@LongLink".utf8)
        if name.count > Ustar.nameSize { blocks += Self.extension(0x4C, name: longLink, content: name + [0], isGNU: true) }
        if linkName.count > Ustar.linkNameSize {
            blocks += Self.extension(0x4B, name: longLink, content: linkName + [0], isGNU: true)
        }
        return blocks + block(prefix: nil, isGNU: true)
    }

    /// A header that describes the next one.
    private static func `extension`(_ kind: UInt8, name: [UInt8], content: [UInt8], isGNU: Bool = false) -> [UInt8] {
        var block = Block(isGNU: isGNU)
        var name = Array(name.filter { $0 < 0x80 }.prefix(Ustar.nameSize))
        while name.last == 0x2F { name.removeLast() }
        block.text(name, at: 0, Ustar.nameSize)
        block.number(0, at: 100, 8)
        block.number(0, at: 108, 8)
        block.number(0, at: 116, 8)
        block.number(Int64(content.count), at: 124, 12)
        block.number(0, at: 136, 12)
        block.bytes[156] = kind
        return block.sealed() + content + [UInt8](repeating: 0, count: padding(Int64(content.count)))
    }

    /// `length key=value\n`, where the length counts itself too.
    private static func record(_ key: [UInt8], _ value: [UInt8]) -> [UInt8] {
        let rest = [0x20] + key + [0x3D] + value + [0x0A]
        var length = rest.count + 1
        while String(length).utf8.count + rest.count != length { length = String(length).utf8.count + rest.count }
        return Array(String(length).utf8) + rest
    }

    /// Zeros that follow so many bytes of content.
    static func padding(_ size: Int64) -> Int { Int((Int64(blockSize) - size % Int64(blockSize)) % Int64(blockSize)) }

    private struct Block {
        var bytes = [UInt8](repeating: 0, count: TarHeader.blockSize)
        let isGNU: Bool

        init(isGNU: Bool) {
            self.isGNU = isGNU
            bytes.replaceSubrange(257..<265, with: isGNU ? Array("ustar  \0".utf8) : Array("ustar\0".utf8) + Array("00".utf8))
        }

        mutating func text(_ value: [UInt8], at offset: Int, _ size: Int) {
            var value = value.prefix(size)
            // Some readers take a cut name that ends in a slash for a directory's.
            if value.count == size { while value.last == 0x2F { value.removeLast() } }
            bytes.replaceSubrange(offset..<offset + value.count, with: value)
        }

        /// Octal digits and a NUL; what does not fit is zero, or binary in the GNU format.
        mutating func number(_ value: Int64, at offset: Int, _ size: Int) {
            if value >= 0, value < 1 << (3 * (size - 1)) {
                var rest = value
                for index in (offset..<offset + size - 1).reversed() {
                    bytes[index] = 0x30 + UInt8(rest & 7)
                    rest >>= 3
                }
            } else if isGNU {
                var rest = value
                for index in (offset..<offset + size).reversed() {
                    bytes[index] = UInt8(truncatingIfNeeded: rest)
                    rest >>= 8
                }
                bytes[offset] |= 0x80
            } else {
                number(0, at: offset, size)
            }
        }

        /// The block with its checksum: the sum of its bytes, the checksum's own counted as spaces.
        consuming func sealed() -> [UInt8] {
            bytes.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
            var sum: Int64 = 0
            for byte in bytes { sum += Int64(byte) }
            number(sum, at: 148, 7)
            bytes[154] = 0
            return bytes
        }
    }
}
