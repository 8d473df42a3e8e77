import ExpressionValues

/// Texts taken apart into words, by changes of case and by digits: `HTTPServer`, `Bld4Floor3rd`.
enum WordCase {
    private enum Kind { case end, number, upper, letters, connector, sign, other }

    private static func kind(_ scalar: Unicode.Scalar) -> Kind {
        if scalar == "-" || scalar == "_" || Characters.isSpace(scalar) { return .connector }
        switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation,
            .otherPunctuation:
            return .sign
        case .uppercaseLetter: return .upper
        case .decimalNumber, .letterNumber, .otherNumber: return .number
        default: return Characters.isLetter(scalar) ? .letters : .other
        }
    }

    /// The next word: `HTTPStatus` gives `HTTP` and `Status`.
    private static func next(_ rest: inout ArraySlice<Unicode.Scalar>) -> (kind: Kind, word: ArraySlice<Unicode.Scalar>) {
        guard let first = rest.first else { return (.end, []) }
        let kind = kind(first)
        var length = rest.prefix { self.kind($0) == kind }.count
        if kind == .upper {
            let follows = rest.dropFirst(length).first.map { self.kind($0) }
            if follows == .letters {
                // The last one begins a word with what follows.
                length = length > 1 ? length - 1 : 1 + rest.dropFirst().prefix { self.kind($0) == .letters }.count
            }
        }
        defer { rest = rest.dropFirst(length) }
        return (kind, rest.prefix(length))
    }

    /// In lower case with a connector between words: `FirstName` is `first_name`, `HTTP20xOK` is `http_20x_ok`.
    static func joined(_ text: String, by connector: Unicode.Scalar) -> String {
        var rest = Array(text.unicodeScalars)[...]
        var output = String.UnicodeScalarView()
        func write(_ part: (kind: Kind, word: ArraySlice<Unicode.Scalar>)) {
            for scalar in part.word { output.append(part.kind == .connector ? connector : Bytes.lower(scalar)) }
        }
        func connect(before kind: Kind) { if ![.end, .connector, .sign].contains(kind) { output.append(connector) } }
        var part = next(&rest)
        /// Letters and digits that go on the word behind a number.
        func writeTail() {
            while part.kind == .letters || part.kind == .number {
                write(part)
                part = next(&rest)
            }
        }
        while !rest.isEmpty {
            let before = part
            if before.kind != .connector { write(before) }
            part = next(&rest)
            switch before.kind {
            case .number:
                writeTail()
                connect(before: part.kind)
            case .connector: write(before)
            case .sign: break
            default:
                guard part.kind == .number else {
                    connect(before: part.kind)
                    break
                }
                if rest.isEmpty { break }
                let number = part
                part = next(&rest)
                if part.kind != .letters {
                    // The number belongs to the word before.
                    write(number)
                    connect(before: part.kind)
                } else {
                    output.append(connector)
                    write(number)
                    writeTail()
                    connect(before: part.kind)
                }
            }
        }
        write(part)
        return String(output)
    }

    /// Each word with a first letter in upper case and the rest in lower case, without gaps: `some_words` is `SomeWords`.
    static func pascal(_ text: String) -> String {
        var scalars = Array(text.unicodeScalars)[...]
        var output = String.UnicodeScalarView()
        while let first = scalars.first, kind(first) == .connector {
            output.append(first)
            scalars.removeFirst()
        }
        guard let first = scalars.popFirst() else { return String(output) }
        var held = Bytes.upper(first)
        while let scalar = scalars.popFirst() {
            let isGap = kind(held) == .connector
            if isGap, kind(scalar) == .connector {
                output.append(held)
                held = scalar
            } else if isGap {
                held = Bytes.upper(scalar)
            } else {
                output.append(held)
                held = Bytes.lower(scalar)
            }
        }
        output.append(held)
        return String(output)
    }
}
