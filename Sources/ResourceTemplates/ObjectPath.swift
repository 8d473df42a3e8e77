import Documents

/// A dotted path into an object, as conditions are written: `status.conditions.0.type`. A number is an element of an array, and the
/// name of a member elsewhere.
///
/// It finds what gjson finds by the paths that a condition may have (contract 02 §7): label keys have no letter with another
/// meaning to gjson.
struct ObjectPath: Sendable, Equatable {
    let text: String

    init(_ text: String) { self.text = text }

    /// The value at this path as text; nil where there is none. A null is the empty text.
    func text(in object: JSONValue) -> String? {
        var value = object
        for part in text.split(separator: ".", omittingEmptySubsequences: false) {
            let name = String(part)
            switch value {
            case .object(let members):
                guard let member = members[name] else { return nil }
                value = member
            case .array(let elements):
                guard !name.isEmpty, name.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let index = Int(name),
                    elements.indices.contains(index)
                else { return nil }
                value = elements[index]
            default: return nil
            }
        }
        return Self.text(of: value)
    }

    /// Numbers that are written as integers keep their digits, others are written out without an exponent; objects and arrays are
    /// JSON.
    private static func text(of value: JSONValue) -> String {
        switch value {
        case .null: return ""
        case .bool(let flag): return flag ? "true" : "false"
        case .string(let text): return text
        case .number(let number):
            let isInteger = number.text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }
            if isInteger { return number.text }
            return number.double.map(DecimalText.plain) ?? number.text
        case .array, .object: return value.serializedText()
        }
    }
}
