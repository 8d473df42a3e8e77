/// A JSON document or a part of one. Member order and the text of numbers are kept.
package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// The text, when this is a string.
    package var string: String? { if case .string(let text) = self { text } else { nil } }

    /// The number, when this is one written as a plain integer that fits.
    package var int: Int64? { if case .number(let number) = self { number.int64 } else { nil } }

    /// The truth value, when this is one.
    package var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }

    /// The elements, when this is an array.
    package var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }

    /// The members, when this is an object.
    package var object: JSONObject? { if case .object(let object) = self { object } else { nil } }

    package var isNull: Bool { if case .null = self { true } else { false } }

    /// What kind of value this is, for messages: `null`, `boolean`, `number`, `string`, `array` or `object`.
    package var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    /// The member of exactly this name, where this is an object.
    ///
    /// Setting nil removes the member. Setting a member of something that is no object replaces it by an object.
    package subscript(name: String) -> JSONValue? {
        get { object?[name] }
        set {
            var object = object ?? JSONObject()
            // Let go of the old storage first, so that the members are changed in place.
            self = .null
            object[name] = newValue
            self = .object(object)
        }
    }

    /// The member that Go's reader would take for this field (`JSONObject.field`).
    package func field(_ name: String) -> JSONValue? { object?.field(name) }

    package static func integer(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }
}

extension JSONValue: Equatable {
    /// Whether both mean the same document: strings by bytes, numbers by their text, members in whatever order.
    package static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.number(let a), .number(let b)): a == b
        case (.string(let a), .string(let b)): hasSameBytes(a, b)
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)): a == b
        default: false
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .number(JSONNumber(value)) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(JSONObject(elements)) }
}
