import SystemSupport
import WorkflowEngine
import WorkflowPlanning

/// What the loop of a run is told by its threads.
enum RunEvent: Sendable {
    case podStarted(nodeID: String)
    /// A line of a container's output, without its newline.
    case line(nodeID: String, container: String, isExecutor: Bool, bytes: [UInt8])
    case podFinished(nodeID: String, PodEnd)
    /// Somebody wants the run to end.
    case interrupted
    /// A line from the terminal; nil at the end of standard input.
    case typed(String?)
}

/// How a pod ended, and what is left of it.
struct PodEnd: Sendable {
    let result: PodResult
    /// `N/M` as reported last; empty for none.
    var progress = ""
    /// The folder where it was kept.
    let folder: BytePath?
    /// For a failed pod: the container to blame, and the last lines of its output.
    let failure: PodFailure?
}

/// The container of a failed pod that is to blame.
struct PodFailure: Sendable, Equatable {
    let container: String
    let exitCode: Int32
    /// The last that it printed; for one of the executor's own, what went wrong.
    let lines: [String]
    /// Whether it is one of the executor's own.
    var isExecutor = false
    /// For one of the executor's own: how the step's command ended; nil where it was not run.
    var commandExitCode: Int32?
}

/// Events on their way to the loop, in the order of their coming.
final class RunMailbox: Sendable {
    private let events = Monitor<[RunEvent]>([])

    func post(_ event: RunEvent) { events.update { $0.append(event) } }

    /// All that has come; waits for something until a time of `monotonicNanoseconds`, nil for as long as it takes.
    func take(until deadline: Int64?) -> [RunEvent] {
        func all(_ waiting: inout [RunEvent]) -> [RunEvent]? {
            if waiting.isEmpty { return nil }
            defer { waiting = [] }
            return waiting
        }
        guard let deadline else { return events.wait(all) }
        return events.wait(atMost: deadline - monotonicNanoseconds(), all) ?? []
    }
}
