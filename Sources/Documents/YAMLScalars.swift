/// What a YAML scalar means, by the rules of the parser behind the controller and its tools (goyaml v2: YAML 1.1 without numbers
/// to the base 60, and with timestamps left as text). But the single letters `y` and `n` stay text, as most other parsers have it:
/// they are names of parameters and not meant as booleans.
enum YAMLScalars {
    struct Unreadable: Error {
        let reason: String
    }

    /// The value of a scalar.
    static func value(_ scalar: YAMLScalar) throws(Unreadable) -> JSONValue {
        guard let tag = scalar.tag.map(short), tag != "!" else {
            return scalar.isPlain ? try plain(scalar.text) : .string(scalar.text)
        }
        switch tag {
        case "!!str": return .string(scalar.text)
        case "!!binary": throw Unreadable(reason: "binary values are not supported")
        case "!!bool", "!!int", "!!float", "!!null", "!!timestamp":
            let value = try plain(scalar.text)
            let fits =
                switch value {
                case .bool: tag == "!!bool"
                case .null: tag == "!!null"
                case .number(let number): tag == "!!float" || tag == "!!int" && number.text.utf8.allSatisfy(isIntegral)
                case .string(let text): tag == "!!timestamp" && isTimestamp(text)
                case .array, .object: false
                }
            if !fits { throw Unreadable(reason: "'\(scalar.text)' is no \(tag)") }
            return value
        default: return .string(scalar.text)
        }
    }

    /// Whether a plain scalar of this text would be read as this very text.
    static func isPlainString(_ text: String) -> Bool {
        guard !letters.contains(text), let value = try? plain(text), case .string = value else { return false }
        return true
    }

    /// The name of a member whose key resolves to this value; nil where it can be none.
    ///
    /// `yes: 1` has the name `true`, as it has for the controller.
    static func key(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .number(let number):
            number.int64.map(String.init) ?? (number.text.utf8.allSatisfy(isIntegral) ? nil : number.double.flatMap(floatKey))
        case .null, .array, .object: nil
        }
    }

    private static func short(_ tag: String) -> String {
        let prefix = "tag:yaml.org,2002:"
        return tag.hasPrefix(prefix) ? "!!" + tag.dropFirst(prefix.count) : tag
    }

    private static func isIntegral(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-") }

    private static let words: [String: JSONValue] = [
        "yes": true, "Yes": true, "YES": true, "true": true, "True": true, "TRUE": true, "on": true,
        "On": true, "ON": true, "no": false, "No": false, "NO": false, "false": false, "False": false,
        "FALSE": false, "off": false, "Off": false, "OFF": false, "": .null, "~": .null, "null": .null, "Null": .null,
        "NULL": .null,
    ]

    /// Booleans to some readers, text to others: never written plain.
    private static let letters: Set<String> = ["y", "Y", "n", "N"]

    private static let unwritable: Set<String> = [
        ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF",
    ]

    private static func plain(_ text: String) throws(Unreadable) -> JSONValue {
        if let word = words[text] { return word }
        if unwritable.contains(text) { throw Unreadable(reason: "JSON has no number '\(text)'") }
        guard let first = text.utf8.first else { return .null }
        switch first {
        case UInt8(ascii: "."): return float(text).map { .number($0) } ?? .string(text)
        case 0x30...0x39, UInt8(ascii: "+"), UInt8(ascii: "-"):
            if isTimestamp(text) { return .string(text) }
            let digits = text.filter { $0 != "_" }
            return (integer(digits) ?? float(digits)).map { .number($0) } ?? .string(text)
        default: return .string(text)
        }
    }

    /// An integer as Go writes them: a sign, then `0x`, `0o`, `0` (octal) or `0b` before the digits, or none. Signed or not, of 64
    /// bits.
    private static func integer(_ text: String) -> JSONNumber? {
        var digits = Substring(text)
        let sign = digits.first == "-" || digits.first == "+" ? String(digits.removeFirst()) : ""
        var radix = 10
        if digits.first == "0", digits.count > 1 {
            digits.removeFirst()
            switch digits.first {
            case "x", "X": radix = 16
            case "b", "B": radix = 2
            case "o", "O": radix = 8
            default: radix = 8
            }
            if let letter = digits.first, letter.isLetter { digits.removeFirst() }
        }
        // The standard library would take a sign here too.
        guard let first = digits.first, first.isHexDigit else { return nil }
        if let value = Int64(sign + digits, radix: radix) { return JSONNumber(value) }
        guard sign.isEmpty, let value = UInt64(digits, radix: radix) else { return nil }
        return JSONNumber(unchecked: String(value))
    }

    /// A decimal float: an optional sign, digits with at most one point, an optional exponent. Nil for others and for what
    /// overflows.
    private static func float(_ text: String) -> JSONNumber? {
        var rest = Array(text.utf8)[...]
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        let whole = rest.prefix(while: isDigit).count
        rest = rest.dropFirst(whole)
        var fraction = 0
        let hasPoint = rest.first == UInt8(ascii: ".")
        if hasPoint {
            rest.removeFirst()
            fraction = rest.prefix(while: isDigit).count
            rest = rest.dropFirst(fraction)
        }
        if whole + fraction == 0 { return nil }
        if let letter = rest.first, letter | 0x20 == UInt8(ascii: "e") {
            rest.removeFirst()
            if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
            let exponent = rest.prefix(while: isDigit).count
            if exponent == 0 { return nil }
            rest = rest.dropFirst(exponent)
        }
        guard rest.isEmpty, let value = Double(text) else { return nil }
        return JSONNumber(value)
    }

    /// Go's four layouts of a date, with or without a time: such a scalar stays the text it was.
    static func isTimestamp(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count > 4, bytes[4] == UInt8(ascii: "-"), bytes[..<4].allSatisfy({ (0x30...0x39).contains($0) }) else {
            return false
        }
        // Nothing that goes on like this is a number: whether it is a real date makes no difference to the result.
        return true
    }

    /// As Go prints a 32-bit float with the fewest digits; nil where that takes an exponent.
    private static func floatKey(_ value: Double) -> String? {
        guard value == 0 || value.magnitude >= 1e-4 && value.magnitude < 1e6 else { return nil }
        return DecimalText.plain(Double(Float(value).description) ?? value)
    }
}
