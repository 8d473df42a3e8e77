package import Artifacts
import HTTPTransport
import RequestSigning
import SystemSupport
package import WorkflowModel

extension S3Driver: RegisteredDriver {
    package static func serving(_ location: ArtifactLocation, context: DriverContext) throws -> S3Driver? {
        try location.s3.map { try S3Driver($0, context: context) }
    }

    package static func address(of location: ArtifactLocation, context: DriverContext) throws -> StoreAddress? {
        guard let location = location.s3 else { return nil }
        let endpoint = try S3Endpoint(location)
        let region = location.region.isEmpty ? endpoint.regionOfHost ?? S3Client.defaultRegion : location.region
        return StoreAddress(
            url: "\(endpoint.isSecure ? "https" : "http")://\(endpoint.authority(region: region))/",
            trust: try trust(location, SecretFiles(context.secretsDirectory)))
    }

    /// nil for the authorities of the system.
    private static func trust(_ location: S3Location, _ secrets: SecretFiles) throws -> TrustAnchors? {
        guard !(location.insecure ?? false), let authority = location.caSecret, authority.isNamed else { return nil }
        return .certificates(try secrets.read(authority).reveal())
    }

    /// The driver for a location: reads the secrets that it names.
    ///
    /// - Throws: `ArtifactError` (`unsupported`) for fields that are not served, `SystemError` for a secret that is not there.
    package init(_ location: S3Location, context: DriverContext) throws {
        let secrets = SecretFiles(context.secretsDirectory)
        let endpoint = try S3Endpoint(location)
        try endpoint.check(region: location.region)
        let trust = try Self.trust(location, secrets)
        let state = context.memory.value(for: BucketKey(endpoint: location.endpoint, bucket: location.bucket)) {
            S3BucketState()
        }
        var client = S3Client(
            endpoint: endpoint, http: context.clients.client(trusting: trust),
            credentials: try Self.credentials(location, secrets, context),
            region: location.region.isEmpty ? nil : location.region,
            bucketState: state)
        client.stallTimeout = context.stallTimeout
        client.log = context.log
        client.verifiesAlways = context.verifiesAlways
        client.encryption = try S3Encryption(location, secrets, isSecure: endpoint.isSecure)
        let creation = location.createBucketIfNotPresent.map { BucketCreation(objectLocking: $0.objectLocking) }
        self.init(client: client, key: location.key, creation: creation, context: context)
    }

    /// Where the location's keys come from, first match (contract 03 §6.1). A person who has given no folder of secrets has them in
    /// the environment; the machine's own metadata are never asked in the place of a secret.
    private static func credentials(
        _ location: S3Location, _ secrets: SecretFiles, _ context: DriverContext
    ) throws -> CredentialCache<SigV4.Credential> {
        if secrets.isAbsent, let named = location.accessKeySecret, named.isNamed {
            guard context.aws.hasOwnKeys else {
                throw MissingSecret(
                    name: named.name, purpose: "s3://\(location.bucket) at \(location.endpoint)",
                    alternative: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
            }
            var own = context.aws
            own.metadata.isDisabled = true
            let aws = AWSCredentials(
                own, clients: context.clients, region: location.region.isEmpty ? nil : location.region)
            return context.memory.value(for: KeysKey(source: "keys of the environment", region: location.region)) {
                CredentialCache(aws.defaultChain, for: "S3 (keys of the environment)", context: context)
            }
        }
        if let own = try LocationKeySource(location, secrets), let keys = try own.keys() {
            return CredentialCache(own, for: "S3 (keys of the location)", context: context, holding: keys)
        }
        let region = location.region.isEmpty ? nil : location.region
        let aws = AWSCredentials(context.aws, clients: context.clients, region: region)
        let (kind, source): (String, AWSCredentials.Source) =
            if !location.roleARN.isEmpty {
                ("role \(location.roleARN)", aws.assuming(roleARN: location.roleARN))
            } else if location.useSDKCreds {
                ("SDK credentials", aws.defaultChain)
            } else {
                ("IAM credentials", aws.instanceChain)
            }
        return context.memory.value(for: KeysKey(source: kind, region: location.region)) {
            CredentialCache(source, for: "S3 (\(kind))", context: context)
        }
    }
}

/// The secrets that a location names. When a server says that a session has expired they are read again: what is mounted follows
/// the cluster's secret.
private struct LocationKeySource: CredentialSource {
    private let access: SecretKeySelector
    private let secret: SecretKeySelector
    private let token: SecretKeySelector?
    private let secrets: SecretFiles

    /// - Returns: nil where the location names none.
    init?(_ location: S3Location, _ secrets: SecretFiles) throws {
        guard let access = location.accessKeySecret, access.isNamed else { return nil }
        guard let secret = location.secretKeySecret, secret.isNamed else {
            throw ArtifactError.invalid("use", "s3.accessKeySecret", "secretKeySecret is missing")
        }
        self.access = access
        self.secret = secret
        token = location.sessionTokenSecret.flatMap { $0.isNamed ? $0 : nil }
        self.secrets = secrets
    }

    var name: String { "secrets" }

    func fetch() throws -> IssuedCredential<SigV4.Credential>? { try keys().map { IssuedCredential($0, expiry: nil) } }

    /// Without white space at their ends (contract 05 C37); nil where one of the two is empty.
    func keys() throws -> SigV4.Credential? {
        let accessKey = try secrets.read(access).trimmed
        let secretKey = try secrets.read(secret).trimmed
        let session = try token.map { try secrets.read($0).trimmed }
        if accessKey.isEmpty || secretKey.isEmpty { return nil }
        return SigV4.Credential(
            accessKey: accessKey.revealText(), secretKey: secretKey, sessionToken: session.flatMap { $0.isEmpty ? nil : $0 })
    }
}

extension S3Endpoint {
    /// - Throws: `ArtifactError` (`invalid`) for an endpoint or a bucket that is none.
    init(_ location: S3Location) throws {
        let style: Style =
            switch location.addressingStyle {
            case .automatic: .automatic
            case .path: .path
            case .virtualHosted: .virtualHosted
            }
        try self.init(
            endpoint: location.endpoint, bucket: location.bucket, isSecure: !(location.insecure ?? false), style: style)
    }
}

/// What is learnt of a bucket is remembered by where it is.
private struct BucketKey: StoreMemoryKey {
    typealias Value = S3BucketState

    let endpoint: String
    let bucket: String
}

/// Keys that do not come from the location's own secrets are remembered by where they come from.
private struct KeysKey: StoreMemoryKey {
    typealias Value = CredentialCache<SigV4.Credential>

    let source: String
    let region: String
}
