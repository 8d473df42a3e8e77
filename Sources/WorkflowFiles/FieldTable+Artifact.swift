import WorkflowModel

/// Artifacts and the stores they are kept in.
extension FieldTable {
    private static let stores = [
        used(.flag, "archiveLogs"), used(.object({ .s3 }), "s3"), used(.object({ .git }), "git"),
        used(.object({ .http }), "http"),
        used(.object({ .artifactory }), "artifactory"), used(.object({ .hdfs }), "hdfs"), used(.object({ .raw }), "raw"),
        used(.object({ .oss }), "oss"), used(.object({ .gcs }), "gcs"), used(.object({ .azure }), "azure"),
        used(.object({ .plugin }), "plugin"),
    ].flatMap { $0 }

    static let artifactLocation: FieldTable = FieldTable(stores)

    static let artifact: FieldTable = FieldTable(
        stores, used(.text, "name", "path", "from", "globalName", "subPath"), used(.mode, "mode"),
        used(.flag, "optional", "recurseMode", "deleted"), used(.object({ .archiveStrategy }), "archive"),
        unused(retention, .object({ .artifactGC }), "artifactGC"), used(.text, "fromExpression"))

    static let archiveStrategy: FieldTable = FieldTable(used(.anything, "none", "zip"), used(.object({ .tarStrategy }), "tar"))
    /// The levels that Go's compressor knows.
    static let tarStrategy: FieldTable = FieldTable(used(.range(-2...9), "compressionLevel"))

    static let artifactGC: FieldTable = FieldTable(
        used(.choice(["", "OnWorkflowCompletion", "OnWorkflowDeletion", "Never"]), "strategy"),
        used(.object({ .podMetadata }), "podMetadata"), used(.text, "serviceAccountName", "podSpecPatch"),
        used(.flag, "forceFinalizerRemoval"))

    private static func secrets(_ names: [String]) -> [FieldRule] {
        names.map { FieldRule(name: $0, shape: .object({ .keySelector }), use: .used) }
    }

    static let s3: FieldTable = FieldTable(
        used(.text, "endpoint", "bucket", "region", "roleARN", "key"),
        used(.choice(["", "path", "virtual-hosted"]), "addressingStyle"),
        used(.flag, "insecure", "useSDKCreds"),
        secrets(LocationKind.s3.secretFieldNames()),
        used(.object({ .s3Bucket }), "createBucketIfNotPresent"), used(.object({ .s3Encryption }), "encryptionOptions"))
    static let s3Bucket: FieldTable = FieldTable(used(.flag, "objectLocking"))
    static let s3Encryption: FieldTable = FieldTable(
        used(.text, "kmsKeyId", "kmsEncryptionContext"), used(.flag, "enableEncryption"),
        secrets(LocationKind.s3.secretFieldNames(in: "encryptionOptions")))

    static let git: FieldTable = FieldTable(
        used(.text, "repo", "revision", "branch"), used(.integer, "depth"), used(.list(.text), "fetch"),
        used(.flag, "insecureIgnoreHostKey", "insecureSkipTLS", "disableSubmodules", "singleBranch"),
        secrets(LocationKind.git.secretFieldNames()))

    static let http: FieldTable = FieldTable(
        used(.text, "url"), used(.flag, "saveStreamViaFile"), used(.list(.object({ .header })), "headers"),
        used(.object({ .httpAuth }), "auth"))
    static let header: FieldTable = FieldTable(used(.text, "name", "value"))
    static let httpAuth: FieldTable = FieldTable(
        used(.object({ .basicAuth }), "basicAuth"), used(.object({ .clientCertificate }), "clientCert"),
        used(.object({ .oauth2 }), "oauth2"))
    static let basicAuth: FieldTable = FieldTable(secrets(LocationKind.http.secretFieldNames(in: "auth", "basicAuth")))
    static let clientCertificate: FieldTable = FieldTable(
        secrets(LocationKind.http.secretFieldNames(in: "auth", "clientCert")))
    static let oauth2: FieldTable = FieldTable(
        secrets(LocationKind.http.secretFieldNames(in: "auth", "oauth2")), used(.list(.text), "scopes"),
        used(.list(.object({ .oauth2Parameter })), "endpointParams"))
    static let oauth2Parameter: FieldTable = FieldTable(used(.text, "key", "value"))

    static let artifactory: FieldTable = FieldTable(
        used(.text, "url"), secrets(LocationKind.artifactory.secretFieldNames()))

    static let hdfs: FieldTable = FieldTable(
        used(
            .text, "path", "hdfsUser", "krbUsername", "krbRealm", "krbServicePrincipalName", "dataTransferProtection"),
        used(.list(.text), "addresses"), used(.flag, "force"),
        secrets(LocationKind.hdfs.secretFieldNames() + ["krbConfigConfigMap"]))

    static let raw: FieldTable = FieldTable(used(.text, "data"))

    static let oss: FieldTable = FieldTable(
        used(.text, "endpoint", "bucket", "key", "securityToken"), used(.flag, "createBucketIfNotPresent", "useSDKCreds"),
        secrets(LocationKind.oss.secretFieldNames()), used(.object({ .ossLifecycle }), "lifecycleRule"))
    static let ossLifecycle: FieldTable = FieldTable(used(.integer, "markDeletionAfterDays", "markInfrequentAccessAfterDays"))

    static let gcs: FieldTable = FieldTable(used(.text, "bucket", "key"), secrets(LocationKind.gcs.secretFieldNames()))

    static let azure: FieldTable = FieldTable(
        used(.text, "endpoint", "container", "blob"), used(.flag, "useSDKCreds"),
        secrets(LocationKind.azure.secretFieldNames()))

    static let plugin: FieldTable = FieldTable(
        used(.text, "name", "configuration", "key"), used(.integer, "connectionTimeoutSeconds"))
}
