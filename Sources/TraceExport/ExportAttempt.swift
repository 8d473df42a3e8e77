import HTTPTransport
import RemoteProcedures
import SystemSupport

/// What a collector made of one request.
enum ExportAnswer {
    /// Taken, perhaps not all of it.
    case taken(PartialSuccess?)
    case refused(ExportFailure)
}

/// Why a request was not taken.
struct ExportFailure: Error {
    /// One line.
    var cause: String
    /// Whether the same request is welcome again.
    var isTransient: Bool
    /// Nanoseconds that the collector asks to wait before that.
    var retryAfter: Int64?
}

/// One request over gRPC: a unary call of `TraceService/Export`.
enum GRPCAttempt {
    static func run(_ client: HTTPClient, _ settings: TraceSettings, _ message: [UInt8]) throws -> ExportAnswer {
        var request = HTTPRequest("POST", settings.url.text)
        request.headers = settings.headers
        request.headers["grpc-timeout"] = "\(max(1, settings.timeout / 1_000_000))m"
        request.bound(by: settings)
        let compressed = settings.compresses ? GzipBody.compress(message) : nil
        if compressed != nil { request.headers["grpc-encoding"] = "gzip" }
        return answer(
            try RemoteCall.unary(
                client, request, compressed ?? message, isCompressed: compressed != nil, answerLimit: 64 << 10))
    }

    private static func answer(_ answer: RemoteAnswer) -> ExportAnswer {
        guard let code = answer.code else {
            // Somebody on the way has answered.
            let isTransient = [429, 502, 503, 504].contains(answer.httpStatus)
            return .refused(
                ExportFailure(cause: "HTTP status \(answer.httpStatus) without a grpc-status", isTransient: isTransient))
        }
        if code == 0 { return .taken(PartialSuccess(response: answer.message[...])) }
        let details = answer.details.map { StatusDetails($0[...]) }
        // Which codes are worth a repetition: OTLP specification, "Failures" of OTLP/gRPC.
        let isTransient = [1, 4, 10, 11, 14, 15].contains(code) || code == 8 && details?.retryAfter != nil
        return .refused(
            ExportFailure(
                cause: "gRPC status \(code): \(answer.text ?? details?.message ?? "")", isTransient: isTransient,
                retryAfter: details?.retryAfter))
    }
}

/// One request over HTTP with the message as its body.
enum HTTPAttempt {
    static func run(_ client: HTTPClient, _ settings: TraceSettings, _ message: [UInt8]) throws -> ExportAnswer {
        var request = HTTPRequest("POST", settings.url.text)
        request.headers = settings.headers
        request.headers["content-type"] = "application/x-protobuf"
        request.bound(by: settings)
        let compressed = settings.compresses ? GzipBody.compress(message) : nil
        if compressed != nil { request.headers["content-encoding"] = "gzip" }
        let response = try client.perform(request, body: .bytes(compressed ?? message), bodyLimit: 64 << 10)
        return answer(response, now: Timestamp.now.seconds)
    }

    static func answer(_ response: HTTPResponse, now: Int64) -> ExportAnswer {
        if (200..<300).contains(response.status) {
            // Some collectors answer in JSON, or with nothing.
            let isMessage = response.headers["content-type"]?.hasPrefix("application/x-protobuf") ?? false
            return .taken(isMessage ? PartialSuccess(response: response.body[...]) : nil)
        }
        let isMessage = response.headers["content-type"]?.hasPrefix("application/x-protobuf") ?? false
        let text = isMessage ? StatusDetails(response.body[...]).message : ""
        return .refused(
            ExportFailure(
                cause: "HTTP status \(response.status)" + (text.isEmpty ? "" : ": \(text)"),
                isTransient: [429, 502, 503, 504].contains(response.status),
                retryAfter: response.headers["retry-after"].flatMap { pause($0, now: now) }))
    }

    /// Seconds, or a date (RFC 9110 §10.2.3).
    private static func pause(_ text: String, now: Int64) -> Int64? {
        guard let seconds = Int64(text) ?? HTTPDate.seconds(text).map({ $0 - now }), seconds < 1 << 32 else { return nil }
        return max(0, seconds) * 1_000_000_000
    }
}

extension HTTPRequest {
    fileprivate mutating func bound(by settings: TraceSettings) {
        let seconds = Int((settings.timeout + 999_999_999) / 1_000_000_000)
        connectTimeout = seconds
        totalTimeout = seconds
        stallTimeout = 0
    }
}
