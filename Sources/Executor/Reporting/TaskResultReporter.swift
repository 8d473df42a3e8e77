package import KubernetesAPI
package import SystemSupport
import Tracing
package import WorkflowModel

/// Carries outputs and progress to where the controller reads them (contract 04 §3). One report at a time, from any thread.
package final class TaskResultReporter: Sendable {
    private let sink: any TaskResultSink
    private let turn = Monitor(false)
    private let log: Log

    /// Transient errors are retried this long: an API server that is away for minutes must lose nothing (contract 05 C1).
    private static let backoff = Backoff(
        duration: 1_000_000_000, factor: 2, jitter: 0.2, steps: .max, cap: 30_000_000_000, limit: 600_000_000_000)

    package init(_ sink: any TaskResultSink, log: Log) {
        self.sink = sink
        self.log = log
    }

    /// Makes the task result, still empty: the controller holds the node back until it is complete.
    ///
    /// - Parameters:
    ///   - onRetry: is told of each failure after which there will be another attempt.
    ///   - onFailure: is told of the last failure, as it came from the sink.
    package func initialize(
        onRetry: (any Error) -> Void = { _ in }, onFailure: (any Error) -> Void = { _ in }
    ) throws {
        try retrying("create the task result", onRetry: onRetry, onFailure: onFailure) {
            try Trace.span("createTaskResult") { try sink.initialize() }
        }
    }

    /// Reports how far the step is, `N/M`.
    package func report(progress: String) throws {
        try retrying("report progress") {
            try Trace.span("patchTaskResult") { try sink.report(NodeResult(progress: progress)) }
        }
    }

    /// Reports what the step has produced.
    package func report(_ outputs: Outputs, progress: String?) throws {
        try retrying("report outputs") {
            try Trace.span("patchTaskResult") { try sink.report(NodeResult(outputs: outputs, progress: progress ?? "")) }
        }
    }

    /// Says that all has been reported, together with a last result where there is one.
    package func finalize(_ outputs: Outputs? = nil, progress: String? = nil) throws {
        try retrying("complete the task result") {
            // One request, where the reference makes two, counts as both in a trace.
            let labels = Trace.begin("patchTaskResultLabels")
            defer { labels?.end() }
            if outputs == nil {
                try Trace.within(labels) { try sink.finalize(NodeResult(outputs: nil, progress: progress ?? "")) }
            } else {
                try Trace.span("patchTaskResult") {
                    try sink.finalize(NodeResult(outputs: outputs, progress: progress ?? ""))
                }
            }
        }
    }

    private func retrying(
        _ operation: String, onRetry: (any Error) -> Void = { _ in }, onFailure: (any Error) -> Void = { _ in },
        _ attempt: () throws -> Void
    ) throws {
        turn.wait { isTaken -> Void? in
            if isTaken { return nil }
            isTaken = true
            return ()
        }
        defer { turn.update { $0 = false } }
        do {
            try Self.backoff.run(
                onRetry: { error, pause in
                    onRetry(error)
                    log.warn(
                        "\(operation): trying again", ["error": .error(error), "inSeconds": .count(Int(pause / 1_000_000_000))])
                }, attempt)
        } catch {
            onFailure(error)
            throw ExecutorError.wrapping(operation, error)
        }
    }
}
