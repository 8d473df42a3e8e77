import CCurl
import Synchronization
package import SystemSupport
import Tracing

/// HTTP over libcurl, blocking: a transfer runs on the calling thread, on a handle from a pool, and many threads make many
/// transfers. Connections stay open between requests. Nothing is initialised before the first transfer.
package final class HTTPClient: Sendable {
    private struct Pool {
        var share: HandleShare?
        /// Last in, first out, so that a few connections serve what a few threads need.
        var idle: [EasyHandle] = []
        var running: [EasyHandle] = []
        /// Hosts whose last transfer failed: the address that was known of them may be an old one.
        var doubtful: Set<String> = []
    }

    let configuration: HTTPClientConfiguration
    private let pool = Mutex(Pool())
    private let certificates = Mutex<CertificateStore?>(nil)
    private let isCancelled = Atomic(false)

    package init(configuration: HTTPClientConfiguration) { self.configuration = configuration }

    /// Makes a request and collects the body of the answer. Any status is an answer.
    ///
    /// - Parameter bodyLimit: bytes; a larger body is an error (`tooLarge`), but where the status is 300 or above the rest of
    ///   it is dropped.
    /// - Throws: `TransferError` when no whole answer came (of one with a status of 400 or above its head is enough); the body
    ///   source's own error as it is.
    package func perform(
        _ request: HTTPRequest, body: HTTPBody = .none, bodyLimit: Int = 4 << 20
    ) throws -> HTTPResponse {
        try download(request, body: body, bodyLimit: bodyLimit) { _ in nil }
    }

    /// Makes a request and streams the body of the answer.
    ///
    /// - Parameters:
    ///   - bodyLimit: as of `perform`, where the body is collected.
    ///   - onHead: sees status and headers once, before the body, and returns where the body goes; nil to collect it
    ///     (bodies that explain an error). What it throws ends the transfer and is rethrown as it is.
    /// - Throws: `TransferError` when no whole answer came, with the number of bytes that did; errors of the sink and of the
    ///   body source as they are.
    package func download(
        _ request: HTTPRequest, body: HTTPBody = .none, bodyLimit: Int = 4 << 20,
        onHead: (HTTPResponseHead) throws -> (any ByteSink)?
    ) throws -> HTTPResponse {
        try withoutActuallyEscaping(onHead) { onHead in
            var request = request
            var body = body
            var url = try HTTPURL(request.url)
            var redirects = RedirectPolicy(url)
            while true {
                let outgoing = body
                let (follows, stays) = (request.followRedirects, request.staysWithServer)
                let isFollowed = { head in
                    follows && RedirectPolicy.follows(head, outgoing) && (!stays || RedirectPolicy.staysWithServer(head))
                }
                let target = url
                let (head, exchange) = try tracedTransfer(request, target, body) {
                    Exchange(
                        url: target, body: outgoing, bodyLimit: bodyLimit, decodesGzip: request.asksForGzip,
                        limits: configuration.decodingLimits, isFollowed: isFollowed, onHead: onHead)
                }
                guard isFollowed(head) else {
                    return HTTPResponse(
                        status: head.status, headers: head.headers, body: exchange.collected,
                        bytesReceived: exchange.bytesReceived, trailers: exchange.trailers, url: head.url)
                }
                let name = RequestName(request.method, url)
                do {
                    try redirects.follow(head, &request, &body)
                    url = try HTTPURL(request.url)
                } catch let error as TransferError { throw error.during(name) }
            }
        }
    }

    /// All running and later transfers fail with `aborted`, but those that outlive it. May be called from any thread.
    package func cancelAll() {
        isCancelled.store(true, ordering: .sequentiallyConsistent)
        pool.withLock { pool in
            for handle in pool.running { handle.wake() }
        }
    }

    // MARK: One request

    /// As `transfer`, as a span of the current trace. The request is sent as it would be without: no header tells of the trace.
    private func tracedTransfer(
        _ request: HTTPRequest, _ url: HTTPURL, _ body: HTTPBody, _ makeExchange: () -> Exchange
    ) throws -> (HTTPResponseHead, Exchange) {
        guard
            let span = Trace.begin(
                "HTTP \(request.method)", kind: .client,
                [
                    .text("http.request.method", request.method), .text("server.address", url.bareHost),
                    .integer("server.port", Int64(url.effectivePort)), .text("url.full", url.redacted),
                ])
        else { return try transfer(request, url, body, makeExchange) }
        defer { span.end() }
        do {
            let (head, exchange) = try transfer(request, url, body, makeExchange)
            span.set(.integer("http.response.status_code", Int64(head.status)))
            if head.status >= 400 { span.fail("") }
            return (head, exchange)
        } catch {
            span.fail((error as? TransferError)?.cause ?? errorText(error))
            throw error
        }
    }

    /// Runs one request to the end of its answer, on a fresh connection where one left open turns out to be dead.
    private func transfer(
        _ request: HTTPRequest, _ url: HTTPURL, _ body: HTTPBody, _ makeExchange: () -> Exchange
    ) throws -> (HTTPResponseHead, Exchange) {
        let name = RequestName(request.method, url)
        do {
            var exchange = makeExchange()
            var end = try attempt(request, url, body, exchange, onNewHandle: false)
            if case .failed(let failure) = end, failure.isStaleConnection, !exchange.hasBegunAnswer, exchange.stop == nil,
                body.isResendable
            {
                exchange = makeExchange()
                end = try attempt(request, url, body, exchange, onNewHandle: true)
            }
            switch (exchange.stop, end) {
            case (.failure(let error), _): throw OwnError(error: error)
            case (.tooLarge, _):
                throw TransferError.made(
                    .tooLarge, "the body is larger than \(exchange.bodyLimit) bytes", bytesReceived: exchange.bytesReceived)
            case (.enough, _), (nil, .complete):
                // libcurl takes a head that was cut off for a whole one.
                guard let answer = exchange.answer else {
                    throw TransferError.made(.broken, "unexpected EOF", bytesReceived: 0)
                }
                if exchange.stop == nil, !exchange.isBodyComplete {
                    throw TransferError.made(
                        .truncated, "gzip: unexpected EOF", bytesReceived: exchange.bytesReceived)
                }
                return (answer, exchange)
            case (nil, .cancelled):
                throw TransferError.made(.aborted, "context canceled", bytesReceived: exchange.bytesReceived)
            case (nil, .stalled(let limit)):
                throw TransferError.made(
                    .timeout, "no byte within \(limit) s: i/o timeout", bytesReceived: exchange.bytesReceived)
            case (nil, .failed(let failure)):
                // A refusal stands even where its explanation was cut off, as happens to those of large bodies over HTTP/2.
                if let answer = exchange.answer, answer.status >= 400, exchange.isCollected { return (answer, exchange) }
                throw failure.error
            }
        } catch let error as OwnError { throw error.error } catch let error as TransferError { throw error.during(name) }
    }

    /// An error that is rethrown as it is.
    private struct OwnError: Error { let error: any Error }

    enum End {
        case complete, cancelled
        /// After that many seconds.
        case stalled(Int)
        case failed(TransferFailure)
    }

    /// Makes one attempt on a handle of the pool, or on a new one, which has no connections yet.
    private func attempt(
        _ request: HTTPRequest, _ url: HTTPURL, _ body: HTTPBody, _ exchange: Exchange, onNewHandle isNew: Bool
    ) throws -> End {
        let handle = try takeHandle(for: url, isNew: isNew)
        var isWhole = false
        defer { giveBack(handle, isReusable: isWhole) }
        let end = try attempt(handle, request, url, body, exchange)
        if case .complete = end { isWhole = true }
        return end
    }

    func attempt(
        _ handle: EasyHandle, _ request: HTTPRequest, _ url: HTTPURL, _ body: HTTPBody, _ exchange: Exchange
    ) throws -> End {
        if !request.outlivesCancellation, isCancelled.load(ordering: .sequentiallyConsistent) { return .cancelled }
        let proxy = try configuration.proxy.proxy(for: url)
        let options = TransferOptions(request: request, url: url, proxy: proxy, configuration: configuration)
        let headers = try options.headerLines()
        let connections = try options.connections()
        try handle.reset()
        try handle.set(headers: headers, connections: connections)
        try options.apply(to: handle, body)
        let dialled = (proxy ?? url).host
        if pool.withLock({ $0.doubtful.contains(dialled) }) { try handle.set(CURLOPT_DNS_CACHE_TIMEOUT, 0) }
        if url.scheme == "https" || proxy?.scheme == "https" {
            try handle.set(certificates: configuration.trust == .insecure ? nil : trustedCertificates())
        }
        var end: End?
        var uploaded: Int64 = 0
        let status = try handle.run(exchange, body) {
            if !request.outlivesCancellation, isCancelled.load(ordering: .sequentiallyConsistent) {
                end = .cancelled
            } else if let limit = request.silenceLimit(hasBegunAnswer: exchange.hasBegunAnswer),
                handle.offset(CURLINFO_PRETRANSFER_TIME_T) > 0
            {
                let sent = handle.offset(CURLINFO_SIZE_UPLOAD_T)
                if sent != uploaded { exchange.noteActivity() }
                uploaded = sent
                let silence = monotonicNanoseconds() - exchange.lastActivity
                if silence / 1_000_000_000 >= limit { end = .stalled(limit) }
            } else {
                exchange.noteActivity()
            }
            return end == nil
        }
        withExtendedLifetime(headers) {}
        withExtendedLifetime(connections) {}
        if status == CURLE_OK {
            pool.withLock { _ = $0.doubtful.remove(dialled) }
            return .complete
        }
        pool.withLock { _ = $0.doubtful.insert(dialled) }
        guard let status else { return end ?? .cancelled }
        return .failed(
            TransferFailure(
                handle, status, url, proxy, configuration, bytesReceived: exchange.bytesReceived,
                totalTimeout: request.totalTimeout))
    }

    // MARK: The pool

    /// - Parameter isNew: not one that has been used before.
    func takeHandle(for url: HTTPURL, isNew: Bool = false) throws -> EasyHandle {
        try CurlLibrary.start()
        let origin = url.origin
        return try pool.withLock { pool in
            let handle: EasyHandle
            if !isNew, let index = pool.idle.lastIndex(where: { $0.lastOrigin == origin }) ?? pool.idle.indices.last {
                handle = pool.idle.remove(at: index)
            } else {
                let share = try pool.share ?? HandleShare()
                pool.share = share
                handle = try EasyHandle(share: share)
            }
            handle.lastOrigin = origin
            pool.running.append(handle)
            return handle
        }
    }

    /// - Parameter isReusable: false after a transfer that was not whole. What libcurl leaves on a handle then is not for us to know:
    ///   after a name that did not resolve it keeps the receive buffer, with which it refuses to be set up again
    ///   (`CURLE_BAD_FUNCTION_ARGUMENT`), and neither `curl_easy_reset` nor leaving the multi handle frees it. A new handle costs
    ///   little, looks at `/etc/resolv.conf` anew, and the connection is lost anyway.
    func giveBack(_ handle: EasyHandle, isReusable: Bool) {
        // A surplus handle is closed outside the lock.
        let surplus = pool.withLock { pool -> EasyHandle? in
            pool.running.removeAll { $0 === handle }
            guard isReusable, pool.idle.count < configuration.maximumIdleHandles else { return handle }
            pool.idle.append(handle)
            return nil
        }
        _ = surplus
    }

    private func trustedCertificates() throws -> CertificateStore {
        try certificates.withLock { store in
            if let store { return store }
            let made = try CertificateStore(configuration.trust)
            store = made
            return made
        }
    }
}
