import Documents
import SystemSupport
import WorkflowFiles
import WorkflowModel

/// What `podSpecPatch` of the workflow and of the template make of a pod's spec: before the emissary is put before the commands.
struct PodPatch: Sendable {
    private let texts: [String]

    init(template: Template, settings: PodSettings) {
        texts = [settings.spec.field("podSpecPatch"), template.document.field("podSpecPatch")].compactMap { $0?.string }
            .filter { !$0.isEmpty }
    }

    /// - Throws: `ExecutorError` for a text that is no mapping in YAML or JSON.
    func applied(to spec: JSONObject) throws -> JSONObject {
        var result = spec
        for text in texts {
            let patch: JSONObject
            do {
                let value = try YAMLReader.file(Array(text.utf8), name: "podSpecPatch").first?.value ?? .null
                guard let object = value.object else {
                    throw ExecutorError.badRequest("expected a mapping, found \(value.kindName)")
                }
                patch = object
            } catch { throw ExecutorError.wrapping("apply podSpecPatch", error) }
            result = StrategicMerge.mergePodSpec(result, patch)
        }
        return result
    }
}
