import ExecutorCore
import HTTPTransport
import RequestSigning
package import WorkflowModel

extension S3Driver {
    /// The driver for a location: reads the secrets that it names.
    ///
    /// - Throws: `ArtifactError` (`unsupported`) for fields that are not served, `SystemError` for a secret that is not there.
    package init(_ location: S3Location, context: DriverContext) throws {
        let secrets = SecretFiles(context.secretsDirectory)
        let isSecure = !(location.insecure ?? false)
        let style: S3Endpoint.Style =
            switch location.addressingStyle {
            case .automatic: .automatic
            case .path: .path
            case .virtualHosted: .virtualHosted
            }
        let endpoint = try S3Endpoint(
            endpoint: location.endpoint, bucket: location.bucket, isSecure: isSecure, style: style)
        var trust: TrustAnchors?
        if isSecure, let authority = location.caSecret, authority.isNamed {
            trust = .certificates(try secrets.read(authority).reveal())
        }
        let state = context.memory.value(for: "s3 \(location.endpoint) \(location.bucket)") { S3BucketState() }
        var client = S3Client(
            endpoint: endpoint, http: context.clients.client(trusting: trust),
            credential: try Self.credential(location, secrets), region: location.region.isEmpty ? nil : location.region,
            bucketState: state)
        client.stallTimeout = context.stallTimeout
        client.encryption = try S3Encryption(location, secrets, isSecure: isSecure)
        let creation = location.createBucketIfNotPresent.map { BucketCreation(objectLocking: $0.objectLocking) }
        self.init(client: client, key: location.key, creation: creation, context: context)
    }

    private static func credential(_ location: S3Location, _ secrets: SecretFiles) throws -> SigV4.Credential {
        if let access = location.accessKeySecret, access.isNamed {
            guard let secret = location.secretKeySecret, secret.isNamed else {
                throw ArtifactError.invalid("use", "s3.accessKeySecret", "secretKeySecret is missing")
            }
            let accessKey = try secrets.read(access).trimmed
            let secretKey = try secrets.read(secret).trimmed
            let token = try location.sessionTokenSecret.flatMap { $0.isNamed ? try secrets.read($0).trimmed : nil }
            if !accessKey.isEmpty, !secretKey.isEmpty {
                return SigV4.Credential(
                    accessKey: accessKey.revealText(), secretKey: secretKey,
                    sessionToken: token.flatMap { $0.isEmpty ? nil : $0 })
            }
        }
        if !location.roleARN.isEmpty { throw ArtifactError.unsupported("s3.roleARN is not supported") }
        if location.useSDKCreds { throw ArtifactError.unsupported("s3.useSDKCreds is not supported") }
        throw ArtifactError.unsupported("s3 without accessKeySecret and secretKeySecret is not supported")
    }
}

extension SecretFiles {
    func read(_ selector: SecretKeySelector) throws -> Secret { try read(name: selector.name, key: selector.key) }
}
