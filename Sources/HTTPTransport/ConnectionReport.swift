import CCurl
import SystemSupport

/// How far a connection came, and how long each part of the way took.
package struct ConnectionReport: Sendable {
    package enum Stage: Sendable, Equatable {
        /// Looking the name up.
        case resolving
        case connecting
        /// TLS; only where the URL has it.
        case handshaking
        /// One request without credentials.
        case asking
    }

    /// The stages that were passed, in order, with nanoseconds.
    package let passed: [(stage: Stage, time: Int64)]
    /// The stage that was not passed.
    package let failure: (stage: Stage, time: Int64, error: TransferError)?
    /// The address spoken to, `address:port`; empty where none was found.
    package let address: String
    /// The proxy that the connection goes through, without its credentials; nil for none.
    package let proxy: String?
    /// The answer, whatever its status.
    package let answer: HTTPResponseHead?
}

extension HTTPClient {
    /// Connects as any request to this URL would, on a connection of its own, and asks for the URL once, without credentials.
    ///
    /// - Parameter timeout: seconds for each part of the way.
    /// - Throws: `TransferError` for a URL that makes no sense, and where the client was cancelled.
    package func probe(_ url: String, timeout: Int) throws -> ConnectionReport {
        var request = HTTPRequest("GET", url)
        request.connectTimeout = timeout
        request.stallTimeout = timeout
        let url = try HTTPURL(url)
        let handle = try takeHandle(for: url, isNew: true)
        defer { giveBack(handle, isReusable: false) }
        let exchange = Exchange(
            url: url, body: .none, bodyLimit: 64 << 10, decodesGzip: false, isFollowed: { _ in false }, onHead: { _ in nil })
        let start = monotonicNanoseconds()
        let end = try attempt(handle, request, url, .none, exchange)
        let elapsed = monotonicNanoseconds() - start
        var passed: [(ConnectionReport.Stage, Int64)] = []
        var last: Int64 = 0
        let stages: [(ConnectionReport.Stage, CURLINFO)] = [
            (.resolving, CURLINFO_NAMELOOKUP_TIME_T), (.connecting, CURLINFO_CONNECT_TIME_T),
            (.handshaking, CURLINFO_APPCONNECT_TIME_T),
        ]
        for (stage, info) in stages {
            // Microseconds since the start; 0 for what was not reached.
            let time = handle.offset(info) * 1000
            if time > 0 { passed.append((stage, max(0, time - last))) }
            last = max(last, time)
        }
        var failure: (ConnectionReport.Stage, Int64, TransferError)?
        switch end {
        case .cancelled: throw TransferError.made(.aborted, "context canceled", bytesReceived: 0)
        case .complete: break
        case .stalled(let limit):
            failure = (.asking, elapsed - last, .made(.timeout, "no byte within \(limit) s: i/o timeout", bytesReceived: 0))
        // A part of an answer is enough here.
        case .failed(let cause) where exchange.answer == nil:
            let stage: ConnectionReport.Stage =
                switch cause.stage {
                case .resolving: .resolving
                case .connecting: .connecting
                case .handshaking: .handshaking
                case .open: .asking
                }
            passed.removeAll { $0.0 == stage }
            // libcurl times a connection only once it is whole, TLS included.
            if stage == .handshaking, !passed.contains(where: { $0.0 == .connecting }) { passed.append((.connecting, 0)) }
            failure = (stage, elapsed - last, cause.error)
        case .failed: break
        }
        if failure == nil { passed.append((.asking, elapsed - last)) }
        let found = handle.text(CURLINFO_PRIMARY_IP)
        let bracketed = found.contains(":") ? "[\(found)]" : found
        let proxy = try configuration.proxy.proxy(for: url)
        return ConnectionReport(
            passed: passed, failure: failure,
            address: found.isEmpty ? "" : "\(bracketed):\(handle.number(CURLINFO_PRIMARY_PORT))",
            proxy: proxy.map { "\($0.scheme)://\($0.host):\($0.effectivePort)" }, answer: exchange.answer)
    }
}
