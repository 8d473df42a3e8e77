import HTTPTransport
import SystemSupport
import Tracing

/// Sends batches of spans to a collector, each again where that may help. One batch at a time.
final class SpanExporter: Sendable {
    private let settings: TraceSettings
    private let resource: [SpanAttribute]
    private let client: HTTPClient
    /// When everything must be over, by the monotonic clock; and whether it was called off.
    private let end = Monitor<(due: Int64, isCancelled: Bool)>((.max, false))

    private static let firstPause: Int64 = 100_000_000
    private static let longestPause: Int64 = 5_000_000_000

    init(_ settings: TraceSettings, resource: [SpanAttribute], userAgent: String) {
        self.settings = settings
        self.resource = resource
        client = HTTPClient(
            configuration: HTTPClientConfiguration(
                trust: settings.trust, clientCertificate: settings.clientCertificate, proxy: settings.proxy,
                userAgent: userAgent, version: settings.transport == .grpc ? .http2Required : .http1, maximumIdleHandles: 1))
    }

    /// Nothing begins later than this; what is under way goes on.
    func end(by due: Int64) { end.update { $0.due = min($0.due, due) } }

    /// Breaks off what is under way.
    func cancel() {
        end.update { $0.isCancelled = true }
        client.cancelAll()
    }

    /// - Returns: what the collector left out; nil for nothing.
    /// - Throws: `ExportFailure` of the last attempt.
    func export(_ spans: [Span]) throws(ExportFailure) -> PartialSuccess? {
        let message = TraceRequest.bytes(spans, resource: resource)
        let limit = monotonicNanoseconds(after: settings.exportTimeout)
        var delay = Self.firstPause
        while true {
            let failure: ExportFailure
            switch attempt(message) {
            case .taken(let partial): return partial
            case .refused(let refusal): failure = refusal
            }
            guard failure.isTransient else { throw failure }
            let pause = failure.retryAfter ?? Int64(Double(delay) * Double.random(in: 0.5...1.5))
            delay = min(delay * 2, Self.longestPause)
            guard wait(pause, limit) else { throw failure }
        }
    }

    private func attempt(_ message: [UInt8]) -> ExportAnswer {
        do {
            switch settings.transport {
            case .grpc: return try GRPCAttempt.run(client, settings, message)
            case .http: return try HTTPAttempt.run(client, settings, message)
            }
        } catch {
            let classified = error as? any ClassifiedError
            return .refused(ExportFailure(cause: errorText(error), isTransient: classified?.isTransient ?? false))
        }
    }

    /// - Returns: false where there would be no time left after the pause.
    private func wait(_ pause: Int64, _ limit: Int64) -> Bool {
        let resumption = monotonicNanoseconds(after: pause)
        let isTooLate = end.wait(atMost: pause) { end -> Bool? in
            end.isCancelled || resumption > min(end.due, limit) ? true : nil
        }
        return isTooLate == nil
    }
}
