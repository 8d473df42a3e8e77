package import HTTPTransport
import SystemSupport

/// The clients for requests of HTTP templates and of plugins.
package struct AgentClients: Sendable {
    private let verifying: HTTPClient
    private let trusting: HTTPClient
    /// For the plugins, which are containers of our own pod: never by a proxy.
    let plugins: HTTPClient

    /// - Parameter base: trust, proxy and name of ordinary requests.
    package init(_ base: HTTPClientConfiguration) {
        var configuration = base
        configuration.version = .http2Allowed
        configuration.maximumIdleHandles = 16
        verifying = HTTPClient(configuration: configuration)
        // As in the reference, whose client for these has no settings but that.
        configuration.trust = .insecure
        configuration.proxy = .none
        trusting = HTTPClient(configuration: configuration)
        configuration.version = .http1
        configuration.trust = base.trust
        plugins = HTTPClient(configuration: configuration)
    }

    func client(skippingVerification: Bool) -> HTTPClient { skippingVerification ? trusting : verifying }

    func cancelAll() {
        for client in [verifying, trusting, plugins] { client.cancelAll() }
    }
}
