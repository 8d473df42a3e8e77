import CCurl
package import SystemSupport

/// The parts of an `http` or `https` URL, taken apart by libcurl's URL parser.
///
/// Prints without user, password and query.
package struct HTTPURL: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
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

    /// - Parameter encoding: percent-encode what may not stand in a URL, e.g. blanks in its path.
    /// - Throws: `TransferError` (`invalid`), whose message does not hold the text.
    package init(_ text: String, encoding: Bool = false) throws {
        try self.init(URLParser(text, encoding: encoding))
        guard scheme == "http" || scheme == "https" else { throw TransferError.invalid("unsupported protocol scheme") }
        // libcurl also takes one slash or three, and then another word for the host.
        let rest = text.utf8.dropFirst(scheme.utf8.count)
        guard rest.starts(with: "://".utf8), rest.dropFirst(3).first != UInt8(ascii: "/") else {
            throw TransferError.invalid("parse URL: no host in it")
        }
    }

    /// The parts that the parser holds, of any scheme.
    init(_ parser: borrowing URLParser) throws {
        scheme = parser.part(CURLUPART_SCHEME) ?? ""
        user = parser.part(CURLUPART_USER)
        password = parser.part(CURLUPART_PASSWORD).map { Secret($0) }
        host = parser.part(CURLUPART_HOST) ?? ""
        port = parser.part(CURLUPART_PORT).flatMap { Int($0) }
        path = parser.part(CURLUPART_PATH) ?? "/"
        query = parser.part(CURLUPART_QUERY)
        guard !host.isEmpty else { throw TransferError.invalid("parse URL: no host in it") }
    }

    /// The whole URL. May hold secrets.
    package var text: String {
        var credentials = user ?? ""
        if let password { credentials += ":" + password.revealText() }
        return scheme + "://" + (credentials.isEmpty ? "" : credentials + "@") + hostAndPort + target
    }

    /// Scheme, host, port and path only: fit for messages.
    package var redacted: String { origin + path }

    package var description: String { redacted }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// What a connection belongs to: scheme, host and port.
    package var origin: String { scheme + "://" + hostAndPort }

    /// Path and query, as the request line has them.
    package var target: String { path + (query.map { "?" + $0 } ?? "") }

    /// The port, or the scheme's own.
    package var effectivePort: Int { port ?? (scheme == "https" ? 443 : 80) }

    /// `host` or `host:port` as the `Host` header has it: the scheme's own port is left out.
    package var authority: String { port == nil || port == (scheme == "https" ? 443 : 80) ? host : hostAndPort }

    /// The host without the brackets of an IPv6 address.
    package var bareHost: String { host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host }

    private var hostAndPort: String { host + (port.map { ":\($0)" } ?? "") }

    /// The URL that a relative reference, e.g. a `Location` header, means here (RFC 3986 §5).
    package func resolving(_ reference: String) throws -> HTTPURL {
        let parser = try URLParser(text)
        try parser.set(reference, encoding: true)
        return try HTTPURL(HTTPURL(parser).text)
    }
}

/// Owns one of libcurl's URL handles.
@safe struct URLParser: ~Copyable {
    /// Nil for want of memory, which every use then answers as an error.
    private let handle: OpaquePointer?

    init(_ text: String, encoding: Bool = false) throws {
        unsafe handle = curl_url()
        try set(text, encoding: encoding)
    }

    deinit { unsafe curl_url_cleanup(handle) }

    /// Takes a whole URL, or one relative to what is there.
    ///
    /// - Parameter encoding: percent-encode what may not stand in a URL, as browsers do with a `Location`.
    func set(_ text: String, encoding: Bool) throws {
        let flags = CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME | (encoding ? CURLU_URLENCODE : 0)
        let status = unsafe curl_url_set(handle, CURLUPART_URL, text, UInt32(flags))
        guard status == CURLUE_OK else {
            throw TransferError.invalid("parse URL: \(unsafe String(cString: curl_url_strerror(status)))")
        }
    }

    func part(_ which: CURLUPart) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard unsafe curl_url_get(handle, which, &text, 0) == CURLUE_OK, let text = unsafe text else { return nil }
        defer { unsafe curl_free(text) }
        return unsafe String(cString: text)
    }
}
