/// Base64 with the standard alphabet and padding (RFC 4648 §4), on one line.
package enum Base64 {
    package static func encode(_ bytes: [UInt8]) -> String { BaseText.encode64(bytes) }

    /// With the alphabet for URLs and file names, and without padding (RFC 4648 §5, RFC 7515 §2).
    package static func encodeForURL(_ bytes: [UInt8]) -> String {
        let text = encode(bytes).utf8.compactMap { byte -> UInt8? in
            switch byte {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            case UInt8(ascii: "="): nil
            default: byte
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes, or nil for a wrong character, a wrong length or misplaced padding.
    package static func decode(_ text: String) -> [UInt8]? {
        if text.utf8.contains(where: { $0 == 0x0A || $0 == 0x0D }) { return nil }
        return try? BaseText.decode64(text)
    }
}
