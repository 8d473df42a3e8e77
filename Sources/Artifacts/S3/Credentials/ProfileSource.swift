import Artifacts
import RequestSigning
import SystemSupport

/// A profile of the shared files: keys, a role with its source, a token, or a program that prints keys. The files are read anew
/// each time.
struct ProfileSource: CredentialSource {
    let environment: AWSEnvironment
    let service: SecurityTokenService
    /// The region that the location names.
    let locationRegion: String?
    /// Container and instance metadata, for `credential_source`.
    let local: [any CredentialSource<SigV4.Credential>]

    var name: String { "profile '\(profile)'" }

    private var profile: String { environment.profile ?? "default" }
    private static let longestChain = 8

    func fetch() throws -> IssuedCredential<SigV4.Credential>? {
        let files = files()
        guard files[profile] != nil else {
            if environment.profile == nil { return nil }
            throw CredentialFailure.invalid("the shared files have no such profile")
        }
        return try keys(of: profile, in: files, after: [])
    }

    /// The region of the environment, else of the profile, else of the location.
    var region: String? { environment.region ?? files()[profile]?["region"] ?? locationRegion }

    private func files() -> ProfileFiles {
        ProfileFiles(config: environment.configFile, credentials: environment.credentialsFile)
    }

    /// - Parameter users: the profiles that want this one's keys to assume a role with.
    private func keys(
        of name: String, in files: ProfileFiles, after users: [String]
    ) throws -> IssuedCredential<SigV4.Credential>? {
        guard let profile = files[name] else {
            throw CredentialFailure.invalid("source_profile '\(name)' is not in the shared files")
        }
        let role = try role(of: profile, name)
        let base: IssuedCredential<SigV4.Credential>?
        if let source = profile["source_profile"], source != name {
            guard !users.contains(name), users.count < Self.longestChain else {
                throw CredentialFailure.invalid("source_profile of profile '\(name)' goes round in a circle")
            }
            base = try keys(of: source, in: files, after: users + [name])
        } else if let keys = try staticKeys(profile, name) {
            base = IssuedCredential(keys, expiry: nil)
        } else if let source = profile["credential_source"] {
            base = try keys(ofSource: source, name)
        } else if let file = profile["web_identity_token_file"] {
            let identity = AWSEnvironment.WebIdentity(
                tokenFile: BytePath(file), roleARN: role?.arn, sessionName: role?.sessionName)
            return try WebIdentitySource(identity, service: service) { region }.fetch()
        } else if profile["sso_session"] != nil || profile["sso_start_url"] != nil {
            throw CredentialFailure.invalid("profile '\(name)' signs in by SSO, which is not supported")
        } else if let command = profile["credential_process"] {
            base = try CredentialProcess(command: command, profile: name).run()
        } else {
            base = nil
        }
        guard let role else { return base }
        guard let base else {
            throw CredentialFailure.invalid("profile '\(name)' has a role_arn but nothing to assume it with")
        }
        let source = AssumedRoleSource(role: role, base: HeldSource(issued: base), service: service) { region }
        return try source.fetch()
    }

    private func role(of profile: [String: String], _ name: String) throws -> AssumedRole? {
        guard let arn = profile["role_arn"] else {
            for word in ["source_profile", "credential_source", "web_identity_token_file"] where profile[word] != nil {
                throw CredentialFailure.invalid("profile '\(name)' has a \(word) but no role_arn")
            }
            return nil
        }
        if profile["mfa_serial"] != nil {
            throw CredentialFailure.invalid(
                "profile '\(name)' asks for a one-time password (mfa_serial), which is not supported")
        }
        return AssumedRole(
            arn: arn, sessionName: profile["role_session_name"], externalID: profile["external_id"],
            duration: profile["duration_seconds"].flatMap { Int($0) })
    }

    private func staticKeys(_ profile: [String: String], _ name: String) throws -> SigV4.Credential? {
        switch (profile["aws_access_key_id"], profile["aws_secret_access_key"]) {
        case (let access?, let secret?):
            return SigV4.Credential(
                accessKey: access, secretKey: Secret(secret), sessionToken: profile["aws_session_token"].map { Secret($0) })
        case (nil, nil): return nil
        default:
            throw CredentialFailure.invalid(
                "profile '\(name)' has only one of aws_access_key_id and aws_secret_access_key")
        }
    }

    private func keys(ofSource source: String, _ name: String) throws -> IssuedCredential<SigV4.Credential>? {
        switch source {
        case "Environment": return EnvironmentKeySource(keys: environment.keys).fetch()
        case "EcsContainer": return try local.first { $0.name == "container" }?.fetch()
        case "Ec2InstanceMetadata": return try local.first { $0.name == "instance metadata" }?.fetch()
        default: throw CredentialFailure.invalid("profile '\(name)' has an unknown credential_source '\(source)'")
        }
    }
}

/// Keys that are there already.
private struct HeldSource: CredentialSource {
    let issued: IssuedCredential<SigV4.Credential>
    var name: String { "profile" }

    func fetch() -> IssuedCredential<SigV4.Credential>? { issued }
}
