import Artifacts
import Documents
import Encodings
import HTTPTransport
import Synchronization
import SystemSupport
import WorkflowModel

/// Gets tokens from an OAuth2 token endpoint by client credentials (RFC 6749 §4.4; contract 03 §6.5).
///
/// The client's id and secret go as basic authentication, and where the endpoint answers with an error of any kind in the body; the
/// way that worked is the one taken later. Nothing of the endpoint's URL but its host is shown: it is a secret.
final class OAuth2TokenSource: CredentialSource {
    /// What is asked for besides the client's own name.
    struct Request: Hashable, Sendable {
        let scopes: [String]
        /// Further fields of the form; they may replace `grant_type`.
        let parameters: [HTTPLocation.EndpointParameter]
    }

    private enum Style: CaseIterable {
        case header, body
    }

    let name = "OAuth2"
    private let clientID: Secret
    private let clientSecret: Secret
    private let tokenURL: Secret
    private let request: Request
    private let http: HTTPClient
    private let workingStyle = Mutex<Style?>(nil)

    /// For messages.
    static let operation = "ask the token endpoint"
    private static let totalTimeout = 60
    private static let answerLimit = 1 << 20

    init(clientID: Secret, clientSecret: Secret, tokenURL: Secret, request: Request, http: HTTPClient) {
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.tokenURL = tokenURL
        self.request = request
        self.http = http
    }

    func fetch() throws -> IssuedCredential<Secret>? {
        let form = try form()
        if let style = workingStyle.withLock({ $0 }) { return try fetch(form, style) }
        do {
            let issued = try fetch(form, .header)
            workingStyle.withLock { $0 = .header }
            return issued
        } catch let first as CredentialFailure {
            do {
                let issued = try fetch(form, .body)
                workingStyle.withLock { $0 = .body }
                return issued
            } catch let second as CredentialFailure {
                // An endpoint that takes the header only, and was busy, answers a body with a refusal.
                throw first.isTransient ? first : second
            }
        }
    }

    /// - Throws: `CredentialFailure` where the endpoint gives none.
    private func fetch(_ form: [(name: String, value: Secret)], _ style: Style) throws -> IssuedCredential<Secret> {
        var message = HTTPRequest("POST", tokenURL.revealText())
        message.headers = ["Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"]
        message.followRedirects = true
        // The form holds the secret, or may.
        message.staysWithServer = true
        message.totalTimeout = Self.totalTimeout
        var form = form
        switch style {
        case .header:
            message.headers["Authorization"] =
                HTTPResource.basic(Secret(FormEncoding.encode(clientID)), Secret(FormEncoding.encode(clientSecret)))
                .revealText()
        case .body:
            form.append(("client_id", clientID))
            if !clientSecret.isEmpty { form.append(("client_secret", clientSecret)) }
        }
        let response: HTTPResponse
        do {
            response = try http.perform(
                message, body: .bytes(Array(FormEncoding.encode(form).utf8)), bodyLimit: Self.answerLimit)
        } catch let error as TransferError {
            let text = "\(Self.operation): \(error.cause)"
            throw error.isTransient ? CredentialFailure.transient(text) : .invalid(text)
        }
        if (300..<400).contains(response.status) {
            throw CredentialFailure.invalid(
                "\(Self.operation): \(response.status): it leads to another server, which does not get the client's secret")
        }
        return try OAuth2Answer(response).issued()
    }

    private func form() throws -> [(name: String, value: Secret)] {
        var form: [(name: String, value: Secret)] = [("grant_type", Secret("client_credentials"))]
        if !request.scopes.isEmpty { form.append(("scope", Secret(request.scopes.joined(separator: " ")))) }
        if request.parameters.contains(where: { $0.key == "grant_type" }) { form.removeFirst() }
        if !request.scopes.isEmpty, request.parameters.contains(where: { $0.key == "scope" }) {
            throw CredentialFailure.invalid("endpointParams cannot replace \"scope\"")
        }
        for parameter in request.parameters { form.append((parameter.key, Secret(parameter.value))) }
        return form
    }
}
