package import SystemSupport

/// How a client reaches servers. Nothing of it is looked at before the first transfer.
package struct HTTPClientConfiguration: Sendable {
    package enum Version: Sendable {
        case http1
        /// HTTP/2 where the server offers it in the TLS handshake.
        case http2Allowed
        /// HTTP/2 only, and without TLS from the first byte on, as gRPC has it. A proxy is the one for `https` URLs, by CONNECT.
        case http2Required
    }

    /// A certificate and its key, both PEM; further certificates of the chain follow the first.
    package struct ClientCertificate: Sendable, Equatable {
        package var certificate: Secret
        package var key: Secret

        package init(certificate: Secret, key: Secret) {
            self.certificate = certificate
            self.key = key
        }
    }

    package var trust: TrustAnchors
    package var clientCertificate: ClientCertificate?
    package var proxy: ProxySettings
    /// The name that servers are asked for in the TLS handshake and that their certificates must have; nil for the URL's host.
    package var serverName: String?
    /// Sent unless the request has a `User-Agent` of its own; empty for none.
    package var userAgent: String
    package var version: Version
    /// A socket of the file system to connect to, whatever the URL's host; nil for the network.
    package var socket: BytePath?
    /// Connections kept open between requests, one a handle; the number of transfers at a time is the caller's affair.
    package var maximumIdleHandles: Int
    /// On what the coded body of an answer may decode to.
    package var decodingLimits = DecodingLimits()

    package init(
        trust: TrustAnchors = .system(), clientCertificate: ClientCertificate? = nil, proxy: ProxySettings = .none,
        serverName: String? = nil, userAgent: String = "", version: Version = .http1, maximumIdleHandles: Int = 64
    ) {
        self.trust = trust
        self.clientCertificate = clientCertificate
        self.proxy = proxy
        self.serverName = serverName
        self.userAgent = userAgent
        self.version = version
        self.maximumIdleHandles = maximumIdleHandles
    }
}
