/// Fields that a specification may give as text, number or truth value, and that are always written as text: parameter values,
/// defaults, enumerations, descriptions (contract 04 §4).
package enum AnyString {
    /// The text of a value: a number in plain decimal by way of a 64-bit float, `true` or `false`, empty for arrays and objects;
    /// nil for null.
    ///
    /// A number beyond the range of floats, which Go's reader would refuse, keeps its own text.
    package static func text(of value: JSONValue) -> String? {
        switch value {
        case .null: nil
        case .string(let text): text
        case .number(let number): number.double.map(DecimalText.plain) ?? number.text
        case .bool(let flag): flag ? "true" : "false"
        case .array, .object: ""
        }
    }
}

/// A field that is an integer or a text, such as `retries` (Kubernetes' IntOrString).
package enum IntOrString: Sendable, Equatable {
    case int(Int64)
    case string(String)

    /// Nil for anything but a plain integer or a string.
    package init?(_ value: JSONValue) {
        if let number = value.int {
            self = .int(number)
        } else if let text = value.string {
            self = .string(text)
        } else {
            return nil
        }
    }

    /// The integer, also one written as text; nil for other texts.
    package var int: Int64? {
        switch self {
        case .int(let number): number
        case .string(let text): Int64(text)
        }
    }
}
