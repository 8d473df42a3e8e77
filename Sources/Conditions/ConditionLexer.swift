import ExpressionValues
internal import Expressions
internal import SystemSupport

/// A word of a condition.
struct ConditionToken {
    /// In the order of the table of what may follow what.
    enum Kind: Int {
        case prefix, numeric, boolean, string, pattern, time, variable, function, separator, accessor, comparator, logical,
            modifier, open
        case close, ternary

        var name: String {
            switch self {
            case .prefix: "PREFIX"
            case .numeric: "NUMERIC"
            case .boolean: "BOOLEAN"
            case .string: "STRING"
            case .pattern: "PATTERN"
            case .time: "TIME"
            case .variable: "VARIABLE"
            case .function: "FUNCTION"
            case .separator: "SEPARATOR"
            case .accessor: "ACCESSOR"
            case .comparator: "COMPARATOR"
            case .logical: "LOGICALOP"
            case .modifier: "MODIFIER"
            case .open: "CLAUSE"
            case .close: "CLAUSE_CLOSE"
            case .ternary: "TERNARY"
            }
        }

        /// What may follow.
        var followers: Set<Kind> {
            switch self {
            case .open: Self.values.union([.prefix, .pattern, .function, .accessor, .open, .close])
            case .close:
                [
                    .comparator, .modifier, .numeric, .boolean, .variable, .string, .pattern, .time, .open, .close, .logical,
                    .ternary, .separator,
                ]
            case .numeric, .boolean, .string, .variable: [.modifier, .comparator, .logical, .close, .ternary, .separator]
            case .time, .pattern: [.modifier, .comparator, .logical, .close, .separator]
            case .modifier: [.prefix, .numeric, .variable, .function, .accessor, .string, .boolean, .open, .close]
            case .comparator: Self.values.union([.prefix, .function, .accessor, .open, .close, .pattern])
            case .logical: Self.values.union([.prefix, .function, .accessor, .open, .close])
            case .prefix: [.numeric, .boolean, .variable, .function, .accessor, .open, .close]
            case .ternary: Self.values.union([.prefix, .function, .accessor, .open, .separator])
            case .function: [.open]
            case .accessor: [.open, .modifier, .comparator, .logical, .close, .ternary, .separator]
            case .separator: Self.values.union([.prefix, .function, .accessor, .open])
            }
        }

        /// What a condition may begin with.
        static let starters = values.union([.prefix, .pattern, .function, .accessor, .open])
        private static let values: Set<Kind> = [.numeric, .boolean, .variable, .string, .time]

        /// Whether a condition may end here.
        var mayEnd: Bool {
            switch self {
            case .close, .numeric, .boolean, .string, .time, .pattern, .variable, .accessor: true
            default: false
            }
        }
    }

    var kind: Kind
    /// As it is shown; of texts and words the value.
    let text: String
    /// Of numbers the value, of times seconds since 1970.
    var number = 0.0
}

/// Takes the text of a condition apart, with govaluate's own rules.
struct ConditionLexer {
    private let text: [Unicode.Scalar]
    private var at = 0
    private let condition: String

    private init(_ condition: String) {
        text = Array(condition.unicodeScalars)
        self.condition = condition
    }

    static func tokens(of condition: String) throws(ConditionError) -> [ConditionToken] {
        var lexer = ConditionLexer(condition)
        var tokens: [ConditionToken] = []
        while let token = try lexer.next(after: tokens.last?.kind) { tokens.append(token) }
        let balance = tokens.reduce(0) { $0 + ($1.kind == .open ? 1 : $1.kind == .close ? -1 : 0) }
        if balance != 0 { throw lexer.fault("Unbalanced parenthesis") }
        return tokens
    }

