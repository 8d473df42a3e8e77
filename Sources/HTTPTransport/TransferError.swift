import CCurl
import SystemSupport

/// A transfer that brought no answer, or only a part of one. Any status is an answer, not an error.
///
/// The texts resemble those of Go's HTTP client, on which the controller and users apply text tests (contract 02 §12):
/// `Get "https://host/path": dial tcp 10.0.0.1:443: connect: connection refused`. They never hold a query string, a header
/// value or the URL's user and password.
package struct TransferError: ClassifiedError, Sendable {
    package enum Code: Sendable {
        /// The URL or a header cannot be sent, or the answer asks for something that is not allowed.
        case invalid
        case resolve
        case connect
        /// The time to connect, the time without a byte, or the whole time ran out.
        case timeout
        /// The connection broke before the answer was complete.
        case broken
        /// The body ended before its announced length.
        case truncated
        case tls
        /// The other side does not speak HTTP as it should.
        case malformed
        /// A collected body is larger than its limit.
        case tooLarge
        /// `cancelAll()` was called.
        case aborted
        /// The library failed by itself, e.g. for want of memory.
        case other
    }

    package let code: Code
    package let message: String
    /// The message without the request: for those whose URL is itself a secret.
    package let cause: String
    /// Bytes of the body that had come, so that a caller can ask for the rest by range.
    package let bytesReceived: Int64

    /// Whether a retry may help: whatever a socket operation answered, time-outs, name resolution (contract 02 §12).
    package var isTransient: Bool {
        switch code {
        case .resolve, .connect, .timeout, .broken, .truncated: true
        case .invalid, .tls, .malformed, .tooLarge, .aborted, .other: false
        }
    }

    private init(_ code: Code, _ cause: String, request: RequestName? = nil, bytesReceived: Int64 = 0) {
        self.code = code
        self.cause = cause
        message = request.map { "\($0.text): \(cause)" } ?? cause
        self.bytesReceived = bytesReceived
    }

    /// What was asked for cannot be sent.
    static func invalid(_ cause: String) -> Self { .init(.invalid, cause) }

    static func tls(_ cause: String) -> Self { .init(.tls, cause) }

    /// A failure of libcurl that has nothing to do with the other side.
    static func library(_ operation: String, _ status: CURLcode) -> Self {
        .init(.other, "\(operation): \(unsafe String(cString: curl_easy_strerror(status)))")
    }

    /// The same with the request put before the cause.
    func during(_ request: RequestName) -> Self {
        .init(code, cause, request: request, bytesReceived: bytesReceived)
    }

    static func made(_ code: Code, _ cause: String, bytesReceived: Int64) -> Self {
        .init(code, cause, bytesReceived: bytesReceived)
    }
}

/// A request as messages name it: `Get "https://host/path"`, as Go writes it.
struct RequestName {
    let text: String

    init(_ method: String, _ url: HTTPURL) {
        text = "\(method.prefix(1).uppercased())\(method.dropFirst().lowercased()) \"\(url.redacted)\""
    }
}
