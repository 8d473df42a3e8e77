import Artifacts
import HTTPTransport
import KubernetesAPI
import SystemSupport

/// How a mode reaches the API server: what flags, environment and the pod's service account say, looked at at the first call.
struct ClusterServices {
    private let loader: ClusterAccessLoader
    private let proxy: ProxySettings
    private let isTransientText: @Sendable (String) -> Bool
    private let log: Log

    /// - Parameter flags: the client flags by name.
    init(
        _ flags: [String: [String]], _ environment: Environment, trust: TrustAnchors, proxy: ProxySettings,
        isTransientText: @escaping @Sendable (String) -> Bool, log: Log
    ) {
        loader = ClusterAccessLoader(
            flags: AccessFlags(flags),
            kubeconfig: KubeconfigSource(variable: environment[.kubeconfig], home: environment[.home]),
            inCluster: InClusterSource(
                host: environment[.kubernetesHost], port: environment[.kubernetesPort], namespace: environment[.podNamespace]),
            systemTrust: trust)
        self.proxy = proxy
        self.isTransientText = isTransientText
        self.log = log
    }

    /// What a mode of a pod uses.
    init(_ global: GlobalSettings, _ context: ExecutorContext, _ log: Log) {
        self.init(
            global.client, context.environment, trust: context.trust, proxy: context.proxy,
            isTransientText: context.drivers.isTransientText, log: log)
    }

    func client(userAgent: String = UserAgent.text) -> KubernetesClient {
        let loader = loader
        return KubernetesClient(
            access: { try loader.load() },
            settings: KubernetesClient.Settings(
                userAgent: userAgent, proxy: proxy, log: log, isTransientText: isTransientText))
    }
}
