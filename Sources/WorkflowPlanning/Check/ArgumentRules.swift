package import Documents
import SystemSupport
import WorkflowModel

/// What makes an argument complete.
package enum ArgumentRules {
    /// What is wrong with a parameter given as argument; nil for nothing.
    package static func problem(with parameter: JSONValue, settings: RunSettings) -> String? {
        let source = parameter["valueFrom"].flatMap { $0.isNull ? nil : $0 }
        let value = parameter["value"].flatMap { AnyString.text(of: $0) }
        guard let source else {
            guard let value else { return "has no value" }
            return choiceProblem(value, parameter)
        }
        if value != nil { return choiceProblem(value ?? "", parameter) }
        if source["supplied"] != nil { return "has no value" }
        guard let selector = source["configMapKeyRef"], !selector.isNull else {
            // What is not supported at all is refused by its field.
            if ["event", "expression", "jsonPath", "jqFilter"].contains(where: { source[$0] != nil }) { return nil }
            return "uses a valueFrom that arguments do not support; use configMapKeyRef or supplied"
        }
        let name = selector["name"]?.string ?? ""
        let key = selector["key"]?.string ?? ""
        if name.contains("{{") || key.contains("{{") || source["default"] != nil { return nil }
        return settings.configMapValue(name, key) == nil
            ? "needs key '\(key)' of config map '\(name)', which is not there"
                + (settings.configMapPlace.map { " (\($0(name)))" } ?? "")
            : nil
    }

    private static func choiceProblem(_ value: String, _ parameter: JSONValue) -> String? {
        guard let choices = parameter["enum"]?.array, !value.contains("{{") else { return nil }
        if choices.isEmpty { return nil }
        let texts = choices.compactMap { AnyString.text(of: $0) }
        return texts.contains(value) ? nil : "has the value '\(value)', but must be one of: \(texts.joined(separator: ", "))"
    }

    /// Whether an artifact says where it is to be found.
    package static func hasSource(_ artifact: JSONValue) -> Bool {
        !(artifact["from"]?.string ?? "").isEmpty || hasLocationOrKey(artifact)
    }

    package static func hasLocationOrKey(_ artifact: JSONValue) -> Bool {
        (try? ArtifactLocation(document: artifact))?.hasLocationOrKey ?? false
    }
}
