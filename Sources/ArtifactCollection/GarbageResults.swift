import Documents
import Synchronization
import SystemSupport

/// What has become of each artifact of a task. Safe to use from several threads.
final class GarbageResults: Sendable {
    enum Outcome: Sendable {
        case deleted
        case failed(String)
    }

    /// Bytes of all errors together: the object must stay below the API server's limit.
    private static let errorBudget = 256 << 10

    private let outcomes: Mutex<[Outcome?]>

    init(count: Int) { outcomes = Mutex(Array(repeating: nil, count: count)) }

    func set(_ index: Int, _ outcome: Outcome) { outcomes.withLock { $0[index] = outcome } }

    func hasOutcome(_ index: Int) -> Bool { outcomes.withLock { $0[index] != nil } }

    var deleted: Int { outcomes.withLock { $0.count { if case .deleted? = $0 { true } else { false } } } }

    var failed: Int { outcomes.withLock { $0.count { if case .failed? = $0 { true } else { false } } } }

    /// The merge patch of the task's status (contract 04 §6): all nodes, and the artifacts that have an outcome.
    func patch(_ task: GarbageTask) -> JSONValue {
        let outcomes = outcomes.withLock { $0 }
        let errorLimit = max(100, Self.errorBudget / max(1, failed))
        var nodes = task.nodes.map { (name: $0, results: JSONObject()) }
        for (item, outcome) in zip(task.items, outcomes) {
            var result: JSONObject = ["name": .string(item.name)]
            switch outcome {
            case .deleted:
                result["success"] = true
                if item.hadError { result["error"] = .null }
            case .failed(let text): result["error"] = .string(Self.cut(text, errorLimit))
            case nil: continue
            }
            nodes[item.node].results[item.name] = .object(result)
        }
        let byNode = nodes.map {
            ($0.name, JSONValue.object($0.results.isEmpty ? [:] : ["artifactResults": .object($0.results)]))
        }
        return ["status": ["artifactResultsByNode": .object(JSONObject(byNode))]]
    }

    private static func cut(_ text: String, _ limit: Int) -> String {
        text.utf8.count <= limit ? text : String(decoding: text.utf8.prefix(limit), as: UTF8.self) + "…"
    }
}
