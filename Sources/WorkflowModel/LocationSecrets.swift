import Documents

/// A field of a location that names a secret.
package struct SecretField: Sendable, Equatable {
    /// Names of the fields from the location's own down to it.
    package let path: [String]
    /// The variable in which a person's environment has such a value; nil for none.
    package let variable: String?
    /// The flag beside it without which it counts for nothing; nil where it always counts.
    let condition: String?

    init(_ path: String..., variable: String? = nil, onlyWith condition: String? = nil) {
        self.path = path
        self.variable = variable
        self.condition = condition
    }
}

extension LocationKind {
    /// The fields that name secrets: the one list for all who mount them, look for them, or say which fields there are.
    package var secretFields: [SecretField] {
        switch self {
        case .s3:
            [
                SecretField("accessKeySecret", variable: "AWS_ACCESS_KEY_ID"),
                SecretField("secretKeySecret", variable: "AWS_SECRET_ACCESS_KEY"),
                SecretField("sessionTokenSecret", variable: "AWS_SESSION_TOKEN"), SecretField("caSecret"),
                SecretField("encryptionOptions", "serverSideCustomerKeySecret", onlyWith: "enableEncryption"),
            ]
        case .git: [SecretField("usernameSecret"), SecretField("passwordSecret"), SecretField("sshPrivateKeySecret")]
        case .artifactory: [SecretField("usernameSecret"), SecretField("passwordSecret")]
        case .hdfs: [SecretField("krbCCacheSecret"), SecretField("krbKeytabSecret")]
        case .oss: [SecretField("accessKeySecret"), SecretField("secretKeySecret")]
        case .gcs: [SecretField("serviceAccountKeySecret")]
        case .azure: [SecretField("accountKeySecret")]
        case .http:
            [
                SecretField("auth", "basicAuth", "usernameSecret"), SecretField("auth", "basicAuth", "passwordSecret"),
                SecretField("auth", "clientCert", "clientCertSecret"), SecretField("auth", "clientCert", "clientKeySecret"),
                SecretField("auth", "oauth2", "clientIDSecret"), SecretField("auth", "oauth2", "clientSecretSecret"),
                SecretField("auth", "oauth2", "tokenURLSecret"),
            ]
        case .raw, .plugin: []
        }
    }

    /// The names of those in one object of the location.
    ///
    /// - Parameter object: the fields that lead to it; none for the location's own.
    package func secretFieldNames(in object: String...) -> [String] {
        secretFields.filter { $0.path.dropLast() == object[...] }.compactMap(\.path.last)
    }

    /// Whether a field asks for keys from where the store's own tools look for them.
    fileprivate var canTakeSDKCredentials: Bool {
        switch self {
        case .azure, .oss, .s3: true
        case .artifactory, .gcs, .git, .hdfs, .http, .plugin, .raw: false
        }
    }

    /// The order in which the reference names the secrets of a pod.
    fileprivate static let secretOrder: [LocationKind] = [.s3, .git, .artifactory, .hdfs, .oss, .gcs, .azure, .http]
}

extension ArtifactLocation {
    /// The secrets that it names and that count, whether or not they have names: of all types that are present.
    package var secrets: [(field: SecretField, selector: SecretKeySelector)] {
        LocationKind.secretOrder.flatMap { kind in
            kind.secretFields.compactMap { field in
                guard var fields = document[kind.rawValue].flatMap({ try? Fields($0, kind.rawValue) }) else { return nil }
                for name in field.path.dropLast() {
                    guard let inner = fields.value(name).flatMap({ try? Fields($0, name) }) else { return nil }
                    fields = inner
                }
                if let condition = field.condition, (try? fields.flag(condition)) != true { return nil }
                guard let selector = field.path.last.flatMap({ try? fields.selector($0) }) else { return nil }
                return (field, selector)
            }
        }
    }

    /// The same store, with keys from where its own tools look for them if it has a field for that. Secrets that it names stay:
    /// without a folder of secrets the driver takes what the environment has in their place, and says what is missing where it has
    /// nothing.
    package func takingSDKCredentials() throws(ModelError) -> ArtifactLocation {
        guard let kind = driverKind, kind.canTakeSDKCredentials, var store = document[kind.rawValue]?.object else {
            return self
        }
        store.setField("useSDKCreds", to: true)
        var changed = document
        changed[kind.rawValue] = .object(store)
        return try ArtifactLocation(document: .object(changed))
    }
}
