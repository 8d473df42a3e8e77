import Artifacts
import Documents
import HTTPTransport
import SystemSupport

/// The file of application default credentials, read anew for each token: what is mounted may change.
struct ApplicationCredentials: CredentialSource {
    /// nil where there is none to be looked for.
    let file: BytePath?
    /// Whether the user has named it: it must be there then.
    let isNamed: Bool
    let endpoint: GoogleTokenEndpoint

    var name: String { isNamed ? "GOOGLE_APPLICATION_CREDENTIALS" : "gcloud's application default credentials" }

    func fetch() throws -> IssuedCredential<Secret>? {
        guard let file else { return nil }
        let bytes: [UInt8]
        do { bytes = try SmallFile.read(file, limit: 1 << 20) } catch {
            if isNamed { throw error }
            return nil
        }
        guard let document = try? JSONValue(parsing: bytes), document.object != nil else {
            throw CredentialFailure.invalid("the file is no JSON object")
        }
        return try Self.token(document, endpoint)
    }

    /// A token for what a document describes.
    static func token(_ document: JSONValue, _ endpoint: GoogleTokenEndpoint) throws -> IssuedCredential<Secret>? {
        switch document["type"]?.string ?? "" {
        case "service_account": return try ServiceAccountKey(document, endpoint: endpoint).fetch()
        case "authorized_user": return try refresh(document, endpoint)
        case "external_account": return try ExternalAccount(document, endpoint: endpoint).token()
        case "impersonated_service_account":
            guard let source = document["source_credentials"], let url = text(document, "service_account_impersonation_url"),
                source["type"]?.string != "impersonated_service_account", let token = try token(source, endpoint)
            else { throw CredentialFailure.invalid("the file names no account to be impersonated, or none to do it with") }
            return try impersonate(url, with: token.credential, endpoint)
        case let other:
            throw CredentialFailure.invalid(
                "the file's 'type' is '\(other.prefix(40))'; known are service_account, authorized_user, external_account and impersonated_service_account"
            )
        }
    }

    /// A user's own token, by the refresh token that gcloud has kept.
    private static func refresh(_ document: JSONValue, _ endpoint: GoogleTokenEndpoint) throws -> IssuedCredential<Secret> {
        guard let id = text(document, "client_id"), let secret = text(document, "client_secret").map({ Secret($0) }),
            let refresh = text(document, "refresh_token").map({ Secret($0) })
        else { throw CredentialFailure.invalid("the file lacks client_id, client_secret or refresh_token") }
        return try endpoint.token(
            text(document, "token_uri") ?? GoogleTokenEndpoint.usualURL,
            form: [
                ("grant_type", Secret("refresh_token")), ("client_id", Secret(id)), ("client_secret", secret),
                ("refresh_token", refresh),
            ], hiding: [secret, refresh])
    }

    /// A service account's token, by another's (IAM Credentials API, `generateAccessToken`).
    static func impersonate(
        _ url: String, with token: Secret, _ endpoint: GoogleTokenEndpoint
    ) throws -> IssuedCredential<Secret> {
        var request = HTTPRequest("POST", url)
        request.headers = [
            "Content-Type": "application/json", "Authorization": "Bearer \(token.revealText())",
        ]
        let body: JSONValue = ["scope": [.string(GoogleTokenEndpoint.scope)], "lifetime": "3600s"]
        return try endpoint.token(request, body.serialized(), hiding: [token])
    }

    static func text(_ document: JSONValue, _ name: String) -> String? {
        document[name]?.string.flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// Workload identity federation: another provider's token is changed for one of Google's (Google Cloud, "Workload Identity
/// Federation", RFC 8693). The other token comes from a file or from a URL.
struct ExternalAccount {
    private let document: JSONValue
    private let endpoint: GoogleTokenEndpoint

    init(_ document: JSONValue, endpoint: GoogleTokenEndpoint) {
        self.document = document
        self.endpoint = endpoint
    }

    func token() throws -> IssuedCredential<Secret> {
        func required(_ name: String) throws -> String {
            guard let text = ApplicationCredentials.text(document, name) else {
                throw CredentialFailure.invalid("the file has no '\(name)'")
            }
            return text
        }
        let subject = try subjectToken()
        let impersonation = ApplicationCredentials.text(document, "service_account_impersonation_url")
        let federated = try endpoint.token(
            try required("token_url"),
            form: [
                ("grant_type", Secret("urn:ietf:params:oauth:grant-type:token-exchange")),
                ("requested_token_type", Secret("urn:ietf:params:oauth:token-type:access_token")),
                ("audience", Secret(try required("audience"))),
                ("scope", Secret(impersonation == nil ? GoogleTokenEndpoint.scope : Self.impersonationScope)),
                ("subject_token_type", Secret(try required("subject_token_type"))), ("subject_token", subject),
            ], hiding: [subject])
        guard let impersonation else { return federated }
        return try ApplicationCredentials.impersonate(impersonation, with: federated.credential, endpoint)
    }

    private static let impersonationScope = "https://www.googleapis.com/auth/cloud-platform"

    private func subjectToken() throws -> Secret {
        guard let source = document["credential_source"] else {
            throw CredentialFailure.invalid("the file has no 'credential_source'")
        }
        let bytes: [UInt8]
        if let file = ApplicationCredentials.text(source, "file") {
            bytes = try SmallFile.read(BytePath(file), limit: 1 << 20)
        } else if let url = ApplicationCredentials.text(source, "url") {
            var request = HTTPRequest("GET", url)
            request.totalTimeout = 30
            for header in source["headers"]?.object?.members ?? [] {
                request.headers.add(header.name, header.value.string ?? "")
            }
            let response: HTTPResponse
            do { response = try endpoint.http.perform(request, bodyLimit: 1 << 20) } catch let error as TransferError {
                let text = "get the subject token: \(error.cause)"
                throw error.isTransient ? CredentialFailure.transient(text) : .invalid(text)
            }
            guard response.status == 200 else {
                throw CredentialFailure.refused(
                    "get the subject token", status: response.status,
                    isTransient: HTTPStatus.isPassingRefusal(response.status) || response.status >= 500)
            }
            bytes = response.body
        } else {
            throw CredentialFailure.invalid("'credential_source' names neither a file nor a URL; others are not served")
        }
        var token = Secret(bytes).trimmed
        if source["format"]?["type"]?.string == "json" {
            let field = source["format"]?["subject_token_field_name"]?.string ?? "access_token"
            token = Secret((try? JSONValue(parsing: bytes))?[field]?.string ?? "")
        }
        guard !token.isEmpty else { throw CredentialFailure.invalid("the subject token is empty") }
        return token
    }
}
