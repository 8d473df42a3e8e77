import Artifacts
import Documents
import HTTPTransport
import SystemSupport

/// Asks services for access tokens.
struct GoogleTokenEndpoint: Sendable {
    let http: HTTPClient

    /// What may be done with a token: read and write objects (contract 03 §6.2).
    static let scope = "https://www.googleapis.com/auth/devstorage.read_write"
    /// Where documents that name no endpoint have theirs.
    static let usualURL = "https://oauth2.googleapis.com/token"
    private static let operation = "ask the token endpoint"
    private static let totalTimeout = 60
    private static let answerLimit = 1 << 20

    /// Sends a form by POST; nothing of it is shown.
    ///
    /// - Parameter secrets: what an error text must not repeat.
    func token(_ url: String, form: [(name: String, value: Secret)], hiding secrets: [Secret]) throws
        -> IssuedCredential<Secret>
    {
        var request = HTTPRequest("POST", url)
        request.headers = ["Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"]
        return try token(request, Array(FormEncoding.encode(form).utf8), hiding: secrets)
    }

    /// Sends a request whose answer holds a token.
    func token(_ request: HTTPRequest, _ body: [UInt8], hiding secrets: [Secret], now: Timestamp = .now) throws
        -> IssuedCredential<Secret>
    {
        let document = try ask(request, body, hiding: secrets)
        let text = document.field("access_token")?.string ?? document.field("accessToken")?.string ?? ""
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw CredentialFailure.invalid("\(Self.operation): the answer holds no access token")
        }
        var expiry = document.field("expireTime")?.string.flatMap { Timestamp(rfc3339: $0) }
        if let life = document.field("expires_in"), let seconds = life.int ?? life.string.flatMap({ Int64($0) }), seconds > 0 {
            expiry = Timestamp(seconds: now.seconds + min(seconds, 365 * 86400), nanoseconds: now.nanoseconds)
        }
        return IssuedCredential(Secret(text), expiry: expiry)
    }

    /// Sends a request whose answer is a JSON object.
    ///
    /// - Throws: `CredentialFailure`; it tells the code word and the sentence of OAuth's errors (RFC 6749 §5.2) and of Google's.
    func ask(_ request: HTTPRequest, _ body: [UInt8], hiding secrets: [Secret]) throws -> JSONValue {
        var request = request
        if request.totalTimeout == nil { request.totalTimeout = Self.totalTimeout }
        let response: HTTPResponse
        do {
            response = try http.perform(
                request, body: request.method == "GET" ? .none : .bytes(body), bodyLimit: Self.answerLimit)
        } catch let error as TransferError {
            let text = "\(Self.operation): \(error.cause)"
            throw error.isTransient ? CredentialFailure.transient(text) : .invalid(text)
        }
        let document = try? JSONValue(parsing: response.body)
        guard response.status == 200 else {
            let error = document?.field("error")
            throw CredentialFailure.refused(
                Self.operation, status: response.status, word: error?.string ?? error?.field("status")?.string ?? "",
                text: document?.field("error_description")?.string ?? error?.field("message")?.string ?? "", hiding: secrets,
                isTransient: HTTPStatus.isPassingRefusal(response.status) || response.status >= 500)
        }
        guard let document, document.object != nil else {
            throw CredentialFailure.invalid("\(Self.operation): the answer is no JSON object")
        }
        return document
    }
}
