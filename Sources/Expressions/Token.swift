import ExpressionValues

/// A word of an expression.
struct Token {
    enum Kind: String {
        case identifier = "Identifier"
        case number = "Number"
        case string = "String"
        case bytes = "Bytes"
        case symbol = "Operator"
        case bracket = "Bracket"
        case end = "EOF"
    }

    let kind: Kind
    /// What it says: of a string the value without quotes and escapes.
    let text: String
    /// The value of a literal of bytes.
    var bytes: [UInt8] = []
    /// Where it begins, in Unicode scalars.
    let offset: Int

    @inline(never)
    func isSymbol(_ symbol: String) -> Bool { kind == .symbol && text == symbol }
    @inline(never)
    func isBracket(_ bracket: String) -> Bool { kind == .bracket && text == bracket }

    /// How messages name it.
    var shown: String { text.isEmpty ? kind.rawValue : "\(kind.rawValue)(\(GoText.quoted(text)))" }
}

/// A fault in the text of an expression.
struct SyntaxFault: Error {
    let reason: String
    let offset: Int
}

/// Kinds of characters, as the reference's lexer sees them.
enum Characters {
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace }

    static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII ? (0x30...0x39).contains(scalar.value) : scalar.properties.generalCategory == .decimalNumber
    }

    static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (0x61...0x7A).contains(scalar.value | 0x20) }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return true
        default: return false
        }
    }

    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar == "$" || isLetter(scalar) || isDigit(scalar)
    }
}
