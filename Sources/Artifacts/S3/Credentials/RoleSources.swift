import Artifacts
import RequestSigning
import SystemSupport

/// A role to be assumed.
struct AssumedRole: Sendable {
    var arn: String
    /// nil for a name of our own.
    var sessionName: String?
    var externalID: String?
    /// Seconds; nil for the service's own choice, an hour.
    var duration: Int?

    /// Names a session by the time, as SDKs do.
    static func newSessionName() -> String {
        let now = Timestamp.now
        return "argoexec-\(now.seconds)\(pad(Int(now.nanoseconds), 9))"
    }
}

/// A role assumed with other keys, which are asked for anew each time.
struct AssumedRoleSource: CredentialSource {
    private let role: AssumedRole
    private let base: any CredentialSource<SigV4.Credential>
    private let service: SecurityTokenService
    private let region: @Sendable () -> String?

    init(
        role: AssumedRole, base: any CredentialSource<SigV4.Credential>, service: SecurityTokenService,
        region: @escaping @Sendable () -> String?
    ) {
        self.role = role
        self.base = base
        self.service = service
        self.region = region
    }

    var name: String { "role \(role.arn) (by \(base.name))" }

    func fetch() throws -> IssuedCredential<SigV4.Credential>? {
        guard let keys = try base.fetch()?.credential else { return nil }
        var parameters = [
            (name: "RoleArn", value: role.arn),
            (name: "RoleSessionName", value: role.sessionName ?? AssumedRole.newSessionName()),
        ]
        if let duration = role.duration { parameters.append(("DurationSeconds", String(duration))) }
        if let id = role.externalID { parameters.append(("ExternalId", id)) }
        return try service.call(
            "AssumeRole", parameters, region: region(), keys: keys,
            hiding: [keys.secretKey, keys.sessionToken, role.externalID.map { Secret($0) }].compactMap { $0 })
    }
}

/// A role for a token of another identity provider, e.g. a Kubernetes service account's (IRSA).
struct WebIdentitySource: CredentialSource {
    private let identity: AWSEnvironment.WebIdentity
    private let service: SecurityTokenService
    private let region: @Sendable () -> String?

    init(
        _ identity: AWSEnvironment.WebIdentity, service: SecurityTokenService,
        region: @escaping @Sendable () -> String?
    ) {
        self.identity = identity
        self.service = service
        self.region = region
    }

    var name: String { "web identity" }

    func fetch() throws -> IssuedCredential<SigV4.Credential>? {
        // Read each time: the kubelet replaces it.
        let token = Secret(try SmallFile.read(identity.tokenFile, limit: 1 << 20)).trimmed
        if token.isEmpty { throw CredentialFailure.transient("the token file \(identity.tokenFile.text) is empty") }
        var parameters = [
            (name: "RoleSessionName", value: identity.sessionName ?? AssumedRole.newSessionName()),
            (name: "WebIdentityToken", value: token.revealText()),
        ]
        if let role = identity.roleARN { parameters.insert(("RoleArn", role), at: 0) }
        return try service.call(
            "AssumeRoleWithWebIdentity", parameters, region: region(), keys: nil, hiding: [token])
    }
}
