import HTTPTransport
package import SystemSupport
package import Tracing

/// Gathers the spans that have ended and has them sent in batches by a thread of its own, which lives only while there is something
/// to send: nothing waits for a collector but `finish`, and that not for long.
package final class SpanQueue: Sendable {
    private struct State: Sendable {
        var spans: [Span] = []
        /// Since the last batch.
        var dropped = 0
        var isThreadRunning = false
        var isClosed = false
        var hasWarned = false
    }

    private let state = Monitor(State())
    private let exporter: SpanExporter
    private let settings: TraceSettings
    private let log: Log

    /// How long a thread is waited for that was told to break off.
    private static let partingTime: Int64 = 250_000_000

    /// - Parameter resource: tells of the process that sends.
    package init(_ settings: TraceSettings, resource: [SpanAttribute], userAgent: String, log: Log) {
        self.settings = settings
        self.log = log
        exporter = SpanExporter(settings, resource: resource, userAgent: userAgent)
    }

    /// Takes a span; one too many is dropped.
    package func add(_ span: Span) {
        let startsThread = state.update { state -> Bool in
            guard !state.isClosed, state.spans.count < settings.queueSize else {
                state.dropped += 1
                return false
            }
            state.spans.append(span)
            defer { state.isThreadRunning = true }
            return !state.isThreadRunning
        }
        guard startsThread else { return }
        do {
            // Its own requests are no part of the trace.
            try Trace.without { try WorkerThread { self.run() }.detach() }
        } catch {
            state.update { $0.isThreadRunning = false }
            warn("traces are not exported", errorText(error))
        }
    }

    /// Sends what is left and takes no more.
    ///
    /// - Parameter limit: nanoseconds; what is not sent by then is dropped.
    /// - Returns: false where the thread still runs, stuck in a library: the process must then end without the library's own clean-up.
    package func finish(within limit: Int64) -> Bool {
        let due = monotonicNanoseconds(after: limit)
        exporter.end(by: due)
        state.update { $0.isClosed = true }
        if state.wait(atMost: limit, { $0.isThreadRunning ? nil : true }) != nil { return true }
        exporter.cancel()
        return state.wait(atMost: Self.partingTime) { $0.isThreadRunning ? nil : true } != nil
    }

    private func run() {
        while let batch = nextBatch() {
            do {
                guard let partial = try exporter.export(batch) else { continue }
                warn(
                    "the collector has not taken all spans",
                    partial.message, ["rejected": .integer(Int64(clamping: partial.rejected))])
            } catch {
                warn("traces are not exported", error.cause, ["spans": .count(batch.count)])
            }
        }
    }

    /// Waits until there is a batch; nil where there is nothing more, and the thread ends.
    private func nextBatch() -> [Span]? {
        _ = state.wait(atMost: settings.scheduleDelay) { state in
            state.isClosed || state.spans.count >= settings.batchSize ? true : nil
        }
        let (batch, dropped) = state.update { state -> ([Span], Int) in
            let batch = Array(state.spans.prefix(settings.batchSize))
            state.spans.removeFirst(batch.count)
            if batch.isEmpty { state.isThreadRunning = false }
            defer { state.dropped = 0 }
            return (batch, state.dropped)
        }
        if dropped > 0 {
            warn("spans were dropped", "more than \(settings.queueSize) were waiting", ["spans": .count(dropped)])
        }
        return batch.isEmpty ? nil : batch
    }

    /// Once a process: a collector that is away is no news the second time.
    private func warn(_ message: String, _ cause: String, _ fields: KeyValuePairs<String, LogValue> = [:]) {
        guard
            state.update({ state in
                defer { state.hasWarned = true }
                return !state.hasWarned
            })
        else { return }
        log.with(fields).warn(message, ["error": .text(String(cause.prefix(500))), "endpoint": .text(settings.url.redacted)])
    }
}
