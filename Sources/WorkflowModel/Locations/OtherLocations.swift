/// A file in an Artifactory repository (contract 03 §6.6).
package struct ArtifactoryLocation: Sendable, Equatable {
    package let url: String
    package let usernameSecret: SecretKeySelector?
    package let passwordSecret: SecretKeySelector?

    init(_ fields: Fields) throws(ModelError) {
        url = try fields.string("url")
        usernameSecret = try fields.selector("usernameSecret")
        passwordSecret = try fields.selector("passwordSecret")
    }
}

/// A git repository, input only (contract 03 §6.7).
package struct GitLocation: Sendable, Equatable {
    package let repo: String
    package let revision: String
    /// Zero differs from absent only in what is reported.
    package let depth: Int?
    /// Refspecs.
    package let fetch: [String]
    package let usernameSecret: SecretKeySelector?
    package let passwordSecret: SecretKeySelector?
    package let sshPrivateKeySecret: SecretKeySelector?
    package let insecureIgnoreHostKey: Bool
    package let disableSubmodules: Bool
    package let singleBranch: Bool
    package let branch: String
    package let insecureSkipTLS: Bool

    init(_ fields: Fields) throws(ModelError) {
        repo = try fields.string("repo")
        revision = try fields.string("revision")
        depth = try fields.integer("depth")
        if let depth, depth < 0 { throw .badValue("\(fields.path).depth", "\(depth) is negative") }
        fetch = try fields.strings("fetch")
        usernameSecret = try fields.selector("usernameSecret")
        passwordSecret = try fields.selector("passwordSecret")
        sshPrivateKeySecret = try fields.selector("sshPrivateKeySecret")
        insecureIgnoreHostKey = try fields.flag("insecureIgnoreHostKey")
        disableSubmodules = try fields.flag("disableSubmodules")
        singleBranch = try fields.flag("singleBranch")
        branch = try fields.string("branch")
        insecureSkipTLS = try fields.flag("insecureSkipTLS")
    }
}

/// A file in HDFS (contract 03 §6.8).
package struct HDFSLocation: Sendable, Equatable {
    /// Name nodes, `host:port` each.
    package let addresses: [String]
    package let path: String
    package let force: Bool
    package let hdfsUser: String
    /// `authentication`, `integrity`, `privacy` or empty.
    package let dataTransferProtection: String
    package let krbCCacheSecret: SecretKeySelector?
    package let krbKeytabSecret: SecretKeySelector?
    package let krbUsername: String
    package let krbRealm: String
    /// Names a ConfigMap.
    package let krbConfigConfigMap: SecretKeySelector?
    package let krbServicePrincipalName: String

    init(_ fields: Fields) throws(ModelError) {
        addresses = try fields.strings("addresses")
        path = try fields.string("path")
        force = try fields.flag("force")
        hdfsUser = try fields.string("hdfsUser")
        dataTransferProtection = try fields.string("dataTransferProtection")
        krbCCacheSecret = try fields.selector("krbCCacheSecret")
        krbKeytabSecret = try fields.selector("krbKeytabSecret")
        krbUsername = try fields.string("krbUsername")
        krbRealm = try fields.string("krbRealm")
        krbConfigConfigMap = try fields.selector("krbConfigConfigMap")
        krbServicePrincipalName = try fields.string("krbServicePrincipalName")
    }
}

/// The content itself, input only (contract 03 §6.9).
package struct RawLocation: Sendable, Equatable {
    package let data: String

    init(_ fields: Fields) throws(ModelError) { data = try fields.string("data") }
}

/// Something that an artifact plugin keeps (contract 03 §6.10).
package struct PluginLocation: Sendable, Equatable {
    package let name: String
    /// For the plugin alone to understand.
    package let configuration: String
    /// Zero: the default.
    package let connectionTimeoutSeconds: Int
    package let key: String

    init(_ fields: Fields) throws(ModelError) {
        name = try fields.string("name")
        configuration = try fields.string("configuration")
        connectionTimeoutSeconds = try fields.integer("connectionTimeoutSeconds") ?? 0
        key = try fields.string("key")
    }
}
