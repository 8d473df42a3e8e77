import Glibc
package import SystemSupport

/// The access that every pod has by its service account (contract 04 §2).
package struct InClusterSource: Sendable {
    private let host: String?
    private let port: String?
    private let namespaceVariable: String?
    private let folder: BytePath

    /// - Parameters:
    ///   - host: the value of `KUBERNETES_SERVICE_HOST`.
    ///   - port: the value of `KUBERNETES_SERVICE_PORT`.
    ///   - namespace: the value of `POD_NAMESPACE`.
    ///   - folder: where the service account is mounted.
    package init(
        host: String?, port: String?, namespace: String?,
        folder: BytePath = "/var/run/secrets/kubernetes.io/serviceaccount"
    ) {
        self.host = host
        self.port = port
        namespaceVariable = namespace
        self.folder = folder
    }

    /// Nil unless both variables are set and the token is there.
    ///
    /// - Throws: `SystemError` where the token cannot be read; `ExecutorError` where it is empty.
    func load() throws -> AccessSettings? {
        guard let host, !host.isEmpty, let port, !port.isEmpty else { return nil }
        let token = folder.appending("token")
        do { _ = try RotatingSecret.file(token).current() } catch let error as SystemError where error.code == ENOENT {
            return nil
        }
        var settings = AccessSettings()
        let bracketed = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        settings.server = "https://\(bracketed):\(port)"
        settings.tokenFile = token
        // Without it the system's authorities have to do.
        if let authority = try? SmallFile.read(folder.appending("ca.crt"), limit: 16 << 20) {
            settings.authority = .content(Secret(authority))
        }
        settings.namespace = namespace
        return settings
    }

    /// The pod's own namespace; `default` where nothing tells it.
    package var namespace: String {
        if let namespaceVariable, !namespaceVariable.isEmpty { return namespaceVariable }
        guard let content = try? SmallFile.read(folder.appending("namespace"), limit: 1 << 16) else { return "default" }
        let text = Secret(content).trimmed.revealText()
        return text.isEmpty ? "default" : text
    }
}
