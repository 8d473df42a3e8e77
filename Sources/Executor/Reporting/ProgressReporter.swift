import SystemSupport

/// Reports progress as it changes: the first change at once, later ones not more often than the tick (contract 02 §6.5).
final class ProgressReporter: Sendable {
    private struct State: Sendable {
        var reported: String?
        var isEnded = false
    }

    private let state = Monitor(State())
    private let monitor: PodMonitor
    private let reporter: TaskResultReporter
    private let tick: Int64
    private let log: Log

    init(_ monitor: PodMonitor, _ reporter: TaskResultReporter, tick: Int64, log: Log) {
        self.monitor = monitor
        self.reporter = reporter
        self.tick = tick
        self.log = log
    }

    /// - Parameter awaitTaskResult: returns when there is something to report to.
    func start(after awaitTaskResult: @escaping @Sendable () -> Void) throws {
        try WorkerThread { [self] in
            awaitTaskResult()
            run()
        }.detach()
    }

    /// No further reports; a progress that was not reported yet goes out with the outputs.
    ///
    /// - Returns: that progress.
    func end() -> String? {
        state.update { $0.isEnded = true }
        let last = monitor.observation.current.progress
        return last == state.current.reported ? nil : last
    }

    private func run() {
        while true {
            let reported = state.current.reported
            let next = monitor.observation.wait { observation -> String?? in
                if let line = observation.progress, line != reported { return .some(line) }
                return observation.isOver ? .some(nil) : nil
            }
            guard let next, !state.current.isEnded else { return }
            do {
                try reporter.report(progress: next)
                state.update { $0.reported = next }
            } catch { log.warn("progress is not reported", ["error": .error(error)]) }
            // Until the next tick, unless all is over before.
            let isOver = monitor.observation.wait(atMost: tick) { $0.isOver ? true : nil } ?? false
            if isOver || state.current.isEnded { return }
        }
    }
}
