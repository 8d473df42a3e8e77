import Artifacts
import Documents
import HTTPTransport
import RequestSigning
import SystemSupport

/// A service account's key, which is changed for tokens by a signed assertion (Google Identity, "Using OAuth 2.0 for Server to
/// Server Applications").
struct ServiceAccountKey: CredentialSource {
    let name = "service account key"
    private let email: String
    private let privateKey: Secret
    private let keyID: String
    private let tokenURL: String
    private let endpoint: GoogleTokenEndpoint

    /// Seconds that an assertion is good for; more than an hour is refused.
    private static let life: Int64 = 3600

    /// - Throws: `CredentialFailure` for a document that is no such key; nothing of it is shown.
    init(_ document: JSONValue, endpoint: GoogleTokenEndpoint) throws {
        func field(_ name: String) throws -> String {
            guard let text = ApplicationCredentials.text(document, name) else {
                throw CredentialFailure.invalid("the service account key has no '\(name)'")
            }
            return text
        }
        guard document["type"]?.string == "service_account" else {
            throw CredentialFailure.invalid("it is no service account key: its 'type' is not 'service_account'")
        }
        email = try field("client_email")
        privateKey = Secret(try field("private_key"))
        keyID = document["private_key_id"]?.string ?? ""
        tokenURL = ApplicationCredentials.text(document, "token_uri") ?? GoogleTokenEndpoint.usualURL
        self.endpoint = endpoint
    }

    func fetch() throws -> IssuedCredential<Secret>? {
        let assertion = try assertion(now: .now)
        return try endpoint.token(
            tokenURL,
            form: [
                ("grant_type", Secret("urn:ietf:params:oauth:grant-type:jwt-bearer")), ("assertion", assertion),
            ], hiding: [assertion, privateKey])
    }

    /// The assertion of a moment.
    func assertion(now: Timestamp) throws -> Secret {
        var header = JSONObject([("typ", "JWT"), ("alg", "RS256")])
        if !keyID.isEmpty { header["kid"] = .string(keyID) }
        let claims: JSONValue = [
            "iat": .number(JSONNumber(now.seconds)), "exp": .number(JSONNumber(now.seconds + Self.life)),
            "iss": .string(email), "aud": .string(tokenURL), "scope": .string(GoogleTokenEndpoint.scope),
        ]
        guard
            let token = JSONWebToken.signed(
                header: JSONValue.object(header).serialized(), claims: claims.serialized(), key: privateKey)
        else { throw CredentialFailure.invalid("the service account key's 'private_key' is no RSA key in PEM") }
        return token
    }
}
