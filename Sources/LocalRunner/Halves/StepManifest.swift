import Documents
import ExecutorCore
import RunDirectory
import WorkflowModel

/// What a step's folder holds, in its `manifest.json`: the step itself and the inputs that were staged.
struct StepManifest {
    let step: StepPod
    /// `name`, `path` and `file` of each.
    let inputs: [JSONValue]

    static func file(in folder: BytePath) -> BytePath { folder.appending("manifest.json") }

    init(step: StepPod, inputs: [JSONValue]) {
        self.step = step
        self.inputs = inputs
    }

    /// Reads a folder's manifest; nil where it has none.
    ///
    /// - Throws: `ExecutorError` for one that cannot be understood, `SystemError`.
    init?(in folder: BytePath) throws {
        let file = Self.file(in: folder)
        guard let bytes = try AtomicFile.readIfPresent(file, limit: 64 << 20) else { return nil }
        do {
            let document = try JSONValue(parsing: bytes)
            let variables = (document["variables"]?.object?.members ?? []).compactMap { member in
                member.value.string.map { (member.name, $0) }
            }
            step = StepPod(
                template: try Template(document: document["template"] ?? .null),
                variables: Dictionary(variables, uniquingKeysWith: { $1 }))
            inputs = document["inputs"]?.array ?? []
        } catch { throw ExecutorError.wrapping("read \(file)", error) }
    }

    var document: JSONValue {
        let variables = step.variables.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.string($0.value)) }
        return [
            "template": step.template.document, "variables": .object(JSONObject(variables)), "inputs": .array(inputs),
        ]
    }

    func write(in folder: BytePath) throws {
        try AtomicFile.write(Self.file(in: folder), document.serialized() + [0x0A], mode: 0o644)
    }
}
