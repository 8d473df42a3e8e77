import ExpressionValues
internal import SystemSupport

extension SprigCall {
    func texts() throws(Fault) -> Value? {
        switch function {
        case .trim: return .string(Bytes.trim(text(0)) { Characters.isSpace($0) })
        case .trimAll, .trimall: return .string(Bytes.trim(text(1), text(0)))
        case .trimPrefix: return .string(Bytes.trimPrefix(text(1), text(0)))
        case .trimSuffix: return .string(Bytes.trimSuffix(text(1), text(0)))
        case .upper: return .string(Bytes.upper(text(0)))
        case .lower: return .string(Bytes.lower(text(0)))
        case .trunc: return .string(truncated())
        case .substr: return .string(try part())
        case .repeat: return .string(try evaluator.repeated(text(1), integer(0)))
        case .nospace: return .string(String(text(0).unicodeScalars.filter { !Characters.isSpace($0) }.map { Character($0) }))
        case .contains: return .bool(Bytes.index(of: Array(text(0).utf8), in: Array(text(1).utf8)[...]) != nil)
        case .hasPrefix: return .bool(text(1).utf8.starts(with: text(0).utf8))
        case .hasSuffix:
            return .bool(
                text(1).utf8.count >= text(0).utf8.count && text(1).utf8.suffix(text(0).utf8.count).elementsEqual(text(0).utf8))
        case .quote, .squote, .cat: return .string(try joinedValues())
        case .indent, .nindent:
            guard (0...100_000).contains(integer(0)) else {
                throw Fault("strings: negative Repeat count, or one that is too large")
            }
            let margin = String(repeating: " ", count: integer(0))
            try evaluator.checkGrowth(of: text(1), by: margin)
            return .string((function == .nindent ? "\n" : "") + margin + Bytes.replace(text(1), "\n", by: "\n" + margin))
        case .replace:
            try evaluator.checkGrowth(of: text(2), by: text(1))
            return .string(Bytes.replace(text(2), text(0), by: text(1)))
        case .plural: return .string(integer(2) == 1 ? text(0) : text(1))
        case .toString: return .string(shown(values[0]))
        case .toStrings: return .strings(texts(of: values[0]))
        case .join: return try .string(joined(texts(of: values[1]), by: text(0)))
        case .sortAlpha: return .strings(texts(of: values[0]).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        case .splitList: return .strings(Bytes.split(text(1), by: text(0)) ?? [])
        case .split, .splitn:
            let limit = function == .splitn ? integer(1) : -1
            var map = ValueMap()
            for (place, part) in (Bytes.split(text(count - 1), by: text(0), limit: limit) ?? []).enumerated() {
                map.set(.string("_\(place)"), .string(part))
            }
            return .map(map)
        default: return nil
        }
    }

    func joined(_ parts: [String], by separator: String) throws(Fault) -> String {
        for part in parts { try evaluator.spend(1 + (part.utf8.count + separator.utf8.count) / 8) }
        return GoText.joined(parts, by: separator)
    }

    private func truncated() -> String {
        let (length, bytes) = (integer(0), Array(text(1).utf8))
        if length < 0, bytes.count + length > 0 { return Bytes.text(bytes[(bytes.count + length)...]) }
        return length >= 0 && bytes.count > length ? Bytes.text(bytes[..<length]) : text(1)
    }

    private func part() throws(Fault) -> String {
        let (start, end, bytes) = (integer(0), integer(1), Array(text(2).utf8))
        let range = start < 0 ? (0, end) : end < 0 || end > bytes.count ? (start, bytes.count) : (start, end)
        guard range.0 <= range.1, range.0 >= 0, range.1 <= bytes.count else {
            throw Fault("runtime error: slice bounds out of range [\(range.0):\(range.1)]")
        }
        return Bytes.text(bytes[range.0..<range.1])
    }

    private func joinedValues() throws(Fault) -> String {
        var parts: [String] = []
        for value in values {
            if case .null = value { continue }
            switch function {
            case .quote: parts.append(GoText.quoted(shown(value)))
            case .squote: parts.append("'\(GoText.shown(value))'")
            default: parts.append(GoText.shown(value))
            }
        }
        return try joined(parts, by: " ")
    }

    func casesAndWords() throws(Fault) -> Value? {
        switch function {
        case .title: return .string(afterGaps(text(0)) { Bytes.upper($0) })
        case .untitle: return .string(afterGaps(text(0)) { Bytes.lower($0) })
        case .initials:
            let scalars = Array(text(0).unicodeScalars)
            var output = String.UnicodeScalarView()
            for (place, scalar) in scalars.enumerated() where !Characters.isSpace(scalar) {
                if place == 0 || Characters.isSpace(scalars[place - 1]) { output.append(scalar) }
            }
            return .string(String(output))
        case .swapcase: return .string(swapped())
        case .snakecase: return .string(WordCase.joined(text(0), by: "_"))
        case .kebabcase: return .string(WordCase.joined(text(0), by: "-"))
        case .camelcase: return .string(WordCase.pascal(text(0)))
        case .abbrev: return .string(abbreviated(left: 0, width: integer(0), text(1)))
        case .abbrevboth: return .string(abbreviated(left: integer(0), width: integer(1), text(2)))
        case .wrap: return .string(try wrapped(text(1), by: "\n", breaksWords: false))
        case .wrapWith: return .string(try wrapped(text(2), by: text(1), breaksWords: true))
        case .shuffle: return .string(String(String.UnicodeScalarView(text(0).unicodeScalars.shuffled())))
        case .randAlpha, .randAlphaNum, .randNumeric, .randAscii: return .string(try random())
        default: return nil
        }
    }

    /// With each first letter behind a gap changed.
    private func afterGaps(_ text: String, _ change: (Unicode.Scalar) -> Unicode.Scalar) -> String {
        var isStart = true
        return Bytes.mapped(text) { scalar in
            defer {
                isStart =
                    function == .title
                    ? !(Characters.isLetter(scalar) || Characters.isDigit(scalar) || scalar == "_"
                        || scalar.value > 0x7F && !Characters.isSpace(scalar))
                    : Characters.isSpace(scalar)
            }
            return isStart ? change(scalar) : scalar
        }
    }

    /// Upper becomes lower case; lower becomes upper case, and title case behind a gap.
    private func swapped() -> String {
        Bytes.mapped(text(0)) { scalar in
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .titlecaseLetter: Bytes.lower(scalar)
            case .lowercaseLetter: Bytes.upper(scalar)
            default: scalar
            }
        }
    }

