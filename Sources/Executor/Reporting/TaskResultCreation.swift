import KubernetesAPI
import SystemSupport

/// Makes the task result on a thread of its own: nothing but reports needs it, so that inputs are loaded and outputs stored while the
/// API server is away too.
final class TaskResultCreation: Sendable {
    private enum State: Sendable {
        /// No attempt has ended yet.
        case asked
        /// An attempt has failed, and is repeated.
        case delayed
        case over

        var isOver: Bool {
            if case .over = self { true } else { false }
        }
    }

    private let state = Monitor(State.asked)

    /// Begins; a failure is recorded.
    ///
    /// - Parameter onRefusal: is told, on that thread, that the server forbids what is needed to report the step, and says whether it
    ///   records that itself.
    /// - Throws: no thread can be started.
    init(
        _ reporter: TaskResultReporter, _ failures: Failures,
        onRefusal: @escaping @Sendable (any Error) -> Bool = { _ in false }
    ) throws(SystemError) {
        try WorkerThread { [state] in
            var isForbidden = false
            do {
                try reporter.initialize(
                    onRetry: { _ in state.update { $0 = .delayed } },
                    onFailure: { error in isForbidden = (error as? APIError)?.status == 403 })
            } catch {
                if !(isForbidden && onRefusal(error)) { failures.add(error) }
            }
            state.update { $0 = .over }
        }.detach()
    }

    /// Waits until the server has answered the first attempt, or it has failed.
    ///
    /// - Parameter limit: nanoseconds at most.
    func waitForFirstAnswer(atMost limit: Int64) {
        _ = state.wait(atMost: limit) { state -> Bool? in
            if case .asked = state { nil } else { true }
        }
    }

    /// Waits until the task result is made, or will not be.
    func wait() { state.wait { $0.isOver ? true : nil } }

    var isOver: Bool { state.current.isOver }
}
