import CCurl
import SystemSupport

/// What libcurl is told about one request.
struct TransferOptions {
    let request: HTTPRequest
    let url: HTTPURL
    let proxy: HTTPURL?
    let configuration: HTTPClientConfiguration

    /// The URL as libcurl gets it. It takes the name for the handshake from the URL and has no setting of its own for it, so the
    /// server's real place is told apart (`connections`).
    private var dialled: HTTPURL {
        var dialled = url
        if let serverName = configuration.serverName {
            dialled.host = serverName.contains(":") ? "[\(serverName)]" : serverName
        }
        return dialled
    }

    /// Where to connect in place of what the URL says; must outlive the transfer.
    func connections() throws -> LineList {
        var list = LineList()
        if configuration.serverName != nil { try list.append("::\(url.host):\(url.effectivePort)") }
        return list
    }

    /// The header lines; they must outlive the transfer.
    func headerLines() throws -> LineList {
        var headers = request.outgoingHeaders
        if configuration.serverName != nil, headers["Host"] == nil { headers["Host"] = url.authority }
        return try LineList(headers)
    }

    func apply(to handle: EasyHandle, _ body: HTTPBody) throws {
        try handle.set(CURLOPT_NOSIGNAL, 1)
        try handle.set(CURLOPT_PROTOCOLS_STR, "http,https")
        try handle.set(CURLOPT_URL, dialled.text)
        try handle.set(CURLOPT_PATH_AS_IS, 1)
        if let socket = configuration.socket { try handle.set(CURLOPT_UNIX_SOCKET_PATH, socket.text) }
        try handle.set(CURLOPT_HTTP_VERSION, version)
        // libcurl refuses numbers that it cannot hold as milliseconds.
        try handle.set(CURLOPT_CONNECTTIMEOUT, min(max(1, request.connectTimeout), 1_000_000))
        if let limit = request.totalTimeout { try handle.set(CURLOPT_TIMEOUT, min(max(1, limit), 1_000_000)) }
        try handle.set(CURLOPT_TCP_KEEPALIVE, 1)
        try handle.set(CURLOPT_BUFFERSIZE, request.expectsLargeBody ? 128 << 10 : 16 << 10)
        if !configuration.userAgent.isEmpty { try handle.set(CURLOPT_USERAGENT, configuration.userAgent) }
        // libcurl 7.88 overlooks for a second that an answer without a body has come on a connection that was used before.
        if configuration.version == .http2Required { try handle.set(CURLOPT_FORBID_REUSE, 1) }
        try applyProxy(to: handle)
        try applySecurity(to: handle)
        try applyBody(to: handle, body)
    }

    private var version: Int {
        switch configuration.version {
        case .http1: CURL_HTTP_VERSION_1_1
        case .http2Allowed: CURL_HTTP_VERSION_2TLS
        // With TLS the handshake tells.
        case .http2Required: url.scheme == "https" ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
        }
    }

    /// Set in any case: libcurl would look into the environment by itself.
    private func applyProxy(to handle: EasyHandle) throws {
        var proxy = proxy
        // The proxy resolves names, as Go's client has it.
        if proxy?.scheme == "socks5" { proxy?.scheme = "socks5h" }
        try handle.set(CURLOPT_PROXY, proxy?.text ?? "")
        try handle.set(CURLOPT_NOPROXY, "")
        try handle.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        if configuration.version == .http2Required { try handle.set(CURLOPT_HTTPPROXYTUNNEL, 1) }
    }

    private func applySecurity(to handle: EasyHandle) throws {
        // The authorities come from a store that all connections share, not from libcurl's default places.
        for option in [CURLOPT_CAINFO, CURLOPT_CAPATH, CURLOPT_PROXY_CAINFO, CURLOPT_PROXY_CAPATH] {
            try handle.set(option, nil)
        }
        try handle.set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        if configuration.trust == .insecure {
            for option in [
                CURLOPT_SSL_VERIFYPEER, CURLOPT_SSL_VERIFYHOST, CURLOPT_PROXY_SSL_VERIFYPEER, CURLOPT_PROXY_SSL_VERIFYHOST,
            ] {
                try handle.set(option, 0)
            }
        }
        if let pair = configuration.clientCertificate {
            try handle.set(CURLOPT_SSLCERT_BLOB, blob: pair.certificate)
            try handle.set(CURLOPT_SSLKEY_BLOB, blob: pair.key)
        }
    }

    private func applyBody(to handle: EasyHandle, _ body: HTTPBody) throws {
        guard !request.method.isEmpty, request.method.utf8.allSatisfy(LineList.isNameByte) else {
            throw TransferError.invalid("net/http: invalid method")
        }
        switch body {
        case .none where request.method == "HEAD": try handle.set(CURLOPT_NOBODY, 1)
        case .none where !["POST", "PUT", "PATCH"].contains(request.method): try handle.set(CURLOPT_HTTPGET, 1)
        case .none: try handle.set(CURLOPT_COPYPOSTFIELDS, "")  // says `Content-Length: 0`
        case .bytes(let bytes):
            try handle.set(CURLOPT_POSTFIELDSIZE_LARGE, offset: Int64(bytes.count))
            if bytes.isEmpty { try handle.set(CURLOPT_COPYPOSTFIELDS, "") }
        case .file(_, _, let length, _):
            try handle.set(CURLOPT_UPLOAD, 1)
            try handle.set(CURLOPT_INFILESIZE_LARGE, offset: length)
        case .source(_, let length):
            try handle.set(CURLOPT_UPLOAD, 1)
            try handle.set(CURLOPT_INFILESIZE_LARGE, offset: length ?? -1)
        }
        if let length = body.length {
            // Many small bodies may be under way at once: 16 KiB is the least that libcurl takes.
            if length >= 1 << 20 || length <= 16 << 10 {
                try handle.set(CURLOPT_UPLOAD_BUFFERSIZE, length >= 1 << 20 ? 512 << 10 : 16 << 10)
            }
        }
        try handle.set(CURLOPT_CUSTOMREQUEST, request.method)
    }
}
