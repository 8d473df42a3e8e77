package import HTTPTransport
import Synchronization
package import SystemSupport

/// The HTTP clients of a process: one for each way of trusting servers and of showing who we are, so that connections are shared
/// by all artifacts, but never between those that a server would tell apart.
package final class HTTPClients: Sendable {
    package typealias ClientCertificate = HTTPClientConfiguration.ClientCertificate

    private struct Known {
        let trust: TrustAnchors
        let certificate: ClientCertificate?
        var socket: BytePath?
        let client: HTTPClient
    }

    private let base: HTTPClientConfiguration
    private let clients = Mutex<[Known]>([])
    /// The client for services of this machine itself, e.g. instance metadata: never by a proxy.
    package let direct: HTTPClient

    /// - Parameter base: what all clients have in common; its trust is the one for locations that name no authority.
    package init(_ base: HTTPClientConfiguration) {
        self.base = base
        var near = base
        near.proxy = .none
        direct = HTTPClient(configuration: near)
    }

    /// The client with this trust and client certificate; nil for the common trust and for no certificate.
    package func client(
        trusting trust: TrustAnchors? = nil, presenting certificate: ClientCertificate? = nil
    ) -> HTTPClient {
        let trust = trust ?? base.trust
        return clients.withLock { clients in
            if let known = clients.first(where: { $0.socket == nil && $0.trust == trust && $0.certificate == certificate }) {
                return known.client
            }
            var configuration = base
            configuration.trust = trust
            configuration.clientCertificate = certificate
            let client = HTTPClient(configuration: configuration)
            clients.append(Known(trust: trust, certificate: certificate, client: client))
            return client
        }
    }

    /// The client for a service of gRPC that this machine has at a socket of the file system.
    package func client(atSocket socket: BytePath) -> HTTPClient {
        clients.withLock { clients in
            if let known = clients.first(where: { $0.socket == socket }) { return known.client }
            var configuration = base
            configuration.proxy = .none
            configuration.version = .http2Required
            configuration.socket = socket
            let client = HTTPClient(configuration: configuration)
            clients.append(Known(trust: configuration.trust, certificate: nil, socket: socket, client: client))
            return client
        }
    }

    package func cancelAll() {
        direct.cancelAll()
        for known in clients.withLock({ $0 }) { known.client.cancelAll() }
    }
}
