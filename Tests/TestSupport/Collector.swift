internal import Foundation

/// A collector of traces: OpenTelemetry's TraceService over gRPC and the same over HTTP. Each test has a key of its own.
package struct Collector: Sendable {
    /// How a request is answered; see `scripts/testbed/otlp_server.py`.
    package enum Answer: String, Sendable, Codable {
        case ok, partial, hang, busy, later, exhausted, refuse
        case muchLater = "much-later"
    }

    /// What came in one request.
    package struct Request: Sendable, Decodable {
        package let transport: String
        package let headers: [String: String]
        package let resource: [String: JSON]
        package let spans: [Span]
        package let answer: Answer
        /// Whether it is still unanswered.
        package let held: Bool
    }

    package struct Span: Sendable, Decodable {
        package let traceId, spanId, parentSpanId, traceState, name: String
        package let kind, flags, status, droppedAttributes, droppedEvents: Int
        package let start, end, statusMessage, scope: String
        package let attributes: [String: JSON]
        package let events: [Event]
    }

    package struct Event: Sendable, Decodable {
        package let name: String
        package let attributes: [String: JSON]
    }

    /// `http://HOST:PORT` of the service over gRPC; with TLS; of the receiver over HTTP; with TLS.
    package let grpc, grpcs, http, https: String
    /// File with the certificate authority of those with TLS, PEM.
    package let authority: String
    package let key = UUID().uuidString.lowercased()
    private let admin: URL

    /// The shared collector, with a new key.
    package static func shared() async throws -> Collector {
        let server = try await ServerPool.shared.server(.collector)
        guard let details = server.details, let admin = URL(string: server.admin) else {
            throw ServerUnavailable(description: "no collector")
        }
        return Collector(
            grpc: server.endpoint, grpcs: details["grpcs"] ?? "", http: details["http"] ?? "", https: details["https"] ?? "",
            authority: server.authority ?? "", admin: admin)
    }

    /// Variables that lead to it over gRPC, with the key as a header.
    package var variables: [String: String] {
        ["OTEL_EXPORTER_OTLP_ENDPOINT": grpc, "OTEL_EXPORTER_OTLP_HEADERS": "x-test=\(key)"]
    }

    /// The same over HTTP.
    package var httpVariables: [String: String] {
        [
            "OTEL_EXPORTER_OTLP_ENDPOINT": http, "OTEL_EXPORTER_OTLP_HEADERS": "x-test=\(key)",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        ]
    }

    /// Says how the next requests are answered.
    package func answer(_ answers: Answer...) async throws {
        _ = try await AdminRequest.send(
            "PUT", admin.appending(path: "answers/\(key)"), body: try JSONEncoder().encode(answers), type: "application/json")
    }

    /// What has come so far.
    package func requests() async throws -> [Request] {
        try JSONDecoder().decode(
            [Request].self, from: try await AdminRequest.send("GET", admin.appending(path: "requests/\(key)")))
    }

    package func spans() async throws -> [Span] { try await requests().flatMap(\.spans) }
}

extension [Collector.Span] {
    /// Each span by its name, with the names of those above it that are here.
    package var paths: [String] {
        let byID = Dictionary(map { ($0.spanId, $0) }, uniquingKeysWith: { first, _ in first })
        return map { span in
            var names = [span.name]
            var next = byID[span.parentSpanId]
            while let above = next {
                names.insert(above.name, at: 0)
                next = byID[above.parentSpanId]
            }
            return names.joined(separator: "/")
        }
    }
}
