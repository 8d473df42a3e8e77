import Documents
import SystemSupport

/// What tags and references stand for while a template's steps or tasks run: the template's inputs, and the nodes of the steps or
/// tasks by their names.
struct Scope: Sendable {
    /// `steps` or `tasks`.
    let word: String
    private(set) var texts: [String: String] = [:]
    private(set) var artifacts: [String: JSONObject] = [:]
    /// The ids of the nodes that may be spoken of.
    var members: [String: String] = [:]

    init(_ template: JSONObject, word: String) {
        self.word = word
        let inputs = template["inputs"]
        for parameter in inputs?["parameters"]?.array ?? [] {
            texts["inputs.parameters.\(parameter["name"]?.string ?? "")"] = parameter["value"]?.string ?? ""
        }
        for artifact in inputs?["artifacts"]?.array ?? [] {
            artifacts["inputs.artifacts.\(artifact["name"]?.string ?? "")"] = artifact.object
        }
    }

    /// The node that a tag speaks of, and what it asks of it: `steps.NAME.REST`.
    func member(of tag: String) -> (id: String, rest: Substring)? {
        guard tag.hasPrefix(word), tag.dropFirst(word.count).first == "." else { return nil }
        let path = tag.dropFirst(word.count + 1)
        guard let end = path.firstIndex(of: "."), let id = members[String(path[..<end])] else { return nil }
        return (id, path[path.index(after: end)...])
    }
}

extension WorkflowRun {
    /// The text that a tag stands for in a scope; nil for what is none of the scope's.
    func text(_ tag: String, in scope: Scope) -> String? {
        if let text = scope.texts[tag] { return text }
        if let name = tag.dropping("workflow.outputs.parameters.") {
            return outputs.output("parameters", name)?["value"]?.string
        }
        guard let (id, rest) = scope.member(of: tag), let node = nodes[id] else { return nil }
        switch rest {
        case "id": return node.id
        case "status": return node.phase.rawValue
        case "startedAt": return node.startedAt.rfc3339()
        case "finishedAt": return node.finishedAt?.rfc3339()
        case "hostNodeName": return node.type == .pod ? Self.hostName : nil
        case "exitCode": return node.outputs?["exitCode"]?.string
        case "outputs.result": return node.outputs?["result"]?.string
        default:
            return rest.dropping("outputs.parameters.").flatMap { node.outputs?.output("parameters", $0)?["value"]?.string }
        }
    }

    /// The cluster node that local pods are on.
    private static let hostName = "localhost"

    /// The artifact that a reference leads to.
    func artifact(_ tag: String, in scope: Scope) -> JSONObject? {
        if let artifact = scope.artifacts[tag] { return artifact }
        if let name = tag.dropping("workflow.outputs.artifacts.") { return outputs.output("artifacts", name)?.object }
        guard let (id, rest) = scope.member(of: tag), let name = rest.dropping("outputs.artifacts.") else { return nil }
        return nodes[id]?.outputs?.output("artifacts", name)?.object
    }
}

extension StringProtocol {
    /// What follows a beginning; nil where it does not begin so.
    fileprivate func dropping(_ prefix: String) -> String? { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil }
}

extension JSONObject {
    /// The output of a name among `parameters` or `artifacts`.
    fileprivate func output(_ kind: String, _ name: String) -> JSONValue? {
        self[kind]?.array?.first { $0["name"]?.string == name }
    }
}
