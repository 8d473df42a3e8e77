extension JSONValue {
    /// The value as a YAML document in block style, which any YAML 1.1 or 1.2 reader takes for this very value.
    ///
    /// Texts stand plain where they can, as literal blocks where they have several lines, else in double quotes.
    package func yaml() -> [UInt8] {
        var writer = YAMLWriter()
        writer.document(self)
        return writer.output
    }

    /// Several documents, each after a line of `---`.
    package static func yaml(documents: [JSONValue]) -> [UInt8] {
        documents.flatMap { Array("---\n".utf8) + $0.yaml() }
    }
}

private struct YAMLWriter {
    var output: [UInt8] = []

    mutating func document(_ value: JSONValue) {
        switch value {
        case .object(let object) where !object.isEmpty: members(object, indent: 0, isInline: false)
        case .array(let elements) where !elements.isEmpty: self.elements(elements, indent: 0)
        default: scalar(value, indent: 0)
        }
    }

    private mutating func put(_ text: String) { output += text.utf8 }

    private mutating func pad(_ indent: Int) { output += repeatElement(UInt8(ascii: " "), count: indent) }

    /// - Parameter isInline: whether the first member follows a dash on the same line.
    private mutating func members(_ object: JSONObject, indent: Int, isInline: Bool) {
        for (index, member) in object.members.enumerated() {
            if index > 0 || !isInline { pad(indent) }
            key(member.name, indent: indent)
            switch member.value {
            case .object(let inner) where !inner.isEmpty:
                put("\n")
                members(inner, indent: indent + 2, isInline: false)
            case .array(let inner) where !inner.isEmpty:
                put("\n")
                elements(inner, indent: indent)
            default:
                put(" ")
                scalar(member.value, indent: indent)
            }
        }
    }

    /// A member's name with its colon. Readers look for the colon no farther than 1024 characters, unless a question mark says that
    /// there is one.
    private mutating func key(_ name: String, indent: Int) {
        let text = YAMLText.isPlain(name) ? name : YAMLText.quoted(name)
        guard text.unicodeScalars.count > 1000 else { return put(text + ":") }
        put("? \(text)\n")
        pad(indent)
        put(":")
    }

    private mutating func elements(_ elements: [JSONValue], indent: Int) {
        for element in elements {
            pad(indent)
            put("-")
            switch element {
            case .object(let inner) where !inner.isEmpty:
                put(" ")
                members(inner, indent: indent + 2, isInline: true)
            case .array(let inner) where !inner.isEmpty:
                put("\n")
                self.elements(inner, indent: indent + 2)
            default:
                put(" ")
                scalar(element, indent: indent)
            }
        }
    }

    private mutating func scalar(_ value: JSONValue, indent: Int) {
        switch value {
        case .null: put("null")
        case .bool(let flag): put(flag ? "true" : "false")
        case .number(let number): put(YAMLText.number(number.text))
        case .array: put("[]")
        case .object: put("{}")
        case .string(let text):
            if YAMLText.isPlain(text) {
                put(text)
            } else if let header = YAMLText.literalHeader(text) {
                literal(text, header, indent: indent + 2)
                return
            } else {
                put(YAMLText.quoted(text))
            }
        }
        put("\n")
    }

    private mutating func literal(_ text: String, _ header: String, indent: Int) {
        put(header)
        put("\n")
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last == "" { lines.removeLast() }
        for line in lines {
            if !line.isEmpty { pad(indent) }
            output += line.utf8
            put("\n")
        }
    }
}

/// How a text may be written in YAML.
private enum YAMLText {
    /// Whether it may stand without quotes, in a block, as key and as value.
    ///
    /// Readers disagree on what a plain scalar is: dates, numbers of other bases, to the base 60 or with separators, booleans of one
    /// or of many letters, symbols. So only what no reader has a type for stays plain, and some texts are quoted without need.
    static func isPlain(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, let last = bytes.last, last != 0x20, last != UInt8(ascii: ":") else { return false }
        if words.contains(text.lowercased()) { return false }
        let second = bytes.count > 1 ? bytes[1] : 0
        switch first {
        case UInt8(ascii: "-"):
            // `-c` and `--flag`, but not `- a`, `-1`, `-.inf` or the `---` of a document.
            guard isLetter(second) || second == UInt8(ascii: "-") && bytes.count > 2 && isLetter(bytes[2]) else { return false }
        case UInt8(ascii: "."):
            // `./file` and `../file`, but not `.5`, `.inf` or the `...` of a document.
            guard text.hasPrefix("./") || text.hasPrefix("../") else { return false }
        case UInt8(ascii: "/"), UInt8(ascii: "_"), UInt8(ascii: "$"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\\"),
            UInt8(ascii: ";"), UInt8(ascii: "^"):
            break
        default: guard isLetter(first) || first >= 0x80 else { return false }
        }
        for (byte, next) in zip(bytes, bytes.dropFirst()) {
            if byte == UInt8(ascii: ":"), next == 0x20 { return false }
            if byte == 0x20, next == UInt8(ascii: "#") { return false }
        }
        return text.unicodeScalars.allSatisfy { isPrintable($0) && !isBlank($0) } && YAMLScalars.isPlainString(text)
    }

    /// Words, in small letters, that some reader takes for a boolean, for nothing or for a number.
    private static let words: Set<String> = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf",
    ]

    /// Blanks beside the plain one, and marks that are not seen: a reader may strip them at either end.
    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x80...0xBF, 0x1680, 0x2000...0x206F, 0x3000: true
        default: false
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E, 0xA0...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF:
            ![0x2028, 0x2029, 0xFEFF].contains(scalar.value)
        default: false
        }
    }

    /// `|`, `|-` or `|+`; nil where a literal block could not hold the text.
    static func literalHeader(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        guard bytes.contains(0x0A), let first = bytes.first, ![0x0A, 0x20, 0x09].contains(first) else { return nil }
        guard text.unicodeScalars.allSatisfy({ $0 == "\n" || $0 == "\t" || isPrintable($0) }) else { return nil }
        // White space alone at the end would be taken for the block's end.
        let trailing = bytes.reversed().prefix { $0 == 0x0A || $0 == 0x20 || $0 == 0x09 }
        if trailing.contains(where: { $0 != 0x0A }) { return nil }
        return trailing.isEmpty ? "|-" : trailing.count == 1 ? "|" : "|+"
    }

    /// JSON's number as YAML 1.1 wants it: an exponent goes with a point and a sign, or `1e3` is text.
    static func number(_ text: String) -> String {
        guard let mark = text.firstIndex(where: { $0 == "e" || $0 == "E" }) else { return text }
        let mantissa = text[..<mark]
        let exponent = text[text.index(after: mark)...]
        let isSigned = exponent.hasPrefix("+") || exponent.hasPrefix("-")
        return mantissa + (mantissa.contains(".") ? "" : ".0") + "e" + (isSigned ? "" : "+") + exponent
    }

    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case let scalar where isPrintable(scalar): result.unicodeScalars.append(scalar)
            case let scalar:
                let digits = String(scalar.value, radix: 16)
                let width = scalar.value < 0x100 ? 2 : 4
                result += (width == 2 ? "\\x" : "\\u") + String(repeating: "0", count: width - digits.count) + digits
            }
        }
        return result + "\""
    }
}
