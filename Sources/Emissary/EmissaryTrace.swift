import RunDirectory
import SystemSupport
package import Tracing

/// How the emissary's run becomes a span: handed over to the executor where that collects spans, else told by the outcome, so that
/// the container's own variables for tracing count.
package struct EmissaryTrace: Sendable {
    /// The pod's trace context; nil for none.
    let parent: SpanContext?
    /// Which traces are recorded where the container has an endpoint of its own; nil where it has none.
    let ownSampler: Sampler?
    let start = wallClockNanoseconds()
    private let begun = monotonicNanoseconds()

    package init(parent: SpanContext? = nil, ownSampler: Sampler? = nil) {
        self.parent = parent
        self.ownSampler = ownSampler
    }

    /// Decides where the span goes, once the executor has done its part.
    ///
    /// - Parameter isAwaited: whether an executor waits for the container. It may be gone when another one ends.
    func begin(_ directory: RunDirectory, isAwaited: Bool) -> Recording? {
        let traceID = parent?.traceID ?? .random()
        let samplesItself = ownSampler?.records(traceID, parent: parent) ?? false
        let isCollected = directory.isTraced
        guard isCollected || samplesItself else { return nil }
        let context = SpanContext(
            traceID: traceID, spanID: .random(), flags: (parent?.flags ?? 2) | SpanContext.sampled, state: parent?.state ?? "")
        return Recording(context: context, goesToExecutor: isCollected && (isAwaited || !samplesItself))
    }

    /// A span that has its name, which the command is given as its parent.
    struct Recording {
        let context: SpanContext
        let goesToExecutor: Bool
    }

    /// The span, ending now.
    func span(_ recording: Recording, _ outcome: EmissaryOutcome) -> CommandSpan {
        CommandSpan(
            context: recording.context, parent: parent?.spanID, start: start,
            end: start + UInt64(max(0, monotonicNanoseconds() - begun)), exitCode: outcome.exitCode, failure: outcome.failure)
    }
}
