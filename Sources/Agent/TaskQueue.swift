import Documents
import SystemSupport

/// One node's task.
struct AgentTask: Sendable {
    let nodeID: String
    /// As in the task set.
    let template: JSONValue
}

/// Tasks that wait for a worker. Each node is taken in once, unless it asks to be worked on again.
final class TaskQueue: Sendable {
    private struct State: Sendable {
        var considered: Set<String> = []
        /// The first `head` of these have been taken.
        var waiting: [AgentTask?] = []
        var head = 0
        /// Tasks to be worked on again, by the time (monotonic nanoseconds) when that is due.
        var delayed: [(due: Int64, task: AgentTask)] = []
        var isStopped = false

        var earliest: Int64 { delayed.map(\.due).min() ?? .max }

        mutating func append(_ task: AgentTask) {
            if head > 1024, head * 2 > waiting.count {
                waiting.removeFirst(head)
                head = 0
            }
            waiting.append(task)
        }

        mutating func next(now: Int64) -> AgentTask? {
            while let index = delayed.firstIndex(where: { $0.due <= now }) { append(delayed.remove(at: index).task) }
            guard head < waiting.count else { return nil }
            defer {
                waiting[head] = nil
                head += 1
            }
            return waiting[head]
        }
    }

    private enum Step: Sendable {
        case work(AgentTask)
        case stop
        /// Another task is due earlier than was known.
        case lookAgain
    }

    private let state = Monitor(State())

    /// Takes in the tasks of nodes that are new.
    ///
    /// - Returns: how many were.
    @discardableResult
    func offer(_ tasks: [AgentTask]) -> Int {
        state.update { state in
            var count = 0
            for task in tasks where state.considered.insert(task.nodeID).inserted {
                state.append(task)
                count += 1
            }
            return count
        }
    }

    /// Has a task worked on again after that many nanoseconds.
    func requeue(_ task: AgentTask, after delay: Int64) {
        let due = monotonicNanoseconds(after: delay)
        state.update { $0.delayed.append((due, task)) }
    }

    /// The next task; waits for one. Nil when stopped.
    func take() -> AgentTask? {
        while true {
            let earliest = state.current.earliest
            let patience = min(earliest, monotonicNanoseconds(after: 60_000_000_000)) - monotonicNanoseconds()
            let step = state.wait(atMost: patience) { state -> Step? in
                if state.isStopped { return .stop }
                if let task = state.next(now: monotonicNanoseconds()) { return .work(task) }
                return state.earliest < earliest ? .lookAgain : nil
            }
            switch step {
            case .work(let task): return task
            case .stop: return nil
            case .lookAgain, nil: continue
            }
        }
    }

    func stop() { state.update { $0.isStopped = true } }
}
