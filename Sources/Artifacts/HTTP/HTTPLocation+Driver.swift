package import Artifacts
import HTTPTransport
import SystemSupport
package import WorkflowModel

extension HTTPDriver {
    /// Reads the secrets that the location names.
    ///
    /// Of several kinds of authorisation the first counts: OAuth2, basic, a header of the location's own, user and password in the
    /// URL. A client certificate goes with any of them (contract 05 C31).
    ///
    /// - Throws: `ArtifactError` (`invalid`) for a URL that is none, `SystemError` for a secret that is not there.
    package init(_ location: HTTPLocation, context: DriverContext) throws {
        let secrets = SecretFiles(context.secretsDirectory)
        let url = try Self.url(location.url, field: "http.url")
        var headers = HTTPHeaders()
        for header in location.headers { headers.add(header.name, header.value) }
        let certificate = try Self.certificate(location.auth?.clientCert, secrets)
        let client = context.clients.client(presenting: certificate)
        var authorization: CredentialCache<Secret>?
        if let basic = location.auth?.basicAuth,
            let user = try secrets.value(basic.usernameSecret), let password = try secrets.value(basic.passwordSecret),
            !user.isEmpty, !password.isEmpty
        {
            authorization = CredentialCache(fixed: HTTPResource.basic(user, password))
        }
        if let oauth2 = location.auth?.oauth2, let id = oauth2.clientIDSecret, let secret = oauth2.clientSecretSecret,
            let tokenURL = oauth2.tokenURLSecret, id.isNamed, secret.isNamed, tokenURL.isNamed
        {
            let request = OAuth2TokenSource.Request(scopes: oauth2.scopes, parameters: oauth2.endpointParams)
            let source = OAuth2TokenSource(
                clientID: try secrets.read(id).trimmed, clientSecret: try secrets.read(secret).trimmed,
                tokenURL: try secrets.read(tokenURL).trimmed, request: request, http: client)
            // One token for all artifacts that ask for the same.
            let key = TokenKey(
                id: id, secret: secret, tokenURL: tokenURL,
                certificate: certificate == nil ? nil : location.auth?.clientCert.clientCertSecret, request: request)
            authorization = context.memory.value(for: key) {
                CredentialCache(source, for: url.origin, context: context)
            }
        }
        let resource = HTTPResource(url: url, headers: headers, authorization: authorization, http: client)
        self.init(resource, kind: "http", context: context)
    }

    /// - Throws: `ArtifactError` (`invalid`), which does not show the text.
    static func url(_ text: String, field: String) throws -> HTTPURL {
        do { return try HTTPURL(text, encoding: true) } catch { throw ArtifactError.invalid("use", field, errorText(error)) }
    }

    private static func certificate(
        _ location: HTTPLocation.ClientCertificate?, _ secrets: SecretFiles
    ) throws -> HTTPClients.ClientCertificate? {
        guard let location, let certificate = try secrets.value(location.clientCertSecret, trimmed: false),
            let key = try secrets.value(location.clientKeySecret, trimmed: false)
        else { return nil }
        // The pass phrase cannot be asked for.
        if key.revealText().contains("ENCRYPTED") {
            throw ArtifactError.invalid("use", "http.auth.clientCert.clientKeySecret", "the key is protected by a pass phrase")
        }
        return HTTPClients.ClientCertificate(certificate: certificate, key: key)
    }
}

/// What tokens that are remembered were asked for with.
private struct TokenKey: StoreMemoryKey {
    typealias Value = CredentialCache<Secret>

    let id: SecretKeySelector
    let secret: SecretKeySelector
    let tokenURL: SecretKeySelector
    let certificate: SecretKeySelector?
    let request: OAuth2TokenSource.Request
}
