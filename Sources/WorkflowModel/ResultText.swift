import Documents

/// Results and parameter values from bytes that the user's process has written (contract 02 §6.1, §6.2).
package enum ResultText {
    /// A result is at most so many bytes long: its end counts.
    package static let limit = 262_144

    /// So many bytes of a file's end are enough to make a result: the newline, and a byte to see that there was more.
    package static let tailLength = limit + 2

    /// The result: one newline at the end dropped, then at most the last `limit` bytes, without a first character that the
    /// limit has cut through (contract 05 C34); bytes that are not UTF-8 become U+FFFD.
    ///
    /// - Parameter tail: the last `tailLength` bytes of the output, or all where it is shorter.
    package static func result(tail: [UInt8]) -> String {
        let text = withoutNewline(tail)
        guard text.count > limit else { return RepairedText.string(Array(text)) }
        var start = text.endIndex - limit
        let latest = min(start + 3, text.endIndex)
        while start < latest, text[start] & 0xC0 == 0x80 { start += 1 }
        return RepairedText.string(Array(text[start...]))
    }

    /// A parameter's value: one newline at the end dropped; bytes that are not UTF-8 become U+FFFD.
    package static func parameter(_ bytes: [UInt8]) -> String { RepairedText.string(Array(withoutNewline(bytes))) }

    private static func withoutNewline(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...]
    }
}
