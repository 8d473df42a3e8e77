package import SystemSupport

/// One request. The URL must be percent-encoded; its path is sent as it is (`..` and `//` too).
package struct HTTPRequest: Sendable {
    package var method: String
    package var url: String
    /// A `Host` field replaces the URL's. `Content-Length` is set from the body, not here.
    package var headers = HTTPHeaders()
    /// Seconds for name resolution, TCP and TLS together, at least 1.
    package var connectTimeout = 30
    /// Seconds without a byte in either direction after which the transfer fails as transient; 0 for none. Time spent in
    /// the caller's own sink or source does not count.
    package var stallTimeout = 60
    /// The same for as long as nothing of the answer has come: a server may have to make it first. Nil for `stallTimeout`.
    package var answerTimeout: Int?
    /// Seconds for the whole transfer, at least 1, for each redirect anew; nil for no limit.
    package var totalTimeout: Int?
    /// Follow up to 10 redirects as Go's client does (contract 03 §6.5). Never for signed requests.
    package var followRedirects = false
    /// Of those, only the ones that stay with the server: for requests whose body or query is itself a secret. One that leads
    /// elsewhere is the answer.
    package var staysWithServer = false
    /// Send `Accept-Encoding: gzip` and decode such an answer, but where the request has an `Accept-Encoding` of its own, asks for
    /// a range, or is a HEAD. Off: bodies come as they are.
    package var decodesGzip = false
    /// A hint that the answer is large (above some MiB): a bigger receive buffer is worth its memory.
    package var expectsLargeBody = false
    /// Goes out, and goes on, although all transfers of the client are called off: it puts in order what they leave behind.
    package var outlivesCancellation = false

    package init(_ method: String, _ url: String) {
        self.method = method
        self.url = url
    }

    /// Whether a gzipped answer is asked for on our own account.
    var asksForGzip: Bool {
        decodesGzip && method != "HEAD" && headers["Accept-Encoding"] == nil && headers["Range"] == nil
    }

    /// The headers with those that are sent on our own account.
    var outgoingHeaders: HTTPHeaders {
        guard asksForGzip else { return headers }
        var all = headers
        all.add("Accept-Encoding", "gzip")
        return all
    }

    /// Seconds without a byte after which the transfer fails; nil for none.
    func silenceLimit(hasBegunAnswer: Bool) -> Int? {
        let limit = hasBegunAnswer ? stallTimeout : answerTimeout ?? stallTimeout
        return limit > 0 ? limit : nil
    }
}

extension HTTPRequest: CustomStringConvertible, CustomReflectable {
    package var description: String { (try? HTTPURL(url)).map { "\(method) \($0)" } ?? method }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// What is sent.
package enum HTTPBody {
    case none
    case bytes([UInt8])
    /// A stretch of an open file, read by `pread`: it can be sent again. Fewer bytes than `length` are an error.
    case file(descriptor: Int32, offset: Int64, length: Int64, subject: String)
    /// Can be sent once only. Without a length it goes chunked; fewer bytes than `length` are an error.
    case source(any ByteSource, length: Int64?)

    /// Whether it can be sent a second time.
    package var isResendable: Bool {
        if case .source = self { false } else { true }
    }

    /// Bytes; nil if unknown.
    package var length: Int64? {
        switch self {
        case .none: 0
        case .bytes(let bytes): Int64(bytes.count)
        case .file(_, _, let length, _): length
        case .source(_, let length): length
        }
    }
}

/// Status and headers, before the body.
package struct HTTPResponseHead: Sendable {
    package var status: Int
    package var headers: HTTPHeaders
    /// What answered, after redirects.
    package var url: HTTPURL
    /// Whether the body comes decoded, and without the headers that told of the coded one.
    package var isDecoded = false
}

/// An answer, whatever its status.
package struct HTTPResponse: Sendable {
    package var status: Int
    package var headers: HTTPHeaders
    /// The body where it was collected; empty where it went to a sink.
    package var body: [UInt8]
    /// Bytes of the body as received, whether collected or streamed.
    package var bytesReceived: Int64
    /// Fields that came behind the body.
    package var trailers = HTTPHeaders()
    /// What answered, after redirects.
    package var url: HTTPURL
}
