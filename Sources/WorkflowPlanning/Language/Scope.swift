package import Documents
import SystemSupport

/// What tags and references stand for while a template's steps or tasks run: the template's inputs, and the steps or tasks by their
/// names.
package struct Scope: Sendable {
    /// A step or task that may be spoken of.
    package enum Member: Sendable {
        case node(String)
        /// A loop: the node that stands for all its calls, and their nodes in order.
        case loop(String, calls: [String])
    }

    /// `steps` or `tasks`.
    package let word: String
    package private(set) var inputs: [String: String] = [:]
    package private(set) var artifacts: [String: JSONObject] = [:]
    private var members: [String: Member] = [:]
    /// In the order of their coming.
    package private(set) var names: [String] = []

    package init(_ template: JSONObject, word: String) {
        self.word = word
        let inputs = template["inputs"]
        for parameter in inputs?["parameters"]?.array ?? [] {
            self.inputs["inputs.parameters.\(parameter["name"]?.string ?? "")"] = parameter["value"]?.string ?? ""
        }
        for artifact in inputs?["artifacts"]?.array ?? [] {
            artifacts["inputs.artifacts.\(artifact["name"]?.string ?? "")"] = artifact.object
        }
    }

    package mutating func add(_ name: String, _ member: Member) {
        if members[name] == nil { names.append(name) }
        members[name] = member
    }

    package func member(_ name: String) -> Member? { members[name] }

    /// The member that a tag speaks of, and what it asks of it: `steps.NAME.REST`.
    package func member(of tag: String) -> (member: Member, name: String, rest: Substring)? {
        guard tag.hasPrefix(word), tag.dropFirst(word.count).first == "." else { return nil }
        let path = tag.dropFirst(word.count + 1)
        guard let end = path.firstIndex(of: ".") else { return nil }
        let name = String(path[..<end])
        guard let member = members[name] else { return nil }
        return (member, name, path[path.index(after: end)...])
    }
}

/// What can be asked of a step or task beside its outputs.
package enum NodeField: String, CaseIterable, Sendable {
    case id, status, startedAt, finishedAt, hostNodeName, ip, exitCode

    /// Those that every node has, whatever it runs.
    package static let general: [NodeField] = [.id, .status, .startedAt, .finishedAt, .hostNodeName]
}
