package import Artifacts
package import RequestSigning

/// The ways to AWS's keys, in the contract's order (03 §6.1).
package struct AWSCredentials: Sendable {
    package typealias Source = any CredentialSource<SigV4.Credential>

    private let environment: AWSEnvironment
    private let clients: HTTPClients
    /// The region that the location names; nil where it names none.
    private let region: String?

    package init(_ environment: AWSEnvironment, clients: HTTPClients, region: String?) {
        self.environment = environment
        self.clients = clients
        self.region = region
    }

    /// `useSDKCreds`: the AWS SDK's default chain.
    package var defaultChain: CredentialChain<SigV4.Credential> {
        let profiles = ProfileSource(environment: environment, service: service, locationRegion: region, local: local)
        var sources: [Source] = [EnvironmentKeySource(keys: environment.keys), profiles]
        if let identity = environment.webIdentity {
            sources.append(WebIdentitySource(identity, service: service) { profiles.region })
        } else {
            sources.append(UnsetSource(name: "web identity"))
        }
        return CredentialChain(sources + local)
    }

    /// `roleARN`: a role assumed with the default chain's keys.
    package func assuming(roleARN: String) -> Source {
        let profiles = ProfileSource(environment: environment, service: service, locationRegion: region, local: local)
        return AssumedRoleSource(
            role: AssumedRole(arn: roleARN), base: defaultChain, service: service
        ) { [region] in region ?? profiles.region }
    }

    /// Neither: what the node or the pod is given.
    package var instanceChain: CredentialChain<SigV4.Credential> {
        var sources: [Source] = []
        if let identity = environment.webIdentity {
            // Without a region the global host serves.
            let region = environment.region ?? SecurityTokenService.globalRegion
            sources.append(WebIdentitySource(identity, service: service) { region })
        } else {
            sources.append(UnsetSource(name: "web identity"))
        }
        return CredentialChain(sources + local)
    }

    private var service: SecurityTokenService {
        SecurityTokenService(settings: environment.securityTokenService, http: clients.client())
    }

    /// Those that this machine serves itself.
    private var local: [Source] {
        [
            ContainerSource(settings: environment.container, clients: clients),
            InstanceMetadataSource(settings: environment.metadata, http: clients.direct),
        ]
    }
}

/// Keys in the environment.
struct EnvironmentKeySource: CredentialSource {
    let keys: SigV4.Credential?
    var name: String { "environment" }

    func fetch() -> IssuedCredential<SigV4.Credential>? { keys.map { IssuedCredential($0, expiry: nil) } }
}

/// A source that is not configured, for the list of those that were asked.
struct UnsetSource: CredentialSource {
    let name: String

    func fetch() -> IssuedCredential<SigV4.Credential>? { nil }
}
