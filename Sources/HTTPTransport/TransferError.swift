import ExecutorCore

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
    /// Bytes of the body that had come, so that a caller can ask for the rest by range.
    package let bytesReceived: Int64
    package let isTransient: Bool
    package var isNotFound: Bool { false }
}
