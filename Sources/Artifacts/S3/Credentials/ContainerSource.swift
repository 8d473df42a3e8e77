import Artifacts
import HTTPTransport
import RequestSigning
import SystemSupport

/// A container's own credentials: ECS tasks and EKS pod identity (AWS, "Container credential provider").
struct ContainerSource: CredentialSource {
    let settings: AWSEnvironment.Container
    let clients: HTTPClients

    var name: String { "container" }

    /// Hosts beside loopback that may be asked without TLS: ECS's and EKS's.
    private static let trustedHosts: Set<String> = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"]

    func fetch() throws -> IssuedCredential<SigV4.Credential>? {
        guard let url = try url() else { return nil }
        var request = HTTPRequest("GET", url.text)
        request.connectTimeout = 5
        request.totalTimeout = 10
        request.headers.add("Accept", "application/json")
        let token = try token()
        if let token { request.headers.add("Authorization", token.revealText()) }
        // What is near is never asked by a proxy.
        let http = url.scheme == "https" ? clients.client() : clients.direct
        let response = try http.perform(request, bodyLimit: 1 << 20)
        guard response.status == 200 else {
            let told = try? KeyDocument(response.body)
            throw CredentialFailure.refused(
                "GET \(url)", status: response.status, word: told?["code"] ?? "", text: told?["message"] ?? "",
                hiding: [token].compactMap { $0 }, isTransient: response.status >= 500 || response.status == 429)
        }
        return try KeyDocument(response.body).keys(token: "Token")
    }

    /// nil where the environment names none; the path wins over the URL.
    func url() throws -> HTTPURL? {
        if let path = settings.relativeURI {
            guard path.hasPrefix("/") else {
                throw CredentialFailure.invalid("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must begin with a slash")
            }
            return try HTTPURL("http://169.254.170.2\(path)")
        }
        guard let text = settings.fullURI else { return nil }
        let url = try HTTPURL(text)
        guard url.scheme == "https" || Self.isTrusted(url.bareHost) else {
            throw CredentialFailure.invalid(
                "AWS_CONTAINER_CREDENTIALS_FULL_URI: \(url.host) is not asked without TLS: it is neither loopback nor a host of ECS or EKS"
            )
        }
        return url
    }

    private static func isTrusted(_ host: String) -> Bool {
        if trustedHosts.contains(host.lowercased()) || host.lowercased() == "localhost" { return true }
        return IPAddress(host)?.isLoopback ?? false
    }

    /// Read each time: it is replaced from time to time.
    private func token() throws -> Secret? {
        guard let file = settings.tokenFile else { return settings.token }
        let token = Secret(try SmallFile.read(file, limit: 1 << 20)).trimmed
        if token.isEmpty { throw CredentialFailure.transient("the token file \(file.text) is empty") }
        return token
    }
}
