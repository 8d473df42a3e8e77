/// Which certificate authorities a server's certificate may come from.
package enum TrustAnchors: Sendable, Equatable {
    /// Those of the system: `file` and `directories` are the values of `SSL_CERT_FILE` and `SSL_CERT_DIR` (a colon list) where
    /// set; what is unset is looked for where Go looks (contract 01 §5.2).
    case system(file: String? = nil, directories: String? = nil)
    /// Only the certificates in these PEM bytes.
    case certificates([UInt8])
    /// The certificate is not checked.
    case insecure
}
