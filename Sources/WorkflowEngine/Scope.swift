import Documents
import ExecutorCore

/// What tags and references stand for while a template's steps or tasks run.
struct Scope {
    /// Parameters, results, states: by tag.
    private(set) var texts: [String: String] = [:]
    /// Artifacts, by tag.
    private(set) var artifacts: [String: JSONObject] = [:]

    /// What a template knows from the start: its inputs, and what the workflow has put out so far.
    init(inputsOf template: JSONObject, workflowOutputs: JSONObject) {
        let inputs = template["inputs"]
        for parameter in inputs?["parameters"]?.array ?? [] {
            texts["inputs.parameters.\(parameter["name"]?.string ?? "")"] = parameter["value"]?.string ?? ""
        }
        for artifact in inputs?["artifacts"]?.array ?? [] {
            artifacts["inputs.artifacts.\(artifact["name"]?.string ?? "")"] = artifact.object
        }
        add(outputs: workflowOutputs, prefix: "workflow")
    }

    /// What a node has become, under `steps.NAME` or `tasks.NAME`.
    mutating func add(_ node: Node, prefix: String) {
        texts["\(prefix).id"] = node.id
        texts["\(prefix).startedAt"] = node.startedAt.rfc3339()
        texts["\(prefix).finishedAt"] = node.finishedAt?.rfc3339()
        texts["\(prefix).status"] = node.phase.rawValue
        if node.type == .pod { texts["\(prefix).hostNodeName"] = Self.hostName }
        guard let outputs = node.outputs else { return }
        texts["\(prefix).outputs.result"] = outputs["result"]?.string
        texts["\(prefix).exitCode"] = outputs["exitCode"]?.string
        add(outputs: outputs, prefix: prefix)
    }

    /// The cluster node that local pods are on.
    static let hostName = "localhost"

    private mutating func add(outputs: JSONObject, prefix: String) {
        for parameter in outputs["parameters"]?.array ?? [] {
            guard let value = parameter["value"]?.string else { continue }
            texts["\(prefix).outputs.parameters.\(parameter["name"]?.string ?? "")"] = value
        }
        for artifact in outputs["artifacts"]?.array ?? [] {
            artifacts["\(prefix).outputs.artifacts.\(artifact["name"]?.string ?? "")"] = artifact.object
        }
    }
}
