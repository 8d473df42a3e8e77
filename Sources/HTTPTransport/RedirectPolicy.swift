import SystemSupport

/// Redirects as Go's client follows them (contract 03 §6.5).
struct RedirectPolicy {
    private let initialHost: String
    private var count = 0
    private var isStripped = false

    /// - Parameter url: where the first request goes.
    init(_ url: HTTPURL) { initialHost = url.bareHost.lowercased() }

    /// Whether an answer is a redirect that can be followed. One that asks for a one-shot body again is the answer itself.
    static func follows(_ head: HTTPResponseHead, _ body: HTTPBody) -> Bool {
        guard head.headers["Location"] != nil else { return false }
        switch head.status {
        case 301, 302, 303: return true
        case 307, 308: return body.isResendable
        default: return false
        }
    }

    /// Whether a redirect leads to the very server that gave it: the same host and port, or from plain HTTP to TLS on that
    /// host.
    static func staysWithServer(_ head: HTTPResponseHead) -> Bool {
        guard let target = try? head.url.resolving(head.headers["Location"] ?? "") else { return false }
        guard target.bareHost.lowercased() == head.url.bareHost.lowercased() else { return false }
        if head.url.scheme == target.scheme { return target.effectivePort == head.url.effectivePort }
        return target.scheme == "https"
    }

    /// Whether a header proves who one is: the standard's own, and what its name tells to be a key or a token. Other hosts get
    /// the rest, as the redirects of stores to signed URLs need it.
    private static func isProof(_ name: String) -> Bool {
        let name = name.lowercased()
        return proofs.contains { name.contains($0) }
    }

    private static let proofs = [
        "authoriz", "authentic", "-auth", "cookie", "token", "secret", "passw", "credential", "api-key", "apikey", "access-key",
        "art-api", "signature",
    ]

    /// Turns a request into the one that its redirect asks for.
    ///
    /// - Throws: `TransferError` (`invalid`) after 10 redirects, and where the `Location` is no URL of HTTP.
    mutating func follow(_ head: HTTPResponseHead, _ request: inout HTTPRequest, _ body: inout HTTPBody) throws {
        count += 1
        guard count <= 10 else { throw TransferError.invalid("stopped after 10 redirects") }
        if head.status < 307 {
            if request.method != "HEAD" { request.method = "GET" }
            body = .none
            request.headers.remove("Content-Type")
        }
        let target = try head.url.resolving(head.headers["Location"] ?? "")
        let host = target.bareHost.lowercased()
        // Once stripped they stay away, even if a later hop leads back.
        isStripped = isStripped || !(host == initialHost || host.hasSuffix("." + initialHost))
        if isStripped {
            for name in request.headers.fields.map(\.name) where Self.isProof(name) { request.headers.remove(name) }
        }
        request.headers.remove("Host")
        request.url = target.text
    }
}
