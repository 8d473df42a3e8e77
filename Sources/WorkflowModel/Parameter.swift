package import Documents

/// An output parameter of a template (contract 04 §4).
package struct Parameter: Sendable, Equatable {
    /// The parameter as it is reported: the template's own object, with the value once there is one.
    package private(set) var document: JSONValue
    package let name: String
    /// Empty differs from absent.
    package private(set) var value: String?
    package let defaultValue: String?
    package let valueFrom: ValueFrom?
    package let globalName: String

    /// Where a parameter's value comes from.
    package struct ValueFrom: Sendable, Equatable {
        /// A file in the user's container; empty for other sources.
        package let path: String
        package let jsonPath: String
        package let jqFilter: String
        package let event: String
        package let parameter: String
        package let expression: String
        /// Whether the value is to be supplied from outside.
        package let isSupplied: Bool
        /// Empty differs from absent.
        package let defaultValue: String?
    }

    /// - Throws: `ModelError` where a field is of the wrong kind.
    package init(document: JSONValue) throws(ModelError) { try self.init(try Fields(document, "parameter")) }

    init(_ fields: Fields) throws(ModelError) {
        name = try fields.string("name")
        value = fields.anyString("value")
        defaultValue = fields.anyString("default")
        globalName = try fields.string("globalName")
        valueFrom = try fields.object("valueFrom") { (fields) throws(ModelError) in try ValueFrom(fields) }
        document = .object(Self.normalized(fields.object))
    }

    /// The same parameter with its value.
    package func withValue(_ value: String) -> Parameter {
        var changed = self
        changed.value = value
        var object = document.object ?? JSONObject()
        object.setField("value", to: .string(value))
        changed.document = .object(object)
        return changed
    }

    /// What may be written as number or truth value becomes text, nulls go, the name is always there.
    private static func normalized(_ object: JSONObject) -> JSONObject {
        var result = JSONObject()
        for member in object.members where !member.value.isNull {
            result[member.name] = member.value
        }
        for name in ["value", "default", "description"] { textualize(name, in: &result) }
        if let choices = result.field("enum")?.array {
            // An empty list is left out, as Go does: the API server asks for at least one.
            if choices.isEmpty {
                result.removeField("enum")
            } else {
                result.setField("enum", to: .array(choices.map { .string(AnyString.text(of: $0) ?? "") }))
            }
        }
        if var source = result.field("valueFrom")?.object {
            textualize("default", in: &source)
            result.setField("valueFrom", to: .object(source))
        }
        if result.field("name") == nil { result["name"] = "" }
        return result
    }

    private static func textualize(_ name: String, in object: inout JSONObject) {
        guard let value = object.field(name) else { return }
        if let text = AnyString.text(of: value) { object.setField(name, to: .string(text)) } else { object.removeField(name) }
    }
}

extension Parameter.ValueFrom {
    fileprivate init(_ fields: Fields) throws(ModelError) {
        path = try fields.string("path")
        jsonPath = try fields.string("jsonPath")
        jqFilter = try fields.string("jqFilter")
        event = try fields.string("event")
        parameter = try fields.string("parameter")
        expression = try fields.string("expression")
        isSupplied = fields.value("supplied") != nil
        defaultValue = fields.anyString("default")
    }
}
