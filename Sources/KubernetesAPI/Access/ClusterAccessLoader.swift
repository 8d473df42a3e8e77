package import HTTPTransport
import SystemSupport

/// Finds out how to reach the cluster, in client-go's order: kubeconfig files, then the pod's own service account, with the flags
/// on top of either (contract 04 §2).
package struct ClusterAccessLoader: Sendable {
    private let flags: AccessFlags
    private let kubeconfig: KubeconfigSource
    private let inCluster: InClusterSource
    private let systemTrust: TrustAnchors

    /// - Parameter systemTrust: used where no authority is named.
    package init(
        flags: AccessFlags, kubeconfig: KubeconfigSource, inCluster: InClusterSource, systemTrust: TrustAnchors = .system()
    ) {
        self.flags = flags
        self.kubeconfig = kubeconfig
        self.inCluster = inCluster
        self.systemTrust = systemTrust
    }

    /// - Throws: `ExecutorError` where nothing says how (`no configuration has been provided`) or parts do not fit together;
    ///   `SystemError` and `DocumentError` for files that cannot be read.
    package func load() throws -> ClusterAccess {
        do {
            var settings = try kubeconfig.load(flags)
            try flags.apply(to: &settings)
            if settings.server.isEmpty {
                guard let own = try inCluster.load() else { throw AccessSettings.fault("no configuration has been provided") }
                let named = settings.namespace
                settings = own
                try flags.apply(to: &settings)
                settings.namespace = named ?? settings.namespace
            }
            // A kubeconfig that tells no namespace means the pod's own, where we are in one.
            let isInCluster = ((try? inCluster.load()) ?? nil) != nil
            return try settings.access(
                systemTrust: systemTrust, namespace: isInCluster ? inCluster.namespace : "default")
        } catch let error as ExecutorError { throw error } catch {
            throw ExecutorError.wrapping("load the client configuration", error)
        }
    }
}