    private func abbreviated(left: Int, width: Int, _ text: String) -> String {
        if function == .abbrev ? width < 4 : width < 4 || left > 0 && width < 7 { return text }
        let bytes = Array(text.utf8)
        if bytes.count <= width { return text }
        var offset = min(max(left, 0), bytes.count)
        if bytes.count - offset < width - 3 { offset = bytes.count - (width - 3) }
        if offset <= 4 { return Bytes.text(bytes[..<(width - 3)]) + "..." }
        if width < 7 { return text }
        if offset + width - 3 < bytes.count { return "..." + Bytes.text(bytes[offset..<(offset + width - 6)]) + "..." }
        return "..." + Bytes.text(bytes[(bytes.count - (width - 3))...])
    }

    /// Lines of at most a width, broken at blanks.
    private func wrapped(_ text: String, by separator: String, breaksWords: Bool) throws(Fault) -> String {
        let bytes = Array(text.utf8)
        let width = max(1, integer(0))
        let line = separator.isEmpty ? "\n" : separator
        if bytes.isEmpty { return "" }
        try evaluator.checkGrowth(of: text, by: line)
        var output: [UInt8] = []
        var offset = 0
        while bytes.count - offset > width {
            if bytes[offset] == 0x20 {
                offset += 1
                continue
            }
            let end = min(offset + width + 1, bytes.count)
            if let blank = bytes[offset..<end].lastIndex(of: 0x20), blank >= offset {
                output += bytes[offset..<blank]
                output += line.utf8
                offset = blank + 1
            } else if breaksWords {
                output += bytes[offset..<(offset + width)]
                output += line.utf8
                offset += width
            } else if let blank = bytes[min(offset + width, bytes.count)...].firstIndex(of: 0x20) {
                output += bytes[offset..<blank]
                output += line.utf8
                offset = blank + 1
            } else {
                output += bytes[offset...]
                offset = bytes.count
            }
        }
        return Bytes.text(output + bytes[min(offset, bytes.count)...])
    }

    private func random() throws(Fault) -> String {
        guard (0...100_000).contains(integer(0)) else { throw Fault("sprig.\(function.rawValue): the count is out of range") }
        var set: [UInt8] = []
        switch function {
        case .randNumeric: set = Array(0x30...0x39)
        case .randAscii: set = Array(0x20...0x7E)
        default:
            set = Array(0x41...0x5A) + Array(0x61...0x7A)
            if function == .randAlphaNum { set += Array(0x30...0x39) }
        }
        return String(decoding: (0..<integer(0)).map { _ in set.randomElement() ?? 0x30 }, as: UTF8.self)
    }
}
