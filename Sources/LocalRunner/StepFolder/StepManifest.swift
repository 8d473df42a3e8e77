import Documents
import FileTrees
import Glibc
import PodBuilding
import SystemSupport
import WorkflowModel

/// What a step's folder holds, in its `manifest.json`: the step itself and the inputs that were staged.
struct StepManifest {
    let step: StepPod
    /// `name`, `path` and `file` of each.
    let inputs: [JSONValue]

    static let name: BytePath = "manifest.json"
    /// Bytes; the inputs' own values may be in it.
    private static let limit = 64 << 20

    init(step: StepPod, inputs: [JSONValue]) {
        self.step = step
        self.inputs = inputs
    }

    /// Reads a folder's manifest; nil where it has none.
    ///
    /// - Throws: `ExecutorError` for one that cannot be understood, `SystemError`.
    init?(in folder: BytePath) throws {
        let file = folder.appending(Self.name)
        guard let bytes = try Self.read(in: folder) else { return nil }
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

    private static func read(in folder: BytePath) throws(SystemError) -> [UInt8]? {
        do { return try SharedPlace(folder).readIfPresent(name, limit: limit) } catch  where error.code == ENOENT { return nil }
    }

    func write(in folder: SharedPlace) throws {
        try folder.write(Self.name, document.serialized() + [0x0A], mode: 0o644)
    }
}
