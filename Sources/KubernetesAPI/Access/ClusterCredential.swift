import Encodings
package import HTTPTransport
package import SystemSupport

/// What a request proves with who we are.
package struct ClusterCredential: Sendable, Equatable {
    /// Value of the `Authorization` header; nil for none.
    package var authorization: Secret?
    /// For the TLS handshake; nil for none.
    package var certificate: HTTPClientConfiguration.ClientCertificate?

    package init(authorization: Secret? = nil, certificate: HTTPClientConfiguration.ClientCertificate? = nil) {
        self.authorization = authorization
        self.certificate = certificate
    }

    /// The part of the header's value that is the secret: a token, or a name and a password in base64.
    var proof: Secret? {
        guard let bytes = authorization?.reveal(), let space = bytes.firstIndex(of: 0x20) else { return authorization }
        return Secret(Array(bytes[(space + 1)...]))
    }

    /// The header's value for a token.
    package static func bearer(_ token: Secret) -> Secret { Secret("Bearer " + token.revealText()) }

    /// The header's value for a name and a password (RFC 7617).
    package static func basic(_ name: String, _ password: Secret) -> Secret {
        Secret("Basic " + Base64.encode(Array(name.utf8) + [UInt8(ascii: ":")] + password.reveal()))
    }
}

/// Where credentials come from. Safe to use from several threads.
package protocol ClusterCredentialSource: Sendable {
    /// What to send now.
    ///
    /// - Throws: why there is nothing to send.
    func current() throws -> ClusterCredential

    /// What to send after the server has refused `credential`; nil where there is no other.
    ///
    /// - Throws: why none can be had.
    func replacement(for credential: ClusterCredential) throws -> ClusterCredential?
}

/// Credentials that are given: a token or a name with its password, a certificate, all of these in files or not, or nothing at all.
package struct GivenCredentials: ClusterCredentialSource {
    private let token: RotatingSecret?
    private let basic: Secret?
    private let certificate: (chain: RotatingSecret, key: RotatingSecret)?

    /// - Parameters:
    ///   - basic: the header's value for a name and a password, which counts where there is no token.
    ///   - certificate: both PEM.
    package init(
        token: RotatingSecret? = nil, basic: Secret? = nil, certificate: (chain: RotatingSecret, key: RotatingSecret)? = nil
    ) {
        self.token = token
        self.basic = basic
        self.certificate = certificate
    }

    package func current() throws -> ClusterCredential {
        ClusterCredential(
            authorization: try token.map { ClusterCredential.bearer(try $0.current()) } ?? basic,
            certificate: try certificate.map { .init(certificate: try $0.chain.current(), key: try $0.key.current()) })
    }

    package func replacement(for credential: ClusterCredential) throws -> ClusterCredential? {
        if let token { _ = token.replacement(for: try token.current()) }
        if let certificate {
            _ = certificate.chain.replacement(for: try certificate.chain.current())
            _ = certificate.key.replacement(for: try certificate.key.current())
        }
        let fresh = try current()
        return fresh == credential ? nil : fresh
    }
}
