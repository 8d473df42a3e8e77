import Artifacts
import Documents
import Encodings
import HTTPTransport
import SystemSupport

/// One request to Cloud Storage's JSON interface.
struct GCSRequest {
    var method: String
    /// Below the origin, percent-encoded.
    var path: String
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var body: HTTPBody = .none
    var expectsLargeBody = false
    /// Whether a gzipped body is to come decoded.
    var decodesGzip = false
    /// Puts in order what a failed transfer leaves behind.
    var isCleanup = false
    /// Statuses besides those of success that are an answer, not an error.
    var alsoTakes: [Int] = []

    init(_ method: String, _ path: String) {
        self.method = method
        self.path = path
    }
}

/// Sends requests for one bucket.
struct GCSClient: Sendable {
    /// E.g. `https://storage.googleapis.com`.
    let origin: String
    let bucket: String
    let http: HTTPClient
    /// Tokens; nil for none.
    let tokens: CredentialCache<Secret>?
    let stallTimeout: Int
    let log: Log

    private static let answerLimit = 16 << 20
    private static let cleanupTimeout = 10

    /// The path of the bucket's objects.
    var objectsPath: String { "/storage/v1/b/\(PercentEncoding.encode(bucket))/o" }

    func objectPath(_ key: [UInt8]) -> String { objectsPath + "/" + PercentEncoding.encode(key) }

    func subject(_ key: [UInt8]) -> String { "gs://\(bucket)/\(String(decoding: key, as: UTF8.self))" }

    /// Sends a request and collects the answer, or streams the body of a success into the sink that `onSuccess` gives.
    ///
    /// - Throws: `ArtifactError` for any status but those of success, `TransferError` where no answer came.
    @discardableResult
    func send(
        _ request: GCSRequest, _ operation: String, _ subject: String,
        onSuccess: (HTTPResponseHead) throws -> (any ByteSink)? = { _ in nil }
    ) throws -> HTTPResponse {
        let query = request.query.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }
            .joined(separator: "&")
        let link = request.path.contains("?") ? "&" : "?"
        var message = HTTPRequest(request.method, origin + request.path + (query.isEmpty ? "" : link + query))
        for (name, value) in request.headers { message.headers.add(name, value) }
        message.expectsLargeBody = request.expectsLargeBody
        message.decodesGzip = request.decodesGzip
        message.stallTimeout = stallTimeout
        if request.isCleanup {
            message.outlivesCancellation = true
            message.connectTimeout = min(message.connectTimeout, Self.cleanupTimeout)
            message.stallTimeout = min(message.stallTimeout, Self.cleanupTimeout)
        }
        let lease = try tokens?.lease()
        if let lease { message.headers.set("Authorization", "Bearer \(lease.credential.revealText())") }
        let response = try http.download(message, body: request.body, bodyLimit: Self.answerLimit) { head in
            HTTPStatus.isSuccess(head.status) ? try onSuccess(head) : nil
        }
        if HTTPStatus.isSuccess(response.status) || request.alsoTakes.contains(response.status) {
            if let lease { tokens?.accept(lease) }
            return response
        }
        var canRenew = false
        if response.status == 401, let lease, let tokens { canRenew = tokens.invalidate(lease, atMost: 2) }
        throw GCSAnswer.error(
            response, operation, subject, canRenew: canRenew, hiding: lease.map { [$0.credential] } ?? [])
    }
}
