import ExecutorCore
import Formats
package import HTTPTransport
package import RequestSigning
import Synchronization

/// One request to S3.
struct S3Request {
    var method: String
    /// nil for the bucket itself.
    var key: [UInt8]?
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var body: HTTPBody = .none
    var payload: SigV4.Payload = .empty
    /// Bytes of the answer's body, where they are known to be many.
    var expectsLargeBody = false
    /// Seconds without a byte before the request counts as failed; nil for the client's.
    var stallTimeout: Int?

    init(_ method: String, key: [UInt8]? = nil) {
        self.method = method
        self.key = key
    }
}

/// Signs requests for one bucket and sends them, in the right region.
package struct S3Client: Sendable {
    package let endpoint: S3Endpoint
    private let http: HTTPClient
    private let credential: SigV4.Credential
    /// As the location names it; nil to find it out.
    private let region: String?
    let bucketState: S3BucketState
    /// What the requests for objects say of encryption.
    var encryption = S3Encryption.none
    /// Seconds without a byte before a request counts as failed.
    var stallTimeout = 60

    package init(
        endpoint: S3Endpoint, http: HTTPClient, credential: SigV4.Credential, region: String?, bucketState: S3BucketState
    ) {
        self.endpoint = endpoint
        self.http = http
        self.credential = credential
        self.region = region
        self.bucketState = bucketState
    }

    /// The region that requests are signed for.
    package var effectiveRegion: String {
        region ?? bucketState.region ?? endpoint.regionOfHost ?? Self.defaultRegion
    }

    private static let defaultRegion = "us-east-1"
    private static let answerLimit = 16 << 20

    /// Sends a request and collects the answer.
    ///
    /// - Throws: `ArtifactError` for any status but those of success, `TransferError` where no answer came.
    func send(_ request: S3Request, _ operation: String, _ subject: String) throws -> HTTPResponse {
        try download(request, operation, subject) { _ in nil }
    }

    /// Sends a request and streams the body of a success into the sink that `onSuccess` gives; nil collects it.
    func download(
        _ request: S3Request, _ operation: String, _ subject: String,
        onSuccess: (HTTPResponseHead) throws -> (any ByteSink)?
    ) throws -> HTTPResponse {
        var used = effectiveRegion
        var corrected = false
        while true {
            let response = try once(request, region: used, onSuccess)
            if Self.isSuccess(response.status) { return response }
            let failure = S3Answer.Failure(response, hasKey: request.key != nil)
            if region == nil, !corrected, let right = try regionAfter(failure, request, used) {
                corrected = true
                used = right
                bucketState.region = right
                continue
            }
            throw failure.error(operation, subject)
        }
    }

    private static func isSuccess(_ status: Int) -> Bool { (200..<300).contains(status) }

    private func once(
        _ request: S3Request, region: String, _ onSuccess: (HTTPResponseHead) throws -> (any ByteSink)?
    ) throws -> HTTPResponse {
        let path = endpoint.path(key: request.key)
        let authority = endpoint.authority(region: region)
        let query = SigV4.queryText(request.query)
        let url = "\(endpoint.isSecure ? "https" : "http")://\(authority)\(path)" + (query.isEmpty ? "" : "?\(query)")
        var message = HTTPRequest(request.method, url)
        for (name, value) in request.headers { message.headers.add(name, value) }
        let signed = SigV4.sign(
            SigV4.Request(
                method: request.method, path: path, query: request.query, headers: request.headers, host: authority),
            credential: credential, region: region, service: "s3", date: .now, payload: request.payload)
        for (name, value) in signed { message.headers.add(name, value) }
        message.expectsLargeBody = request.expectsLargeBody
        message.stallTimeout = request.stallTimeout ?? stallTimeout
        return try http.download(message, body: request.body, bodyLimit: Self.answerLimit) { head in
            Self.isSuccess(head.status) ? try onSuccess(head) : nil
        }
    }

    /// The bucket's region, where an error says that the one used is wrong; nil where it does not.
    private func regionAfter(_ failure: S3Answer.Failure, _ request: S3Request, _ used: String) throws -> String? {
        let isAboutRegion =
            ["AuthorizationHeaderMalformed", "InvalidRegion", "PermanentRedirect", "AccessDenied"].contains(failure.word)
            || [301, 307].contains(failure.status)
        if isAboutRegion, let named = failure.region, !named.isEmpty { return named == used ? nil : named }
        // The answer to HEAD tells no more than a status: ask by a request that has a body.
        guard request.method == "HEAD", [400, 301].contains(failure.status) else { return nil }
        let found = try bucketRegion(signedFor: used)
        return found == used ? nil : found
    }

    /// Asks for the bucket's region; nil where the store does not say.
    private func bucketRegion(signedFor region: String) throws -> String? {
        var request = S3Request("GET")
        request.query = [("location", "")]
        let response = try once(request, region: region) { _ in nil }
        guard Self.isSuccess(response.status) else { return S3Answer.Failure(response, hasKey: false).region }
        guard let root = XMLElement.parse(response.body) else { return nil }
        let constraint = root.name == "LocationConstraint" ? root.text : root["LocationConstraint"]?.text ?? ""
        switch constraint {
        case "": return Self.defaultRegion
        case "EU": return "eu-west-1"
        default: return constraint
        }
    }
}

/// What was learnt of a bucket, shared by all artifacts in it.
package final class S3BucketState: Sendable {
    private struct State {
        var region: String?
        var echoesChecksums = false
        var isKnownToExist = false
    }
    private let state = Mutex(State())

    package init() {}

    var region: String? {
        get { state.withLock { $0.region } }
        set { state.withLock { $0.region = newValue } }
    }

    /// Whether the store was seen to check a CRC32C that it was sent.
    var echoesChecksums: Bool {
        get { state.withLock { $0.echoesChecksums } }
        set { state.withLock { $0.echoesChecksums = newValue } }
    }

    var isKnownToExist: Bool {
        get { state.withLock { $0.isKnownToExist } }
        set { state.withLock { $0.isKnownToExist = newValue } }
    }
}
