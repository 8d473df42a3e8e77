package import Artifacts
import Documents
package import HTTPTransport
package import RequestSigning
import Synchronization
import SystemSupport

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
    /// Puts in order what a failed transfer leaves behind: it goes out although all was called off, and takes little time.
    var isCleanup = false

    init(_ method: String, key: [UInt8]? = nil) {
        self.method = method
        self.key = key
    }
}

/// Signs requests for one bucket and sends them, in the right region.
package struct S3Client: Sendable {
    package let endpoint: S3Endpoint
    private let http: HTTPClient
    let credentials: CredentialCache<SigV4.Credential>
    /// As the location names it; nil to find it out.
    private let region: String?
    let bucketState: S3BucketState
    /// What the requests for objects say of encryption.
    var encryption = S3Encryption.none
    /// Seconds without a byte before a request counts as failed.
    var stallTimeout = 60
    var log = Log.silent
    /// Whether loads are compared with an ETag of any size, and nothing explains a mismatch away.
    var verifiesAlways = false

    package init(
        endpoint: S3Endpoint, http: HTTPClient, credentials: CredentialCache<SigV4.Credential>, region: String?,
        bucketState: S3BucketState
    ) {
        self.endpoint = endpoint
        self.http = http
        self.credentials = credentials
        self.region = region
        self.bucketState = bucketState
    }

    /// The region that requests are signed for.
    package var effectiveRegion: String {
        region ?? bucketState.region ?? endpoint.regionOfHost ?? Self.defaultRegion
    }

    static let defaultRegion = "us-east-1"
    private static let answerLimit = 16 << 20
    /// Seconds for a connection, or without a byte, of a request in the background.
    private static let cleanupTimeout = 10

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
        var isCorrected = false
        while true {
            let lease = try credentials.lease()
            let response = try once(request, region: used, lease.credential, onSuccess)
            if HTTPStatus.isSuccess(response.status) {
                credentials.accept(lease)
                return response
            }
            let failure = S3Answer.Failure(response, hasKey: request.key != nil)
            switch failure.saysExpired ? .expiredCredential : regionAfter(failure, used, lease.credential) {
            case .expiredCredential:
                throw failure.error(
                    operation, subject, hiding: Self.secrets(request, lease.credential),
                    canRenew: credentials.invalidate(lease))
            case .region(let right) where right != used && !isCorrected:
                isCorrected = true
                used = right
            case .region, .unknown:
                throw failure.error(operation, subject, hiding: Self.secrets(request, lease.credential))
            }
        }
    }

    /// Secrets sent with a request, encoded as sent; error texts are redacted by them.
    private static func secrets(_ request: S3Request, _ credential: SigV4.Credential) -> [Secret] {
        let keys = request.headers.filter { $0.name.hasSuffix("-server-side-encryption-customer-key") }
        return [Secret(credential.accessKey), credential.secretKey, credential.sessionToken ?? Secret("")]
            + keys.map { Secret($0.value) }
    }

    /// An error that stands in the answer to a request that seemed to succeed.
    func error(_ element: XMLElement, to request: S3Request, _ operation: String, _ subject: String) throws -> ArtifactError {
        S3Answer.Failure(error: element).error(
            operation, subject, hiding: Self.secrets(request, try credentials.lease().credential))
    }

    private func once(
        _ request: S3Request, region: String, _ credential: SigV4.Credential,
        _ onSuccess: (HTTPResponseHead) throws -> (any ByteSink)?
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
        if request.isCleanup {
            message.outlivesCancellation = true
            message.connectTimeout = min(message.connectTimeout, Self.cleanupTimeout)
            message.stallTimeout = min(message.stallTimeout, Self.cleanupTimeout)
        }
        return try http.download(message, body: request.body, bodyLimit: Self.answerLimit) { head in
            HTTPStatus.isSuccess(head.status) ? try onSuccess(head) : nil
        }
    }

    /// What a failure, or a question because of it, tells.
    private enum Finding {
        case region(String)
        case expiredCredential
        case unknown
    }

    /// Looks for the bucket's region where the location names none: in the failure itself, else by asking for it once; what is
    /// found is remembered (contract 03 §6.1).
    private func regionAfter(_ failure: S3Answer.Failure, _ used: String, _ credential: SigV4.Credential) -> Finding {
        guard region == nil else { return .unknown }
        let isRedirect = [301, 307].contains(failure.status)
        if isRedirect || Self.regionWords.contains(failure.word), let named = failure.region, Self.isRegion(named) {
            bucketState.region = named
            return .region(named)
        }
        // A wrong region has many answers: to HEAD a bare status, from some stores a signature that does not match.
        let isKnown = (bucketState.region ?? endpoint.regionOfHost) != nil
        guard isRedirect || !isKnown && [400, 403].contains(failure.status) else { return .unknown }
        let finding = askForRegion(signedFor: used, credential)
        if case .region(let found) = finding { bucketState.region = found }
        return finding
    }

    private static let regionWords: Set<String> = [
        "AuthorizationHeaderMalformed", "InvalidRegion", "PermanentRedirect", "AccessDenied",
    ]

    /// Asks for the bucket's region; whatever goes wrong with that, the failure that led here stands.
    private func askForRegion(signedFor used: String, _ credential: SigV4.Credential) -> Finding {
        var request = S3Request("GET")
        request.query = [("location", "")]
        guard let response = try? once(request, region: used, credential, { _ in nil }) else { return .unknown }
        guard HTTPStatus.isSuccess(response.status) else {
            let failure = S3Answer.Failure(response, hasKey: false)
            if failure.saysExpired { return .expiredCredential }
            return failure.region.flatMap { Self.isRegion($0) ? .region($0) : nil } ?? .unknown
        }
        guard let root = XMLElement.parse(response.body) else { return .unknown }
        let constraint = root.name == "LocationConstraint" ? root.text : root["LocationConstraint"]?.text ?? ""
        switch constraint {
        case "": return .region(Self.defaultRegion)
        case "EU": return .region("eu-west-1")
        default: return Self.isRegion(constraint) ? .region(constraint) : .unknown
        }
    }

    /// Whether a text may stand in a signature's scope and in a host's name.
    private static func isRegion(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}

/// What was learnt of a bucket, shared by all artifacts in it.
package final class S3BucketState: Sendable {
    private struct State {
        var region: String?
        var echoesChecksums = false
        var isKnownToExist = false
        var lacking: Set<S3Extension> = []
        var encodesSilently: Bool?
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

    /// Whether the store percent-encodes the keys of listings without saying so; nil while that is not known.
    var encodesSilently: Bool? {
        get { state.withLock { $0.encodesSilently } }
        set { state.withLock { $0.encodesSilently = newValue } }
    }

    func lacks(_ feature: S3Extension) -> Bool { state.withLock { $0.lacking.contains(feature) } }

    /// - Returns: whether that is new.
    func note(lacking feature: S3Extension) -> Bool { state.withLock { $0.lacking.insert(feature).inserted } }
}
