import Artifacts
import Encodings
import HTTPTransport
import RequestSigning
import SystemSupport

/// The credentials of the role attached to an EC2 instance, from its metadata service (AWS, EC2 User Guide, "Retrieve security
/// credentials from instance metadata").
struct InstanceMetadataSource: CredentialSource {
    let settings: AWSEnvironment.Metadata
    let http: HTTPClient

    var name: String { "instance metadata" }

    private static let rolesPath = "/latest/meta-data/iam/security-credentials/"

    func fetch() throws -> IssuedCredential<SigV4.Credential>? {
        if settings.isDisabled { return nil }
        let base = base
        let session = try session(base)
        let roles = try get(base + Self.rolesPath, session)
        guard !roles.contains(UInt8(ascii: "<")) else {
            throw CredentialFailure.invalid("GET \(Self.rolesPath): the answer names no role")
        }
        guard let role = roles.split(whereSeparator: { [0x0A, 0x0D, 0x20].contains($0) }).first else {
            throw CredentialFailure.invalid("no role is attached to this instance")
        }
        let document = try KeyDocument(
            try get(base + Self.rolesPath + PercentEncoding.encode(Array(role)), session))
        if let code = document["Code"], code != "Success" {
            throw CredentialFailure.refused(
                "get the role's credentials", status: 200, word: code, text: document["Message"] ?? "",
                hiding: [session].compactMap { $0 }, isTransient: false)
        }
        return try document.keys(token: "Token")
    }

    /// The service's URL, without a slash at its end.
    var base: String {
        let endpoint = settings.endpoint ?? (settings.usesIPv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254")
        return endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
    }

    /// A session's token (IMDSv2); nil where there are none to be had, and the first version serves.
    private func session(_ base: String) throws -> Secret? {
        var request = HTTPRequest("PUT", base + "/latest/api/token")
        // Behind a hop too many the answer never comes (contract 03 §6.1).
        request.connectTimeout = 1
        request.totalTimeout = 1
        request.headers.add("X-aws-ec2-metadata-token-ttl-seconds", "21600")
        let response: HTTPResponse
        do { response = try http.perform(request, bodyLimit: 1 << 16) } catch let error as TransferError
            where error.code == .timeout && !settings.needsSession
        { return nil }
        if response.status == 200 {
            let token = Secret(response.body).trimmed
            // Something else may answer in the service's place, e.g. with a page to sign in.
            guard !token.isEmpty, token.reveal().allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw CredentialFailure.invalid("PUT /latest/api/token: the response is not a token")
            }
            return token
        }
        if [403, 404, 405].contains(response.status), !settings.needsSession { return nil }
        throw refused("PUT /latest/api/token", response.status)
    }

    private func get(_ url: String, _ session: Secret?) throws -> [UInt8] {
        var request = HTTPRequest("GET", url)
        request.connectTimeout = 1
        // A role may have to be assumed first, where something stands in for the service.
        request.totalTimeout = 10
        if let session { request.headers.add("X-aws-ec2-metadata-token", session.revealText()) }
        let response = try http.perform(request, bodyLimit: 1 << 16)
        if response.status == 200 { return response.body }
        if response.status == 404 { throw CredentialFailure.invalid("no role is attached to this instance") }
        throw refused("GET \(try HTTPURL(url).path)", response.status, isTransient: response.status == 401 && session != nil)
    }

    private func refused(_ operation: String, _ status: Int, isTransient: Bool = false) -> CredentialFailure {
        .refused(operation, status: status, isTransient: isTransient || status >= 500 || status == 429)
    }
}
