package import Artifacts
import FileTrees
package import RequestSigning
package import SystemSupport

/// What the environment says about AWS, as values (AWS, "SDKs and Tools Reference Guide", environment variables).
package struct AWSEnvironment: CloudSettings {
    /// `AWS_ACCESS_KEY_ID` and its companions; nil unless both keys are set.
    package var keys: SigV4.Credential?
    package var region: String?
    /// The profile asked for; nil for `default`, which need not exist.
    package var profile: String?
    package var configFile: BytePath?
    package var credentialsFile: BytePath?
    package var webIdentity: WebIdentity?
    package var container = Container()
    package var metadata = Metadata()
    package var securityTokenService = SecurityTokenService()

    /// A token to be changed for a role's credentials.
    package struct WebIdentity: Sendable {
        package var tokenFile: BytePath
        package var roleARN: String?
        package var sessionName: String?

        package init(tokenFile: BytePath, roleARN: String?, sessionName: String?) {
            self.tokenFile = tokenFile
            self.roleARN = roleARN
            self.sessionName = sessionName
        }
    }

    /// Where a container's credentials are (ECS, EKS pod identity).
    package struct Container: Sendable {
        package var relativeURI: String?
        package var fullURI: String?
        package var token: Secret?
        package var tokenFile: BytePath?
    }

    /// How the instance's metadata are asked.
    package struct Metadata: Sendable {
        package var isDisabled = false
        package var needsSession = false
        package var endpoint: String?
        package var usesIPv6 = false
    }

    /// Where roles are assumed.
    package struct SecurityTokenService: Sendable {
        package var endpoint: String?
        /// The one global host, for the regions that it serves.
        package var prefersGlobalHost = false
    }

    /// Whether it has or names any keys, so that the machine's metadata are not all that is left.
    var hasOwnKeys: Bool {
        if keys != nil || profile != nil || webIdentity != nil { return true }
        if container.relativeURI != nil || container.fullURI != nil { return true }
        return [configFile, credentialsFile].contains { file in
            file.flatMap { try? FileStatus.of($0, followingLinks: true) } != nil
        }
    }

    /// Nothing is set.
    package init() {}

    package init(_ environment: Environment) {
        func first(_ variables: EnvironmentVariable...) -> String? {
            for variable in variables { if let value = environment.nonEmpty(variable) { return value } }
            return nil
        }
        func isTrue(_ variable: EnvironmentVariable) -> Bool { environment[variable]?.lowercased() == "true" }
        if let access = first(.awsAccessKeyID, .awsAccessKey), let secret = first(.awsSecretAccessKey, .awsSecretKey) {
            keys = SigV4.Credential(
                accessKey: access, secretKey: Secret(secret), sessionToken: first(.awsSessionToken).map { Secret($0) })
        }
        region = first(.awsRegion, .awsDefaultRegion)
        profile = first(.awsProfile, .awsDefaultProfile)
        let folder = first(.home).map { BytePath($0).appending(BytePath(".aws")) }
        configFile = first(.awsConfigFile).map { BytePath($0) } ?? folder?.appending(BytePath("config"))
        credentialsFile = first(.awsSharedCredentialsFile).map { BytePath($0) } ?? folder?.appending(BytePath("credentials"))
        webIdentity = first(.awsWebIdentityTokenFile).map {
            WebIdentity(tokenFile: BytePath($0), roleARN: first(.awsRoleARN), sessionName: first(.awsRoleSessionName))
        }
        container.relativeURI = first(.awsContainerCredentialsRelativeURI)
        container.fullURI = first(.awsContainerCredentialsFullURI)
        container.token = first(.awsContainerAuthorizationToken).map { Secret($0) }
        container.tokenFile = first(.awsContainerAuthorizationTokenFile).map { BytePath($0) }
        metadata.isDisabled = isTrue(.awsMetadataDisabled)
        metadata.needsSession = isTrue(.awsMetadataV1Disabled)
        metadata.endpoint = first(.awsMetadataEndpoint)
        metadata.usesIPv6 = first(.awsMetadataEndpointMode)?.lowercased() == "ipv6"
        securityTokenService.endpoint = first(.awsSTSEndpoint, .awsEndpoint)
        securityTokenService.prefersGlobalHost = first(.awsSTSRegionalEndpoints)?.lowercased() == "legacy"
    }
}

extension DriverContext {
    /// What the environment says of credentials for AWS.
    package var aws: AWSEnvironment {
        get { clouds[AWSEnvironment.self] }
        set { clouds[AWSEnvironment.self] = newValue }
    }
}
