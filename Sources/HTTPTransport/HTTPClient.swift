import CCurl
import CCurlShims
package import ExecutorCore

/// HTTP over libcurl, blocking: a transfer runs on the calling thread, on a handle from a pool, and many threads make many
/// transfers. Connections stay open between requests. Nothing is initialised before the first transfer.
package final class HTTPClient: Sendable {
    private let configuration: HTTPClientConfiguration

    package init(configuration: HTTPClientConfiguration) { self.configuration = configuration }

    /// Makes a request and collects the body of the answer. Any status is an answer.
    ///
    /// - Parameter bodyLimit: bytes; a larger body is an error (`tooLarge`).
    /// - Throws: `TransferError` when no whole answer came; the body source's own error as it is.
    package func perform(
        _ request: HTTPRequest, body: HTTPBody = .none, bodyLimit: Int = 4 << 20
    ) throws -> HTTPResponse {
        try download(request, body: body, bodyLimit: bodyLimit) { _ in nil }
    }

    /// Makes a request and streams the body of the answer.
    ///
    /// - Parameters:
    ///   - bodyLimit: bytes, where the body is collected.
    ///   - onHead: sees status and headers once, before the body, and returns where the body goes; nil to collect it
    ///     (bodies that explain an error). What it throws ends the transfer and is rethrown as it is.
    /// - Throws: `TransferError` when no whole answer came, with the number of bytes that did; errors of the sink and of the
    ///   body source as they are.
    package func download(
        _ request: HTTPRequest, body: HTTPBody = .none, bodyLimit: Int = 4 << 20,
        onHead: (HTTPResponseHead) throws -> (any ByteSink)?
    ) throws -> HTTPResponse {
        throw TransferError(code: .other, message: "", bytesReceived: 0, isTransient: false)
    }

    /// All running and later transfers fail with `aborted`. May be called from any thread.
    package func cancelAll() {}
}
