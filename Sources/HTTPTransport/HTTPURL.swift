package import ExecutorCore

/// The parts of an `http` or `https` URL, taken apart and joined by libcurl's URL parser.
package struct HTTPURL: Sendable, Equatable {
    /// `http` or `https`.
    package var scheme: String
    /// Percent-encoded; nil where the URL has none.
    package var user: String?
    /// Percent-encoded; nil where the URL has none.
    package var password: Secret?
    /// A name or an address; IPv6 addresses in brackets.
    package var host: String
    /// As given; nil where the scheme's own is meant.
    package var port: Int?
    /// Percent-encoded as given, with its leading `/`; dot segments kept.
    package var path: String
    /// Without `?`, as given; nil where the URL has none.
    package var query: String?

    /// - Throws: `TransferError` (`invalid`), whose message does not hold the text.
    package init(_ text: String) throws {
        throw TransferError(code: .invalid, message: "", bytesReceived: 0, isTransient: false)
    }

    /// The whole URL. May hold secrets.
    package var text: String { "" }

    /// Scheme, host, port and path only: fit for messages.
    package var redacted: String { "" }

    /// The port, or the scheme's own.
    package var effectivePort: Int { port ?? (scheme == "https" ? 443 : 80) }

    /// `host` or `host:port` as the `Host` header has it: the scheme's own port is left out.
    package var authority: String { host }

    /// The URL that a relative reference, e.g. a `Location` header, means here (RFC 3986 §5).
    package func resolving(_ reference: String) throws -> HTTPURL { try HTTPURL(reference) }
}
