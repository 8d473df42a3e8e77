package import Artifacts
import Encodings
package import HTTPTransport
package import SystemSupport

/// A URL with all that a request for it needs: headers, authorisation, the client that trusts and shows the right certificates.
package struct HTTPResource: Sendable {
    /// Without user and password; the query may hold secrets.
    let url: HTTPURL
    /// As the location has them, but none that only the client may set.
    let headers: HTTPHeaders
    /// Values of the `Authorization` header, which take the place of the location's own; nil for none.
    let authorization: CredentialCache<Secret>?
    private let http: HTTPClient

    /// Seconds until an answer begins: it may have to be made first, and the reference waits for ever.
    private static let answerTimeout = 300
    /// Bytes of a body that explains an error: read for the connection's sake, and never shown, as it may repeat the request.
    private static let explanationLimit = 64 << 10

    /// - Parameters:
    ///   - url: user and password in it are used where no other authorisation is given.
    ///   - headers: a `Host` is left out (contract 03 §6.5).
    package init(
        url: HTTPURL, headers: HTTPHeaders = HTTPHeaders(), authorization: CredentialCache<Secret>? = nil, http: HTTPClient
    ) {
        var bare = url
        bare.user = nil
        bare.password = nil
        self.url = bare
        var headers = headers
        headers.remove("Host")
        headers.remove("Trailer")
        self.headers = headers
        self.http = http
        if authorization == nil, headers["Authorization"] == nil, url.user != nil || url.password != nil {
            self.authorization = CredentialCache(
                fixed: Self.basic(Self.decoded(url.user), Self.decoded(url.password?.revealText())))
        } else {
            self.authorization = authorization
        }
    }

    /// For messages.
    var subject: String { url.redacted }

    /// Whether the location itself asks for a stretch of what is behind the URL: that is then the whole.
    var hasOwnRange: Bool { headers["Range"] != nil }

    /// Makes a request and streams the body of a success into the sink that `onSuccess` gives.
    ///
    /// - Parameter conditions: headers of this request only.
    /// - Throws: `ArtifactError` for any status but those of success, `TransferError` where no whole answer came; errors of the
    ///   sink as they are.
    @discardableResult
    func exchange(
        _ method: String, _ operation: String, _ conditions: [(name: String, value: String)] = [], body: HTTPBody = .none,
        totalTimeout: Int? = nil, onSuccess: (HTTPResponseHead) throws -> any ByteSink
    ) throws -> HTTPResponse {
        var request = HTTPRequest(method, url.text)
        request.headers = headers
        for (name, value) in conditions { request.headers.set(name, value) }
        request.followRedirects = true
        request.decodesGzip = true
        request.expectsLargeBody = method == "GET"
        request.answerTimeout = Self.answerTimeout
        request.totalTimeout = totalTimeout
        let lease = try authorization?.lease()
        if let lease { request.headers.set("Authorization", lease.credential.revealText()) }
        let response = try http.download(request, body: body, bodyLimit: Self.explanationLimit) { head in
            HTTPStatus.isSuccess(head.status) ? try onSuccess(head) : nil
        }
        if HTTPStatus.isSuccess(response.status) {
            if let lease { authorization?.accept(lease) }
            return response
        }
        var canRenew = false
        if response.status == 401, let lease, let authorization { canRenew = authorization.invalidate(lease, atMost: 2) }
        throw HTTPAnswer.error(response.status, operation, subject, canRenew: canRenew)
    }

    /// The value of an `Authorization` header by user and password (RFC 7617).
    static func basic(_ user: Secret, _ password: Secret) -> Secret {
        Secret("Basic " + Base64.encode(user.reveal() + [UInt8(ascii: ":")] + password.reveal()))
    }

    private static func decoded(_ text: String?) -> Secret { Secret(PercentEncoding.decode(Array((text ?? "").utf8))) }
}
