package import ExecutorCore
import Glibc
package import HTTPTransport

/// The access that every pod has by its service account (contract 04 §2, Corrections).
package struct InClusterSource: ClusterAccessSource {
    private let host: String?
    private let port: String?
    private let namespace: String?
    private let folder: BytePath
    private let fallbackTrust: TrustAnchors

    /// - Parameters:
    ///   - host: the value of `KUBERNETES_SERVICE_HOST`.
    ///   - port: the value of `KUBERNETES_SERVICE_PORT`.
    ///   - namespace: the value of `POD_NAMESPACE`.
    ///   - folder: where the service account is mounted.
    ///   - fallbackTrust: used where the folder has no `ca.crt`.
    package init(
        host: String?, port: String?, namespace: String?,
        folder: BytePath = "/var/run/secrets/kubernetes.io/serviceaccount", fallbackTrust: TrustAnchors = .system()
    ) {
        self.host = host
        self.port = port
        self.namespace = namespace
        self.folder = folder
        self.fallbackTrust = fallbackTrust
    }

    /// Nil unless both variables are set and the token is there.
    package func load() throws -> ClusterAccess? {
        guard let host, !host.isEmpty, let port, !port.isEmpty else { return nil }
        let token = BearerToken.file(folder.appending("token"))
        do { _ = try token.current() } catch {
            if (error as? SystemError)?.code == ENOENT { return nil }
            throw error
        }
        let authorities = try? SmallFile.read(folder.appending("ca.crt"), limit: 16 << 20)
        let bracketed = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        return ClusterAccess(
            server: "https://\(bracketed):\(port)", trust: authorities.map { .certificates($0) } ?? fallbackTrust, token: token,
            namespace: ownNamespace)
    }

    private var ownNamespace: String {
        if let namespace, !namespace.isEmpty { return namespace }
        guard let content = try? SmallFile.read(folder.appending("namespace"), limit: 1 << 16) else { return "default" }
        let text = Secret(content).trimmed.revealText()
        return text.isEmpty ? "default" : text
    }
}
