internal import Documents
import ExpressionValues
import SystemSupport

/// Takes the text of an expression apart.
struct Lexer {
    private let text: [Unicode.Scalar]
    private var at = 0
    private var start = 0
    private var tokens: [Token] = []

    private init(_ text: String) { self.text = Array(text.unicodeScalars) }

    /// The words up to the first fault, and that fault; without one the last word is the end.
    static func tokens(of text: String) -> ([Token], SyntaxFault?) {
        var lexer = Lexer(text)
        do throws(SyntaxFault) {
            while try lexer.readToken() {}
            return (lexer.tokens, nil)
        } catch {
            return (lexer.tokens, error)
        }
    }

    private var current: Unicode.Scalar? { at < text.count ? text[at] : nil }

    private func fault(_ reason: String, behindEnd: Bool = false) -> SyntaxFault {
        SyntaxFault(reason: reason, offset: max(0, behindEnd ? at : at - 1))
    }

    @inline(never)
    private mutating func accept(_ valid: String) -> Bool {
        guard let current, valid.unicodeScalars.contains(current) else { return false }
        at += 1
        return true
    }

    private func word(from: Int) -> String { String(String.UnicodeScalarView(text[from..<at])) }

    private mutating func emit(_ kind: Token.Kind, _ value: String? = nil) {
        tokens.append(Token(kind: kind, text: value ?? word(from: start), offset: start))
    }

    /// Reads one word, white space or comment; false at the end.
    private mutating func readToken() throws(SyntaxFault) -> Bool {
        start = at
        guard let scalar = current else {
            tokens.append(Token(kind: .end, text: "", offset: max(0, at - 1)))
            return false
        }
        at += 1
        switch scalar {
        case _ where Characters.isSpace(scalar): break
        case "'", "\"": emit(.string, try quoted(by: scalar))
        case "`": emit(.string, try rawString())
        case "b" where current == "'" || current == "\"", "B" where current == "'" || current == "\"":
            let quote = text[at]
            at += 1
            let bytes = try quotedBytes(by: quote)
            tokens.append(Token(kind: .bytes, text: word(from: start), bytes: bytes, offset: start))
        case "0"..."9":
            at -= 1
            try number()
        case "/": try slash()
        case "#": pointer()
        case "?": finishSymbol(".?")
        case "|": finishSymbol("|")
        case ":": finishSymbol(":")
        case "(", "[", "{", ")", "]", "}": emit(.bracket)
        case ",", ";", "%", "+", "-", "^": emit(.symbol)
        case "&", "!", "=", "*", "<", ">": finishSymbol("&=*")
        case ".":
            if let current, ("0"..."9").contains(current) {
                at -= 1
                try number()
            } else {
                finishSymbol(".")
            }
        case _ where Characters.isWord(scalar): identifier()
        default: throw fault("unrecognized character: \(GoText.named(scalar))")
        }
        return true
    }

    private mutating func finishSymbol(_ second: String) {
        _ = accept(second)
        emit(.symbol)
    }

    private mutating func skipWord() {
        while let current, Characters.isWord(current) { at += 1 }
    }

    private mutating func identifier() {
        skipWord()
        switch word(from: start) {
        case "not": negation()
        case "in", "or", "and", "matches", "contains", "startsWith", "endsWith", "let", "if", "else": emit(.symbol)
        default: emit(.identifier)
        }
    }

    /// `not`, and the operator that it negates when that follows.
    private mutating func negation() {
        emit(.symbol)
        while accept(" ") {}
        start = at
        skipWord()
        switch word(from: start) {
        case "in", "matches", "contains", "startsWith", "endsWith": emit(.symbol)
        default: at = start
        }
    }

    private mutating func pointer() {
        _ = accept("#")
        emit(.symbol)
        start = at
        skipWord()
        if at > start { emit(.identifier) }
    }

    private mutating func slash() throws(SyntaxFault) {
        if accept("/") {
            while let current, current != "\n" { at += 1 }
        } else if accept("*") {
            while !(current == "*" && at + 1 < text.count && text[at + 1] == "/") {
                if current == nil { throw fault("unclosed comment", behindEnd: true) }
                at += 1
            }
            at += 2
        } else {
            emit(.symbol)
        }
    }

