/// Bytes that must never be seen: prints and logs as `[redacted]`.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }
    package init(_ text: String) { bytes = Array(text.utf8) }

    package var isEmpty: Bool { bytes.isEmpty }
    package var description: String { "[redacted]" }
    package var debugDescription: String { "[redacted]" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// The bytes, for signing and sending only.
    package func reveal() -> [UInt8] { bytes }

    /// The text, for signing and sending only.
    package func revealText() -> String { String(decoding: bytes, as: UTF8.self) }

    /// Whether a text from outside repeats it; an empty secret is in none.
    package func occurs(in text: String) -> Bool { !isEmpty && text.contains(revealText()) }

    /// Without white space at either end: a trailing newline in a secret's file is never part of the password (contract 05 C37).
    package var trimmed: Secret {
        var slice = bytes[...]
        while let last = slice.last, [0x20, 0x09, 0x0A, 0x0D].contains(last) { slice.removeLast() }
        while let first = slice.first, [0x20, 0x09, 0x0A, 0x0D].contains(first) { slice.removeFirst() }
        return Secret(Array(slice))
    }
}
