import SystemSupport

extension Subprocess.Result {
    /// What the program said on standard error, on one line and fit for a message: without colours and other control
    /// characters, and of much the beginning and the end. Empty where it repeats something of its output, which may be a secret
    /// (a script that traces itself).
    ///
    /// - Parameter limit: characters.
    package func explanation(atMost limit: Int = 1000) -> String {
        let text = ProgramText.line(error, atMost: limit)
        let words = output.split { $0 <= 0x20 || $0 == 0x7F || "\"',:;{}[]=".utf8.contains($0) }
        let isRepeated = words.contains { $0.count >= 6 && Secret(Array($0)).occurs(in: text) }
        return isRepeated ? "" : text
    }
}

/// Texts that programs wrote for a terminal.
package enum ProgramText {
    /// All lines as one.
    package static func line(_ bytes: [UInt8], atMost limit: Int) -> String {
        var plain: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == 0x1B {
                index = endOfSequence(bytes, from: index)
                continue
            }
            plain.append(bytes[index] < 0x20 || bytes[index] == 0x7F ? 0x20 : bytes[index])
            index += 1
        }
        let text = String(decoding: plain, as: UTF8.self).split { $0.isWhitespace }.joined(separator: " ")
        guard text.count > limit else { return text }
        return "\(text.prefix(limit * 3 / 4)) ... \(text.suffix(limit / 4))"
    }

    /// Behind an escape sequence: `ESC [ parameters letter`, or two bytes.
    private static func endOfSequence(_ bytes: [UInt8], from start: Int) -> Int {
        var index = start + 1
        guard index < bytes.count, bytes[index] == UInt8(ascii: "[") else { return min(index + 1, bytes.count) }
        index += 1
        while index < bytes.count, (0x20...0x3F).contains(bytes[index]) { index += 1 }
        return min(index + 1, bytes.count)
    }
}
