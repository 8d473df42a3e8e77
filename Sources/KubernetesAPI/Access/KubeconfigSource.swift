import Documents
import Glibc
import SystemSupport

/// Where kubeconfig files are looked for (contract 04 §2).
package struct KubeconfigSource: Sendable {
    private let variable: String?
    private let home: String?

    /// - Parameters:
    ///   - variable: the value of `KUBECONFIG`: paths with colons between them.
    ///   - home: the value of `HOME`.
    package init(variable: String?, home: String?) {
        self.variable = variable
        self.home = home
    }

    /// What the files say of the context that is asked for.
    ///
    /// - Throws: `SystemError` for a file that is named by the flag and missing, or that cannot be read; `DocumentError` and
    ///   `ExecutorError` for what is wrong in the files.
    func load(_ flags: AccessFlags) throws -> AccessSettings {
        let configuration = try read(flags.kubeconfig)
        var settings = AccessSettings()
        settings.warnings = configuration.warnings
        var clusterName = flags["cluster"]
        var userName = flags["user"]
        if let name = flags["context"] ?? configuration.currentContext {
            let context = try configuration.required(.context, name)
            clusterName = try clusterName ?? context.text("cluster")
            userName = try userName ?? context.text("user")
            settings.namespace = try context.text("namespace")
        }
        if let clusterName { try Self.read(cluster: configuration.required(.cluster, clusterName), into: &settings) }
        if let userName { try Self.read(user: configuration.required(.user, userName), userName, into: &settings) }
        return settings
    }

    private func read(_ named: BytePath?) throws -> Kubeconfig {
        var configuration = Kubeconfig()
        if let named {
            try configuration.add(named)
            return configuration
        }
        for path in paths {
            do { try configuration.add(path) } catch let error as SystemError where error.code == ENOENT {}
        }
        return configuration
    }

    private var paths: [BytePath] {
        if let variable, !variable.isEmpty { return variable.split(separator: ":").map { BytePath(String($0)) } }
        guard let home, !home.isEmpty else { return [] }
        return [BytePath(home).appending(".kube/config")]
    }

    private static func read(cluster entry: KubeconfigEntry, into settings: inout AccessSettings) throws {
        guard let server = try entry.text("server") else { throw entry.fault("server", "is missing") }
        settings.server = server
        settings.authority = try entry.pem("certificate-authority")
        settings.skipsVerification = try entry.flag("insecure-skip-tls-verify")
        settings.serverName = try entry.text("tls-server-name")
        settings.proxy = try entry.text("proxy-url").map { Secret($0) }
        settings.disablesCompression = try entry.flag("disable-compression")
        for extra in try entry.entries("extensions") where try extra.text("name") == "client.authentication.k8s.io/exec" {
            settings.pluginConfiguration = extra.value("extension")
        }
    }

    private static func read(user entry: KubeconfigEntry, _ name: String, into settings: inout AccessSettings) throws {
        if let provider = try entry.entry("auth-provider") {
            let name = try provider.text("name") ?? ""
            throw entry.fault("auth-provider", "names the provider \"\(name)\", which is not supported: use an exec plugin")
        }
        settings.token = try entry.text("token").map { Secret($0) }
        settings.tokenFile = try entry.file("tokenFile")
        settings.certificate = try entry.pem("client-certificate")
        settings.key = try entry.pem("client-key")
        settings.userName = try entry.text("username")
        settings.password = try entry.text("password").map { Secret($0) }
        settings.impersonatedUser = try entry.text("as")
        settings.impersonation.uid = try entry.text("as-uid") ?? ""
        settings.impersonation.groups = try entry.texts("as-groups")
        if let extra = try entry.entry("as-user-extra"), let members = entry.value("as-user-extra")?.object?.members {
            settings.impersonation.extra = try members.map { ($0.name, try extra.texts($0.name)) }
        }
        settings.plugin = try entry.entry("exec").map { try CredentialPlugin.Configuration($0, user: name) }
    }
}
