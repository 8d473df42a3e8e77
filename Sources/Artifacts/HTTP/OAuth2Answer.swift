import Artifacts
import Documents
import Encodings
import HTTPTransport
import SystemSupport

/// The answer of an OAuth2 token endpoint (RFC 6749 §5).
struct OAuth2Answer {
    private let status: Int
    private let accessToken: Secret
    private let tokenType: String
    /// Seconds; nil where the token does not say when it ends.
    private let life: Int64?
    private let errorWord: String

    /// The code words of RFC 6749 §5.2. Others are not shown: an endpoint may repeat what it was sent.
    private static let errorWords = [
        "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
    ]

    init(_ response: HTTPResponse) {
        status = response.status
        let type = response.headers["Content-Type"]?.split(separator: ";").first.map { $0.lowercased() } ?? ""
        let field: (String) -> String?
        if type == "application/x-www-form-urlencoded" || type == "text/plain" {
            let fields = Self.form(response.body)
            field = { name in fields.first { $0.0 == name }?.1 }
        } else {
            let document = try? JSONValue(parsing: response.body)
            field = { name in
                guard let value = document?.field(name) else { return nil }
                return value.string ?? value.int.map { String($0) }
            }
        }
        accessToken = Secret(field("access_token") ?? "")
        tokenType = field("token_type") ?? ""
        life = field("expires_in").flatMap { Int64($0) }.flatMap { $0 > 0 ? $0 : nil }
        let word = field("error") ?? ""
        errorWord = Self.errorWords.contains(word) ? word : ""
    }

    /// The value of the `Authorization` header, and until when it is good.
    ///
    /// - Throws: `CredentialFailure`.
    func issued(now: Timestamp = .now) throws -> IssuedCredential<Secret> {
        guard HTTPStatus.isSuccess(status) else {
            throw CredentialFailure.refused(
                OAuth2TokenSource.operation, status: status, word: errorWord, isTransient: HTTPAnswer.isTransient(status))
        }
        guard !accessToken.isEmpty else {
            let cause = errorWord.isEmpty ? "the answer holds no access_token" : "\(status): \(errorWord)"
            throw CredentialFailure.invalid("\(OAuth2TokenSource.operation): \(cause)")
        }
        let value = Secret(Array("\(scheme) ".utf8) + accessToken.reveal())
        let expiry = life.map { Timestamp(seconds: now.seconds + min($0, Self.longestLife), nanoseconds: now.nanoseconds) }
        return IssuedCredential(value, expiry: expiry)
    }

    private static let longestLife: Int64 = 100 * 365 * 86400

    /// Go's spelling of the usual kinds.
    private var scheme: String {
        switch tokenType.lowercased() {
        case "", "bearer": "Bearer"
        case "basic": "Basic"
        case "mac": "MAC"
        default: tokenType
        }
    }

    private static func form(_ body: [UInt8]) -> [(String, String)] {
        body.split(separator: UInt8(ascii: "&")).map { pair in
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
                .map { String(decoding: PercentEncoding.decode(Array($0), plusIsSpace: true), as: UTF8.self) }
            return (parts[0], parts.count > 1 ? parts[1] : "")
        }
    }
}
