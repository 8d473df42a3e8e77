import Synchronization
import SystemSupport

/// Where spans go when they have ended, and what bounds them.
package struct Tracer: Sendable {
    fileprivate let sampler: Sampler
    fileprivate let limits: SpanLimits
    fileprivate let sink: @Sendable (Span) -> Void

    package init(sampler: Sampler = .standard, limits: SpanLimits = SpanLimits(), sink: @escaping @Sendable (Span) -> Void) {
        self.sampler = sampler
        self.limits = limits
        self.sink = sink
    }

    /// Begins the first span of this process; nil where its trace is not to be recorded.
    ///
    /// - Parameter parent: of another process; nil where a new trace begins.
    package func begin(_ name: String, parent: SpanContext?, _ attributes: [SpanAttribute] = []) -> ActiveSpan? {
        let traceID = parent?.traceID ?? .random()
        guard sampler.records(traceID, parent: parent) else { return nil }
        let context = SpanContext(
            traceID: traceID, spanID: .random(), flags: (parent?.flags ?? 2) | SpanContext.sampled, state: parent?.state ?? "")
        return ActiveSpan(self, name, .inner, context, parent: parent?.spanID, isParentRemote: parent != nil, attributes)
    }
}

extension Tracer {
    /// A span of another process, which ends it: only spans within it are begun here.
    package func continuing(_ parent: SpanContext) -> ActiveSpan? {
        guard sampler.records(parent.traceID, parent: parent) else { return nil }
        return ActiveSpan(self, "", .inner, parent, parent: nil, isParentRemote: false, [], isRemote: true)
    }
}

/// A span that has begun. May be used from any thread; what comes after its end is dropped.
package final class ActiveSpan: Sendable {
    private let tracer: Tracer
    package let context: SpanContext
    /// Whether it is another process's.
    private let isRemote: Bool
    private let begun = monotonicNanoseconds()
    /// Nil once it has ended.
    private let span: Mutex<Span?>

    fileprivate init(
        _ tracer: Tracer, _ name: String, _ kind: SpanKind, _ context: SpanContext, parent: SpanID?, isParentRemote: Bool,
        _ attributes: [SpanAttribute], isRemote: Bool = false
    ) {
        self.tracer = tracer
        self.isRemote = isRemote
        self.context = context
        let now = wallClockNanoseconds()
        var span = Span(name: name, context: context, parent: parent, start: now, end: now)
        span.kind = kind
        span.isParentRemote = isParentRemote
        self.span = Mutex(span)
        for attribute in attributes { set(attribute) }
    }

    /// Begins a span within this one.
    package func begin(_ name: String, kind: SpanKind = .inner, _ attributes: [SpanAttribute] = []) -> ActiveSpan {
        var context = context
        context.spanID = .random()
        return ActiveSpan(tracer, name, kind, context, parent: self.context.spanID, isParentRemote: isRemote, attributes)
    }

    package func set(_ attribute: SpanAttribute) {
        update { span in
            guard span.attributes.count < tracer.limits.attributeCount else { return span.droppedAttributes += 1 }
            span.attributes.append(tracer.limits.cut(attribute))
        }
    }

    /// Notes something that happens now.
    package func note(_ event: String, _ attributes: [SpanAttribute] = []) {
        update { span in
            guard span.events.count < tracer.limits.eventCount else { return span.droppedEvents += 1 }
            let attributes = attributes.map { tracer.limits.cut($0) }
            span.events.append(SpanEvent(name: event, time: now(span), attributes: attributes))
        }
    }

    /// Says that the work failed; of several causes the first stays.
    package func fail(_ cause: String) {
        update { if $0.status == .unset { $0.status = .failed(cause) } }
    }

    /// Runs `body`, whose spans are then within this one. What it throws is the cause of a failure of this span.
    package func run<R>(_ body: () throws -> R) rethrows -> R {
        do { return try ThreadScope.with(self, body) } catch {
            fail(errorText(error))
            throw error
        }
    }

    /// Ends the span, once, and sends it off.
    package func end() {
        let ended = span.withLock { span -> Span? in
            guard var ended = span else { return nil }
            span = nil
            ended.end = now(ended)
            return ended
        }
        if let ended { tracer.sink(ended) }
    }

    /// By the monotonic clock from the start on: a clock that is set meanwhile does not stretch the span.
    private func now(_ span: Span) -> UInt64 { span.start + UInt64(max(0, monotonicNanoseconds() - begun)) }

    private func update(_ change: (inout Span) -> Void) { span.withLock { if $0 != nil { change(&$0!) } } }
}

/// The span of the calling thread's work. Without one, which is where nothing is traced, all of this does nothing.
package enum Trace {
    package static var current: ActiveSpan? { ThreadScope.current as? ActiveSpan }

    /// Begins a span within the current one; the caller ends it.
    package static func begin(
        _ name: String, kind: SpanKind = .inner, _ attributes: @autoclosure () -> [SpanAttribute] = []
    ) -> ActiveSpan? {
        current?.begin(name, kind: kind, attributes())
    }

    /// Runs `body` as a span within the current one; an error is the span's failure too.
    package static func span<R>(
        _ name: String, _ attributes: @autoclosure () -> [SpanAttribute] = [], _ body: () throws -> R
    ) rethrows -> R {
        guard let span = begin(name, attributes()) else { return try body() }
        defer { span.end() }
        return try span.run(body)
    }

    /// Runs `body` within a span that was begun before; nil for none.
    package static func within<R>(_ span: ActiveSpan?, _ body: () throws -> R) rethrows -> R {
        guard let span else { return try body() }
        return try ThreadScope.with(span, body)
    }

    /// Runs `body` with nothing of it traced.
    package static func without<R>(_ body: () throws -> R) rethrows -> R { try ThreadScope.with(nil, body) }
}
