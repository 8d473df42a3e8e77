import Digests
import Encodings
package import SystemSupport

/// Signed claims (RFC 7515, RFC 7519), as token endpoints take them in the place of a password (RFC 7523).
package enum JSONWebToken {
    /// Signs claims with an RSA key: a pure function of what it is given.
    ///
    /// - Parameters:
    ///   - header: JSON that says `"alg":"RS256"`.
    ///   - claims: JSON.
    ///   - key: a private RSA key in PEM.
    /// - Returns: nil where the key is none that can be read.
    package static func signed(header: [UInt8], claims: [UInt8], key: Secret) -> Secret? {
        let text = Base64.encodeForURL(header) + "." + Base64.encodeForURL(claims)
        guard let signature = RSASignature.sha256(Array(text.utf8), key: key) else { return nil }
        return Secret(text + "." + Base64.encodeForURL(signature))
    }
}
