import Foundation

/// A secret that must not be seen anywhere, and the forms in which it would be.
///
/// All hold the same word, so that a text is searched for one word, whichever secret it is that leaked.
enum Canary {
    /// In secrets that a template only names.
    static let hidden = "Kanarie"
    /// In secrets that stand in a template itself, and so in what is reported of its artifacts.
    static let literal = "Papegaai"

    /// A secret's value; letters and digits, so that it is the same in a URL or a header.
    static func named(_ name: String) -> String { "\(hidden)Of\(name)0123456789" }

    static func written(_ name: String) -> String { "\(literal)Of\(name)0123456789" }

    /// What of a text would show a canary; nil where nothing does.
    static func sighting(in text: String, includingLiterals: Bool = true) -> String? {
        for word in [hidden] + (includingLiterals ? [literal] : []) {
            for form in [word] + encoded(word) {
                guard let found = text.range(of: form, options: .caseInsensitive) else { continue }
                let start = text.index(found.lowerBound, offsetBy: -100, limitedBy: text.startIndex) ?? text.startIndex
                let end = text.index(found.upperBound, offsetBy: 60, limitedBy: text.endIndex) ?? text.endIndex
                return String(text[start..<end])
            }
        }
        return nil
    }

    /// The word within a text encoded in base64, wherever in a group of three it begins; and in hexadecimal.
    private static func encoded(_ word: String) -> [String] {
        let inBase64 = (0..<3).map { shift -> String in
            let text = Data((String(repeating: " ", count: shift) + word).utf8).base64EncodedString()
            return String(text.dropFirst((shift * 8 + 5) / 6).prefix(word.utf8.count * 8 / 6 - 1))
        }
        return inBase64 + [word.utf8.map { String($0, radix: 16) }.joined()]
    }
}
