import CCurl
import Glibc
import SystemSupport

/// What is known of a transfer that libcurl ended with an error, and the words for it.
struct TransferFailure {
    let status: CURLcode
    /// The value of `errno` where a socket operation failed; 0 if none did.
    let systemCode: Int32
    /// libcurl's own text; may be empty.
    let text: String
    /// The host asked for.
    let host: String
    /// The host to connect to, that or its proxy: `name:port`.
    let peer: String
    /// The address spoken to, where one was found: `address:port`.
    let address: String
    /// `tcp` or `unix`.
    let network: String
    let usesProxy: Bool
    /// How far the connection came.
    let stage: Stage
    /// The proxy's answer to CONNECT; 0 for none.
    let connectStatus: Int
    let bytesReceived: Int64
    /// Seconds that the request may take in all.
    let totalTimeout: Int?
    /// The connection was one left open by an earlier request, and it broke or brought what is no answer: a fresh one may serve.
    let isStaleConnection: Bool

    enum Stage {
        case resolving, connecting, handshaking, open
    }

    init(
        _ handle: EasyHandle, _ status: CURLcode, _ url: HTTPURL, _ proxy: HTTPURL?, _ configuration: HTTPClientConfiguration,
        bytesReceived: Int64, totalTimeout: Int?
    ) {
        self.status = status
        systemCode = Int32(clamping: handle.number(CURLINFO_OS_ERRNO))
        text = handle.errorText
        let nearest = proxy ?? url
        host = configuration.serverName ?? url.bareHost
        peer = "\(nearest.host):\(nearest.effectivePort)"
        let found = handle.text(CURLINFO_PRIMARY_IP)
        let bracketed = found.contains(":") ? "[\(found)]" : found
        let socket = configuration.socket?.text
        network = socket == nil ? "tcp" : "unix"
        address = socket ?? (found.isEmpty ? peer : "\(bracketed):\(handle.number(CURLINFO_PRIMARY_PORT))")
        usesProxy = proxy != nil
        if handle.offset(CURLINFO_PRETRANSFER_TIME_T) > 0 {
            stage = .open
        } else if handle.hasBegunHandshake {
            stage = .handshaking
        } else if handle.offset(CURLINFO_NAMELOOKUP_TIME_T) > 0 {
            stage = .connecting
        } else {
            stage = .resolving
        }
        connectStatus = handle.number(CURLINFO_HTTP_CONNECTCODE)
        self.bytesReceived = bytesReceived
        self.totalTimeout = totalTimeout
        // What follows an earlier answer unasked, e.g. a body after a HEAD, stands in the way of the next.
        let spoils: [CURLcode] = [
            CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_SEND_FAIL_REWIND, CURLE_WEIRD_SERVER_REPLY,
            CURLE_UNSUPPORTED_PROTOCOL,
        ]
        isStaleConnection = spoils.contains(status) && handle.number(CURLINFO_NUM_CONNECTS) == 0
    }

    var error: TransferError {
        let (code, cause) = classified
        return .made(code, cause, bytesReceived: bytesReceived)
    }

    private var classified: (TransferError.Code, String) {
        switch status {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
            return (.resolve, dialing("lookup \(peerHost): \(text.contains("imeout") ? "i/o timeout" : "no such host")", ""))
        case CURLE_OPERATION_TIMEDOUT: return (.timeout, timeout)
        case CURLE_COULDNT_CONNECT:
            if connectStatus != 0 { return proxyRefusal }
            return (.connect, dialing("connect: " + (systemCode == 0 ? described : errnoText(systemCode)), " " + address))
        case CURLE_PROXY: return (.connect, "proxyconnect tcp: \(described)")
        case CURLE_PARTIAL_FILE: return (.truncated, "unexpected EOF")
        case CURLE_GOT_NOTHING: return (.broken, "EOF")
        case CURLE_RECV_ERROR:
            if connectStatus >= 300 { return proxyRefusal }
            if systemCode != 0 { return (.broken, "read \(network) \(address): read: \(errnoText(systemCode))") }
            return (.broken, endOfFile(orElse: "read \(network) \(address)"))
        case CURLE_SEND_ERROR, CURLE_SEND_FAIL_REWIND:
            return (.broken, "write \(network) \(address): write: \(systemCode == 0 ? "broken pipe" : errnoText(systemCode))")
        case CURLE_SSL_CONNECT_ERROR:
            if systemCode != 0 { return (.broken, "read \(network) \(address): read: \(errnoText(systemCode))") }
            if text.contains("SSL_ERROR_SYSCALL") || text.contains("unexpected eof") { return (.broken, "EOF") }
            return (.tls, "tls: \(text)")
        case CURLE_PEER_FAILED_VERIFICATION: return (.tls, "tls: failed to verify certificate: x509: \(verification)")
        case CURLE_HTTP2, CURLE_HTTP2_STREAM: return (.broken, "http2: client connection lost: \(text)")
        case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING:
            return (.malformed, "net/http: malformed HTTP response: \(described)")
        case CURLE_URL_MALFORMAT: return (.invalid, "parse URL: \(described)")
        case CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_USE_SSL_FAILED:
            return (.tls, "tls: \(described)")
        default: return (.other, described)
        }
    }

    private var described: String { text.isEmpty ? unsafe String(cString: curl_easy_strerror(status)) : text }

    private var peerHost: String { String(peer[..<(peer.lastIndex(of: ":") ?? peer.endIndex)]) }

    private func dialing(_ cause: String, _ address: String) -> String {
        (usesProxy ? "proxyconnect tcp: " : "") + "dial \(network)\(address): \(cause)"
    }

    private var timeout: String {
        switch stage {
        case .resolving: dialing("lookup \(peerHost): i/o timeout", "")
        case .connecting: dialing("i/o timeout", " " + address)
        case .handshaking: "net/http: TLS handshake timeout"
        case .open: "no complete answer within \(totalTimeout ?? 0) s: i/o timeout"
        }
    }

    private var proxyRefusal: (TransferError.Code, String) {
        let code: TransferError.Code = connectStatus == 429 || connectStatus >= 500 ? .connect : .invalid
        return (code, "proxyconnect tcp: the proxy answered \(connectStatus)")
    }

    private func endOfFile(orElse prefix: String) -> String {
        text.contains("unexpected eof") || text.isEmpty ? "unexpected EOF" : "\(prefix): \(text)"
    }

    /// The words of Go's x509 for the usual causes; OpenSSL's own after them.
    private var verification: String {
        let detail = text.replacingPrefix("SSL certificate problem: ", with: "")
        if detail.contains("issuer certificate") || detail.contains("self-signed") || detail.contains("self signed") {
            return "certificate signed by unknown authority (\(detail))"
        }
        if detail.contains("expired") || detail.contains("not yet valid") {
            return "certificate has expired or is not yet valid (\(detail))"
        }
        if detail.contains("subject name") { return "certificate is not valid for \(host) (\(detail))" }
        return detail
    }
}

extension String {
    fileprivate func replacingPrefix(_ prefix: String, with other: String) -> String {
        hasPrefix(prefix) ? other + dropFirst(prefix.count) : self
    }
}
