package import Artifacts
import Documents
import HTTPTransport
import SystemSupport
package import WorkflowModel

extension GCSDriver: RegisteredDriver {
    package static func serving(_ location: ArtifactLocation, context: DriverContext) throws -> GCSDriver? {
        try location.gcs.map { try GCSDriver($0, context: context) }
    }

    package static func address(of location: ArtifactLocation, context: DriverContext) throws -> StoreAddress? {
        StoreAddress(url: context.google.endpoint + "/")
    }

    /// The driver for a location: reads the secret that it names.
    ///
    /// - Throws: `ArtifactError` (`invalid`) for a bucket that is none, `CredentialFailure` for a secret that is no service account
    ///   key, `SystemError` for one that is not there.
    package init(_ location: GCSLocation, context: DriverContext) throws {
        guard !location.bucket.isEmpty else { throw ArtifactError.invalid("use", "gcs.bucket", "it is empty") }
        let google = context.google
        let client = GCSClient(
            origin: google.endpoint, bucket: location.bucket, http: context.clients.client(),
            tokens: try Self.tokens(location, context), stallTimeout: context.stallTimeout, log: context.log)
        self.init(client: client, key: location.key, context: context)
    }

    /// Where the location's tokens come from, first match (contract 03 §6.2). A person who has given no folder of secrets has them in
    /// the environment; the machine's own metadata are never asked in the place of a secret.
    private static func tokens(_ location: GCSLocation, _ context: DriverContext) throws -> CredentialCache<Secret>? {
        let secrets = SecretFiles(context.secretsDirectory)
        let google = context.google
        let endpoint = GoogleTokenEndpoint(http: context.clients.client())
        func cache(_ name: String, _ source: any CredentialSource<Secret>) -> CredentialCache<Secret> {
            context.memory.value(for: TokensKey(source: name)) {
                CredentialCache(source, for: "Cloud Storage", context: context)
            }
        }
        if let named = location.serviceAccountKeySecret, named.isNamed {
            guard secrets.isAbsent else {
                let source = LocationKey(selector: named, secrets: secrets, endpoint: endpoint)
                _ = try source.key()
                return cache("secret \(named.name)/\(named.key)", source)
            }
            if google.isEmulator { return nil }
            guard let file = google.credentialsFile else {
                throw MissingSecret(
                    name: named.name, purpose: "gs://\(location.bucket)", alternative: "GOOGLE_APPLICATION_CREDENTIALS")
            }
            return cache("file \(file)", ApplicationCredentials(file: file, isNamed: true, endpoint: endpoint))
        }
        if google.isEmulator { return nil }
        return cache(
            "application default credentials",
            CredentialChain<Secret>([
                ApplicationCredentials(file: google.credentialsFile, isNamed: true, endpoint: endpoint),
                ApplicationCredentials(file: google.usualFile, isNamed: false, endpoint: endpoint),
                GoogleMetadata(host: google.metadataHost, http: context.clients.direct),
            ]))
    }
}

/// The key that a location names, read anew for each token: what is mounted follows the cluster's secret.
private struct LocationKey: CredentialSource {
    let selector: SecretKeySelector
    let secrets: SecretFiles
    let endpoint: GoogleTokenEndpoint

    var name: String { "secret '\(selector.name)'" }

    func fetch() throws -> IssuedCredential<Secret>? { try key().fetch() }

    func key() throws -> ServiceAccountKey {
        let bytes = try secrets.read(selector).reveal()
        guard let document = try? JSONValue(parsing: bytes) else {
            throw CredentialFailure.invalid("use \(name): key '\(selector.key)' is no JSON")
        }
        do { return try ServiceAccountKey(document, endpoint: endpoint) } catch let error as CredentialFailure {
            throw CredentialFailure.inSource("use \(name), key '\(selector.key)'", error)
        }
    }
}

/// Tokens are remembered by where they come from.
private struct TokensKey: StoreMemoryKey {
    typealias Value = CredentialCache<Secret>

    let source: String
}
