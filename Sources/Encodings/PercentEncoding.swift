import SystemSupport

/// Percent encoding (RFC 3986 §2.1). Where nothing else is said, as signatures need it: everything but RFC 3986's unreserved characters, upper-case hexadecimal digits.
package enum PercentEncoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// - Parameter keepingSlashes: true for paths, false for query names and values.
    package static func encode(_ bytes: [UInt8], keepingSlashes: Bool = false) -> String {
        encode(bytes) { isUnreserved($0) || keepingSlashes && $0 == UInt8(ascii: "/") }
    }

    /// - Parameter isPlain: whether a byte stays as it is.
    package static func encode(_ bytes: [UInt8], keeping isPlain: (UInt8) -> Bool) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        for byte in bytes {
            if isPlain(byte) {
                text.append(byte)
            } else {
                text += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    package static func encode(_ text: String, keepingSlashes: Bool = false) -> String {
        encode(Array(text.utf8), keepingSlashes: keepingSlashes)
    }

    /// The bytes meant; a `%` that two hexadecimal digits do not follow stands for itself.
    ///
    /// - Parameter plusIsSpace: as forms and S3's listings write a blank.
    package static func decode(_ text: [UInt8], plusIsSpace: Bool = false) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "%"), index + 2 < text.count, let high = hexadecimalValue(text[index + 1]),
                let low = hexadecimalValue(text[index + 2])
            {
                bytes.append(high << 4 | low)
                index += 3
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? 0x20 : byte)
                index += 1
            }
        }
        return bytes
    }

    /// Whether every `%` is followed by two hexadecimal digits.
    package static func isWhole(_ text: [UInt8]) -> Bool {
        text.indices.allSatisfy { index in
            text[index] != UInt8(ascii: "%")
                || index + 2 < text.count && hexadecimalValue(text[index + 1]) != nil
                    && hexadecimalValue(text[index + 2]) != nil
        }
    }

    /// RFC 3986's unreserved characters: letters, digits, `-`, `.`, `_`, `~`.
    package static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