    private mutating func number() throws(SyntaxFault) {
        var digits = "0123456789_"
        if accept("0") {
            if accept("xX") {
                digits = "0123456789abcdefABCDEF_"
            } else if accept("oO") {
                digits = "01234567_"
            } else if accept("bB") {
                digits = "01_"
            }
        }
        while accept(digits) {}
        if current == "." {
            // Two dots are the operator of ranges: `1..2`.
            if at + 1 < text.count, text[at + 1] == "." { return emit(.number) }
            at += 1
            while accept(digits) {}
        }
        if accept("eE") {
            _ = accept("+-")
            while accept(digits) {}
        }
        if let current, Characters.isWord(current) {
            at += 1
            throw fault("bad number syntax: \(GoText.quoted(word(from: start)))")
        }
        emit(.number)
    }

    private mutating func rawString() throws(SyntaxFault) -> String {
        var value = String.UnicodeScalarView()
        while let scalar = current {
            at += 1
            if scalar == "`" {
                guard current == "`" else { return String(value) }
                at += 1
            }
            value.append(scalar)
        }
        throw fault("literal not terminated", behindEnd: true)
    }

    private mutating func quoted(by quote: Unicode.Scalar) throws(SyntaxFault) -> String {
        RepairedText.string(try literal(by: quote, ofBytes: false))
    }

    private mutating func quotedBytes(by quote: Unicode.Scalar) throws(SyntaxFault) -> [UInt8] {
        try literal(by: quote, ofBytes: true)
    }

    private mutating func literal(by quote: Unicode.Scalar, ofBytes: Bool) throws(SyntaxFault) -> [UInt8] {
        var value: [UInt8] = []
        while let scalar = current {
            at += 1
            if scalar == quote { return value }
            if scalar == "\n" { throw fault("literal not terminated") }
            if scalar == "\\" {
                try escape(quote, ofBytes, into: &value)
            } else if scalar == "\r" {
                if current != "\n" { value.append(0x0A) }
            } else {
                value += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            }
        }
        throw fault("literal not terminated", behindEnd: true)
    }

    private mutating func escape(_ quote: Unicode.Scalar, _ ofBytes: Bool, into value: inout [UInt8]) throws(SyntaxFault) {
        guard let scalar = current else { throw fault("invalid char escape", behindEnd: true) }
        at += 1
        switch scalar {
        case "a": value.append(0x07)
        case "b": value.append(0x08)
        case "f": value.append(0x0C)
        case "n": value.append(0x0A)
        case "r": value.append(0x0D)
        case "t": value.append(0x09)
        case "v": value.append(0x0B)
        case "\\", quote: value.append(UInt8(scalar.value))
        case "0"..."3":
            at -= 1
            try append(try digits(3, base: 8), ofBytes, to: &value)
        case "x": try append(try digits(2, base: 16), ofBytes, to: &value)
        case "u" where !ofBytes && current == "{":
            at += 1
            let from = at
            while let current, current.properties.isASCIIHexDigit, at - from < 7 { at += 1 }
            guard current == "}", (1...6).contains(at - from), let code = UInt32(word(from: from), radix: 16) else {
                throw fault("invalid char escape")
            }
            at += 1
            try append(code, false, to: &value)
        case "u" where !ofBytes: try append(try digits(4, base: 16), false, to: &value)
        case "U" where !ofBytes: try append(try digits(8, base: 16), false, to: &value)
        default: throw fault("invalid char escape")
        }
    }

    private mutating func digits(_ count: Int, base: Int) throws(SyntaxFault) -> UInt32 {
        let from = at
        while at - from < count, let current, current.isASCII, let digit = hexadecimalValue(UInt8(current.value)), digit < base
        {
            at += 1
        }
        guard at - from == count, let code = UInt32(word(from: from), radix: base) else { throw fault("invalid char escape") }
        return code
    }

    private func append(_ code: UInt32, _ asByte: Bool, to value: inout [UInt8]) throws(SyntaxFault) {
        if asByte {
            guard code < 256 else { throw fault("unable to unescape string") }
            value.append(UInt8(code))
        } else {
            guard code <= 0x10FFFF else { throw fault("unable to unescape string") }
            // Halves of surrogate pairs are no characters.
            value += Unicode.Scalar(code).flatMap { UTF8.encode($0) } ?? UTF8.encodedReplacementCharacter
        }
    }
}
