import Documents
import Encodings
import HTTPTransport
import SystemSupport

/// A PEM file, or its content, as a configuration gives it.
enum PEMSource {
    case file(BytePath)
    case content(Secret)

    /// - Throws: `SystemError`.
    func read() throws -> [UInt8] {
        switch self {
        case .file(let path): try SmallFile.read(path, limit: 16 << 20)
        case .content(let content): content.reveal()
        }
    }

    var rotating: RotatingSecret {
        switch self {
        case .file(let path): .file(path)
        case .content(let content): .fixed(content)
        }
    }
}

/// Everything that kubeconfig files, flags and a pod's own mounts say together, not yet checked.
struct AccessSettings {
    // The cluster
    var server = ""
    var authority: PEMSource?
    var skipsVerification = false
    var serverName: String?
    var proxy: Secret?
    var disablesCompression = false
    /// What the cluster's entry has for exec plugins.
    var pluginConfiguration: JSONValue?

    // The user
    var token: Secret?
    var tokenFile: BytePath?
    var certificate: PEMSource?
    var key: PEMSource?
    var userName: String?
    var password: Secret?
    var impersonatedUser: String?
    var impersonation = Impersonation(user: "")
    var plugin: CredentialPlugin.Configuration?

    // The rest
    var requestTimeout: Int?
    var namespace: String?
    /// What is odd in the files, but not wrong.
    var warnings: [String] = []

    /// Checks what belongs together and makes the access of it.
    ///
    /// - Parameters:
    ///   - systemTrust: used where no authority is named.
    ///   - namespace: used where none is named.
    /// - Throws: `ExecutorError` where the parts do not fit together; `SystemError` for a file that cannot be read.
    func access(systemTrust: TrustAnchors, namespace fallback: String) throws -> ClusterAccess {
        let address = try Self.address(server, isSecure: authority != nil || certificate != nil || skipsVerification)
        if skipsVerification, authority != nil {
            throw Self.fault("a certificate authority and the skipping of verification exclude each other")
        }
        if proxy != nil { try checkProxy() }
        var access = ClusterAccess(
            server: address, serverName: serverName, trust: systemTrust, proxy: proxy, requestTimeout: requestTimeout,
            acceptsCompression: !disablesCompression, namespace: namespace ?? fallback)
        if skipsVerification {
            access.trust = .insecure
        } else if let authority {
            access.trust = .certificates(try authority.read())
        }
        access.warnings = warnings
        access.impersonation = try checkedImpersonation()
        // As the reference has it: nothing that proves who we are goes over a connection that anybody can read.
        if address.hasPrefix("https://") { access.credentials = try credentials(access) }
        return access
    }

    static func fault(_ text: String) -> ExecutorError { .badRequest("load the client configuration: \(text)") }

    /// The server's URL with a scheme and without what follows the path.
    private static func address(_ server: String, isSecure: Bool) throws -> String {
        let text = server.contains("://") ? server : (isSecure ? "https://" : "http://") + server
        guard let url = try? HTTPURL(text), ["http", "https"].contains(url.scheme), url.user == nil else {
            throw fault("the API server's address is no URL of http or https")
        }
        var path = url.path
        while path.hasSuffix("/") { path.removeLast() }
        return url.origin + path
    }

    private func checkProxy() throws {
        let scheme = proxy?.revealText().split(separator: ":").first.map(String.init) ?? ""
        guard ["http", "https", "socks5"].contains(scheme) else {
            throw Self.fault("the proxy's URL must begin with http, https or socks5")
        }
    }

    private func checkedImpersonation() throws -> Impersonation? {
        var wanted = impersonation
        wanted.user = impersonatedUser ?? ""
        if !wanted.user.isEmpty { return wanted }
        if wanted.uid.isEmpty, wanted.groups.isEmpty, wanted.extra.isEmpty { return nil }
        throw Self.fault("a uid, groups or extra fields to impersonate need a user to impersonate")
    }

    private func credentials(_ access: ClusterAccess) throws -> any ClusterCredentialSource {
        let hasToken = token != nil || tokenFile != nil
        if hasToken, userName != nil || password != nil {
            throw Self.fault("a token and a user name with a password exclude each other")
        }
        if (certificate == nil) != (key == nil) {
            throw Self.fault("a client certificate and its key are needed together")
        }
        // What is given goes before what a plugin would have to fetch.
        if !hasToken, userName == nil, certificate == nil, let plugin {
            return CredentialPlugin(plugin, cluster: try pluginCluster(plugin, access))
        }
        return GivenCredentials(
            token: tokenFile.map { .file($0, fallback: token) } ?? token.map { .fixed($0) },
            basic: userName.map { ClusterCredential.basic($0, password ?? Secret("")) },
            certificate: try readCertificate())
    }

    private func readCertificate() throws -> (chain: RotatingSecret, key: RotatingSecret)? {
        guard let certificate, let key else { return nil }
        let pair = (chain: certificate.rotating, key: key.rotating)
        // At once, so that a file that is not there is told of as a fault of the configuration.
        _ = try pair.chain.current()
        _ = try pair.key.current()
        return pair
    }

    /// What a plugin is told of the cluster, where it wants to know.
    private func pluginCluster(_ plugin: CredentialPlugin.Configuration, _ access: ClusterAccess) throws -> JSONValue? {
        guard plugin.wantsClusterInformation else { return nil }
        var cluster: JSONValue = ["server": .string(access.server)]
        if let serverName { cluster["tls-server-name"] = .string(serverName) }
        if skipsVerification { cluster["insecure-skip-tls-verify"] = true }
        if case .certificates(let bytes) = access.trust {
            cluster["certificate-authority-data"] = .string(Base64.encode(bytes))
        }
        if let proxy { cluster["proxy-url"] = .string(proxy.revealText()) }
        if disablesCompression { cluster["disable-compression"] = true }
        cluster["config"] = pluginConfiguration
        return cluster
    }
}
