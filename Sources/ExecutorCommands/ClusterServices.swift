import Artifacts
import KubernetesAPI
import SystemSupport

/// The API server as flags and environment name it; nothing is read before the first call.
func kubernetesClient(_ global: GlobalSettings, _ context: ExecutorContext, _ log: Log) -> KubernetesClient {
    let environment = context.environment
    let access = ClusterAccessLoader(
        flags: AccessFlags(global.client),
        kubeconfig: KubeconfigSource(variable: environment[.kubeconfig], home: environment[.home]),
        inCluster: InClusterSource(
            host: environment[.kubernetesHost], port: environment[.kubernetesPort], namespace: environment[.podNamespace]),
        systemTrust: context.trust)
    return KubernetesClient(
        access: { try access.load() },
        settings: KubernetesClient.Settings(
            userAgent: UserAgent.text, proxy: context.proxy, log: log, isTransientText: context.drivers.isTransientText))
}