    private func fault(_ reason: String) -> ConditionError { ConditionError(.reading, condition, reason) }

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace }
    private static func isQuote(_ scalar: Unicode.Scalar) -> Bool { scalar == "'" || scalar == "\"" }
    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.generalCategory == .decimalNumber }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    /// Whether a character goes on a run of signs.
    private static func isSign(_ scalar: Unicode.Scalar) -> Bool {
        !(Self.isDigit(scalar) || Self.isLetter(scalar) || Self.isQuote(scalar) || "()[]".unicodeScalars.contains(scalar))
    }

    /// Characters while they fit; a backslash takes the next one as it is.
    ///
    /// - Parameter endsAtSpace: else blanks belong to it.
    /// - Returns: also whether something ended it before the end of the condition; that something is not read, but for a blank.
    private mutating func run(endsAtSpace: Bool, while fits: (Unicode.Scalar) -> Bool) throws(ConditionError) -> (String, Bool)
    {
        var run = String.UnicodeScalarView()
        while at < text.count {
            var scalar = text[at]
            at += 1
            if scalar == "\\" {
                guard at < text.count else { throw fault("the condition ends behind a backslash") }
                scalar = text[at]
                at += 1
                run.append(scalar)
                continue
            }
            if endsAtSpace, Self.isSpace(scalar) {
                if !run.isEmpty { return (String(run), true) }
                continue
            }
            guard fits(scalar) else {
                at -= 1
                return (String(run), true)
            }
            run.append(scalar)
        }
        return (String(run), false)
    }

    private mutating func next(after previous: ConditionToken.Kind?) throws(ConditionError) -> ConditionToken? {
        while at < text.count, Self.isSpace(text[at]) { at += 1 }
        guard at < text.count else { return nil }
        let scalar = text[at]
        switch scalar {
        case _ where Self.isDigit(scalar) || scalar == ".": return try number()
        case ",":
            at += 1
            return ConditionToken(kind: .separator, text: ",")
        case "[":
            at += 1
            let (name, isClosed) = try run(endsAtSpace: false) { $0 != "]" }
            if !isClosed { throw fault("Unclosed parameter bracket") }
            at += 1
            return ConditionToken(kind: .variable, text: name)
        case _ where Self.isLetter(scalar): return try word()
        case "'", "\"": return try quoted()
        case "(", ")":
            at += 1
            return ConditionToken(kind: scalar == "(" ? .open : .close, text: String(scalar))
        default: return try sign(after: previous)
        }
    }

    private mutating func number() throws(ConditionError) -> ConditionToken {
        if text[at] == "0", at + 1 < text.count, text[at + 1] == "x", at + 2 < text.count {
            at += 2
            let (digits, _) = try run(endsAtSpace: true) { $0.properties.isASCIIHexDigit || Self.isDigit($0) }
            guard let value = UInt64(digits, radix: 16) else { throw fault("Unable to parse hex value '\(digits)' to uint64") }
            return ConditionToken(kind: .numeric, text: GoText.float(Double(value)), number: Double(value))
        }
        let (digits, _) = try run(endsAtSpace: true) { Self.isDigit($0) || $0 == "." }
        guard let value = GoText.double(digits) else { throw fault("Unable to parse numeric value '\(digits)' to float64") }
        return ConditionToken(kind: .numeric, text: GoText.float(value), number: value)
    }

    private mutating func word() throws(ConditionError) -> ConditionToken {
        let (word, _) = try run(endsAtSpace: true) { Self.isLetter($0) || Self.isDigit($0) || $0 == "_" || $0 == "." }
        let points = word.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        if points.count > 1, !points[0].isEmpty {
            if points[points.count - 1].isEmpty { throw fault("Hanging accessor on token '\(word)'") }
            for part in points.dropFirst() {
                let name = String(decoding: part, as: UTF8.self)
                guard let first = name.unicodeScalars.first, first.properties.uppercaseMapping != String(first) else {
                    continue
                }
                throw fault("Unable to access unexported field '\(name)' in token '\(word)'")
            }
            return ConditionToken(kind: .accessor, text: word)
        }
        switch word {
        case "true", "false": return ConditionToken(kind: .boolean, text: word)
        case "in", "IN": return ConditionToken(kind: .comparator, text: "in")
        default: return ConditionToken(kind: .variable, text: word)
        }
    }

    private mutating func quoted() throws(ConditionError) -> ConditionToken {
        at += 1
        // Either quote ends it, whichever began it.
        let (value, isClosed) = try run(endsAtSpace: false) { !Self.isQuote($0) }
        if !isClosed { throw fault("Unclosed string literal") }
        at += 1
        guard let seconds = Self.seconds(of: value) else { return ConditionToken(kind: .string, text: value) }
        return ConditionToken(kind: .time, text: value, number: seconds)
    }

    private mutating func sign(after previous: ConditionToken.Kind?) throws(ConditionError) -> ConditionToken {
        let (sign, _) = try run(endsAtSpace: true) { Self.isSign($0) }
        let mayBePrefix = (previous?.followers ?? ConditionToken.Kind.starters).contains(.prefix)
        switch sign {
        case "-", "!", "~":
            if mayBePrefix { return ConditionToken(kind: .prefix, text: sign) }
            if sign == "-" { return ConditionToken(kind: .modifier, text: sign) }
        case "+", "*", "/", "%", "**", "&", "|", "^", ">>", "<<": return ConditionToken(kind: .modifier, text: sign)
        case "&&", "||": return ConditionToken(kind: .logical, text: sign)
        case "==", "!=", ">", ">=", "<", "<=", "=~", "!~": return ConditionToken(kind: .comparator, text: sign)
        case "?", ":", "??": return ConditionToken(kind: .ternary, text: sign)
        default: break
        }
        throw fault("Invalid token: '\(sign)'")
    }

    /// Quoted texts that look like a time are one.
    private static func seconds(of text: String) -> Double? {
        for layout in layouts {
            if let moment = GoLayout.read(text, layout) { return Double(moment.seconds) }
        }
        return nil
    }

    private static let layouts = [
        "Mon Jan _2 15:04:05 2006", "Mon Jan _2 15:04:05 MST 2006", "Mon Jan 02 15:04:05 -0700 2006", "3:04PM",
        "2006-01-02T15:04:05Z07:00", "2006-01-02", "2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02 15:04:05-07:00",
        "2006-01-02T15Z0700", "2006-01-02T15:04Z0700", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05.999999999Z0700",
    ]
}
