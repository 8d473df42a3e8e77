package import Documents
package import WorkflowModel

extension TemplateKind {
    /// The kinds whose fields a template has; a valid one has exactly one.
    package static func present(in template: JSONValue) -> [TemplateKind] {
        fields.filter { !(template[$0.0]?.isNull ?? true) }.map(\.1)
    }

    /// The field that makes a template of this kind.
    package var fieldName: String { Self.fields.first { $0.1 == self }?.0 ?? "" }

    /// Whether a pod is run for a template of this kind.
    package var isPod: Bool {
        switch self {
        case .container, .containerSet, .script, .resource, .data: true
        case .steps, .dag, .suspend, .http, .plugin, .unknown: false
        }
    }

    /// Without a template's fields of all kinds but this one.
    package func removingOthers(from template: JSONObject) -> JSONObject {
        var result = template
        for (name, kind) in Self.fields where kind != self { result[name] = nil }
        return result
    }
}
