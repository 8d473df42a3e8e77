import Encodings
import HTTPTransport
import Synchronization
import SystemSupport

/// A cluster that has been found: how requests to it are made.
final class APISession: Sendable {
    let access: ClusterAccess
    private let settings: KubernetesClient.Settings
    private let state = Mutex(State())

    private struct State {
        /// The client for the certificate in use: another certificate needs other connections.
        var current: (certificate: HTTPClientConfiguration.ClientCertificate?, client: HTTPClient)?
        var isCancelled = false
    }

    init(access: ClusterAccess, settings: KubernetesClient.Settings) {
        self.access = access
        self.settings = settings
    }

    func client(_ certificate: HTTPClientConfiguration.ClientCertificate?) -> HTTPClient {
        state.withLock { state in
            if let current = state.current, current.certificate == certificate { return current.client }
            let configuration = HTTPClientConfiguration(
                trust: access.trust, clientCertificate: certificate,
                proxy: access.proxy.map { .always($0.revealText()) } ?? settings.proxy, serverName: access.serverName,
                userAgent: settings.userAgent, version: .http2Allowed, maximumIdleHandles: 2)
            let client = HTTPClient(configuration: configuration)
            if state.isCancelled { client.cancelAll() }
            state.current = (certificate, client)
            return client
        }
    }

    /// Ends all requests under way, and refuses later ones that are not said to outlive this.
    func cancel() {
        let client = state.withLock { state in
            state.isCancelled = true
            return state.current?.client
        }
        client?.cancelAll()
    }

    /// The request as it goes out, but for what proves who we are.
    func outgoing(_ request: APIRequest, _ call: APICall) -> HTTPRequest {
        var outgoing = HTTPRequest(request.method, access.server + Self.target(request, call))
        outgoing.headers["Accept"] = request.answer == .bytes ? "*/*" : "application/json"
        if request.body != nil { outgoing.headers["Content-Type"] = request.contentType }
        outgoing.stallTimeout = request.stallTimeout
        outgoing.totalTimeout = request.totalTimeout ?? access.requestTimeout
        outgoing.decodesGzip = access.acceptsCompression
        outgoing.outlivesCancellation = request.outlivesCancellation
        for field in access.impersonation?.headers.fields ?? [] { outgoing.headers.add(field.name, field.value) }
        return outgoing
    }

    private static func target(_ request: APIRequest, _ call: APICall) -> String {
        let resource = request.path.resource
        var parts = resource.group.isEmpty ? ["api", resource.version] : ["apis", resource.group, resource.version]
        if resource.isNamespaced { parts += ["namespaces", call.namespace] }
        if !resource.plural.isEmpty { parts.append(resource.plural) }
        if let name = request.path.name { parts.append(name) }
        var target = parts.map { "/" + PercentEncoding.encode($0) }.joined()
        if let subresource = request.path.subresource {
            target += "/" + PercentEncoding.encode(subresource, keepingSlashes: true)
        }
        for (index, parameter) in request.query.enumerated() {
            target += (index == 0 ? "?" : "&") + parameter.name + "=" + PercentEncoding.encode(parameter.value)
        }
        return target
    }
}
