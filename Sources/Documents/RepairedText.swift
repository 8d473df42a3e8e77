/// Text from bytes that may not be UTF-8, as Go's JSON reader and writer make it: each byte that belongs to no character
/// becomes one U+FFFD (the standard library repairs a cut-off character to a single one).
package enum RepairedText {
    package static func string(_ bytes: Span<UInt8>) -> String {
        if let valid = try? UTF8Span(validating: bytes) { return String(copying: valid) }
        var repaired: [UInt8] = []
        repaired.reserveCapacity(bytes.count + 16)
        var at = 0
        while at < bytes.count {
            let length = characterLength(bytes, at)
            if length == 0 {
                repaired += [0xEF, 0xBF, 0xBD]
                at += 1
            } else {
                for index in at..<at + length { repaired.append(bytes[index]) }
                at += length
            }
        }
        return String(decoding: repaired, as: UTF8.self)
    }

    package static func string(_ bytes: [UInt8]) -> String { string(bytes.span) }

    /// The length of the valid character that begins at an index, or 0 (RFC 3629 §4).
    private static func characterLength(_ bytes: Span<UInt8>, _ at: Int) -> Int {
        let first = bytes[at]
        let (length, second): (Int, ClosedRange<UInt8>) =
            switch first {
            case 0..<0x80: (1, 0...0)
            case 0xC2...0xDF: (2, 0x80...0xBF)
            case 0xE0: (3, 0xA0...0xBF)
            case 0xED: (3, 0x80...0x9F)
            case 0xE1...0xEF: (3, 0x80...0xBF)
            case 0xF0: (4, 0x90...0xBF)
            case 0xF1...0xF3: (4, 0x80...0xBF)
            case 0xF4: (4, 0x80...0x8F)
            default: (0, 0...0)
            }
        if length <= 1 { return length }
        guard at + length <= bytes.count, second.contains(bytes[at + 1]) else { return 0 }
        for index in at + 2..<at + length where !(0x80...0xBF).contains(bytes[index]) { return 0 }
        return length
    }
}
