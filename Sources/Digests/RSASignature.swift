import CCrypto
package import SystemSupport

/// Signatures with RSA keys.
package enum RSASignature {
    /// Signs by RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2), as `RS256` means (RFC 7518 §3.3).
    ///
    /// - Parameter key: a private key in PEM, PKCS #8 or PKCS #1, without a pass phrase.
    /// - Returns: nil where the key is none that can be read.
    package static func sha256(_ message: [UInt8], key: Secret) -> [UInt8]? {
        let text = key.reveal()
        guard let source = unsafe BIO_new_mem_buf(text, Int32(text.count)) else { return nil }
        defer { unsafe BIO_free(source) }
        defer { ERR_clear_error() }
        // Nobody can be asked for a pass phrase.
        guard let pair = unsafe PEM_read_bio_PrivateKey(source, nil, { _, _, _, _ in 0 }, nil) else { return nil }
        defer { unsafe EVP_PKEY_free(pair) }
        guard unsafe EVP_PKEY_get_base_id(pair) == EVP_PKEY_RSA, let context = unsafe EVP_MD_CTX_new() else { return nil }
        defer { unsafe EVP_MD_CTX_free(context) }
        var length = 0
        guard unsafe EVP_DigestSignInit(context, nil, EVP_sha256(), nil, pair) == 1,
            unsafe EVP_DigestSign(context, nil, &length, message, message.count) == 1
        else { return nil }
        var signature = [UInt8](repeating: 0, count: length)
        guard unsafe EVP_DigestSign(context, &signature, &length, message, message.count) == 1 else { return nil }
        return Array(signature.prefix(length))
    }
}
