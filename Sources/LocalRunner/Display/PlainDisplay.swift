import SystemSupport
import WorkflowEngine
import WorkflowPlanning

/// Lines, one after the other: for files, pipes and terminals that can do no more.
final class PlainDisplay: RunDisplay {
    let log: Log
    private let write: ([UInt8]) -> Void
    /// How each node stood when it was last told of.
    private var known: [String: NodePhase] = [:]
    private var names = NodeLabels()
    private var notes = ExecutorNotes()

    init(log: Log, write: @escaping ([UInt8]) -> Void) {
        self.log = log
        self.write = write
    }

    var nextRefresh: Int64? { nil }

    func begin(name: String, folder: BytePath) {}

    func note(_ text: String) { say(text) }

    func show(_ run: WorkflowRun) {
        for node in run.allNodes where known[node.id] != node.phase {
            known[node.id] = node.phase
            guard [.pod, .suspend, .skipped].contains(node.type) else { continue }
            let label = names.label(of: node, in: run)
            switch node.phase {
            case .pending: continue
            case .running: say("\(label): started")
            default:
                let time = node.finishedAt.map { " (\(durationText(nanoseconds(from: node.startedAt, to: $0))))" } ?? ""
                say("\(label): \(node.phase.rawValue)\(time)" + (node.message.isEmpty ? "" : ": \(node.message)"))
            }
        }
    }

    func line(node: Node?, container: String, isExecutor: Bool, _ bytes: [UInt8]) {
        let label = node.map { names.known($0) } ?? ""
        if isExecutor {
            if let text = notes.text(of: bytes, from: "\(label) \(container)") { say(text) }
            return
        }
        write(Array("\(label)\(container == "main" ? "" : " \(container)") | ".utf8) + bytes + [0x0A])
    }

    private func say(_ text: String) { write(Array((text + "\n").utf8)) }
}
