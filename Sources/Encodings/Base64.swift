/// Base64 with the standard alphabet and padding (RFC 4648 §4), on one line.
package enum Base64 {
    package static func encode(_ bytes: [UInt8]) -> String { BaseText.encode64(bytes) }

    /// The bytes, or nil for a wrong character, a wrong length or misplaced padding.
    package static func decode(_ text: String) -> [UInt8]? {
        if text.utf8.contains(where: { $0 == 0x0A || $0 == 0x0D }) { return nil }
        return try? BaseText.decode64(text)
    }
}
