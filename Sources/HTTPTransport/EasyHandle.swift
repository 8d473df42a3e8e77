import CCurl
import CCurlShims
import SystemSupport

/// libcurl's process-wide start, once, at the first transfer.
enum CurlLibrary {
    private static let started = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

    static func start() throws {
        guard started == CURLE_OK else { throw TransferError.library("start libcurl", started) }
    }
}

/// Owns an easy handle and the multi handle that runs it and keeps its connections open.
///
/// A multi handle of our own for each, not `curl_easy_perform`: a waiting transfer can then be woken from another thread, and
/// the time without a byte measured exactly.
///
/// Used by one thread at a time (the pool sees to that), but for `wake`.
@safe
final class EasyHandle: @unchecked Sendable {
    private let easy: UnsafeMutableRawPointer
    private let multi: UnsafeMutableRawPointer
    private let errorBuffer: UnsafeMutablePointer<CChar>
    private let tls: UnsafeMutablePointer<curlshim_tls>
    private let share: HandleShare
    /// Kept for as long as connections may be open that were made with them.
    private var certificates: CertificateStore?

    /// Scheme, host and port of the last transfer, whose connection is probably still open.
    var lastOrigin = ""

    init(share: HandleShare) throws {
        guard let easy = unsafe curl_easy_init() else { throw TransferError.library("make a transfer", CURLE_OUT_OF_MEMORY) }
        guard let multi = unsafe curlshim_multi_new() else {
            unsafe curl_easy_cleanup(easy)
            throw TransferError.library("make a transfer", CURLE_OUT_OF_MEMORY)
        }
        unsafe self.easy = easy
        unsafe self.multi = multi
        unsafe errorBuffer = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorBuffer.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        unsafe tls = .allocate(capacity: 1)
        unsafe tls.initialize(to: curlshim_tls())
        self.share = share
        // One connection in use and one left over from before a redirect.
        unsafe curlshim_multi_set_long(multi, CURLMOPT_MAXCONNECTS, 2)
    }

    deinit {
        unsafe curl_easy_cleanup(easy)
        unsafe curl_multi_cleanup(multi)
        unsafe errorBuffer.deallocate()
        unsafe tls.deallocate()
    }

    /// Back to libcurl's defaults; open connections stay.
    func reset() throws {
        unsafe curl_easy_reset(easy)
        unsafe errorBuffer[0] = 0
        unsafe tls.pointee = curlshim_tls()
        try check(unsafe curlshim_set_pointer(easy, CURLOPT_ERRORBUFFER, errorBuffer))
        try check(unsafe curlshim_set_private_sockets(easy))
        try unsafe share.attach(to: easy)
    }

    func set(_ option: CURLoption, _ value: Int) throws { try check(unsafe curlshim_set_long(easy, option, value)) }

    func set(_ option: CURLoption, offset: Int64) throws {
        try check(unsafe curlshim_set_offset(easy, option, curl_off_t(offset)))
    }

    func set(_ option: CURLoption, _ text: String?) throws {
        if let text {
            try check(unsafe curlshim_set_string(easy, option, text))
        } else {
            try check(unsafe curlshim_set_string(easy, option, nil))
        }
    }

    func set(_ option: CURLoption, blob secret: Secret) throws {
        try unsafe secret.reveal().withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            try check(unsafe curlshim_set_blob(easy, option, start, bytes.count))
        }
    }

    /// The lists must outlive the transfer.
    func set(headers: borrowing LineList, connections: borrowing LineList) throws {
        try check(unsafe curlshim_set_pointer(easy, CURLOPT_HTTPHEADER, headers.first))
        try check(unsafe curlshim_set_pointer(easy, CURLOPT_CONNECT_TO, connections.first))
    }

    /// Makes TLS connections verify against these authorities; nil where nothing is verified.
    func set(certificates: CertificateStore?) throws {
        if let certificates { self.certificates = certificates }
        unsafe tls.pointee = curlshim_tls(anchors: certificates?.pointer, handshake_begun: false)
        try check(unsafe curlshim_set_tls(easy, tls))
    }

    /// Whether the last transfer came as far as a TLS handshake.
    var hasBegunHandshake: Bool { unsafe tls.pointee.handshake_begun }

    /// Runs the transfer that the options describe, with `exchange` taking and giving the bytes.
    ///
    /// - Parameter goesOn: asked at least once a second and after each arrival of bytes; false ends the transfer.
    /// - Returns: nil when `goesOn` ended it.
    func run(_ exchange: Exchange, _ body: HTTPBody, while goesOn: () -> Bool) throws -> CURLcode? {
        try attach(exchange)
        guard case .bytes(let bytes) = body, !bytes.isEmpty else { return try drive(goesOn) }
        // Not copied by libcurl: lent for the length of the transfer.
        return try unsafe bytes.withUnsafeBytes { buffer in
            try check(unsafe curlshim_set_pointer(easy, CURLOPT_POSTFIELDS, buffer.baseAddress!))
            return try drive(goesOn)
        }
    }

    /// Points libcurl's callbacks to the exchange.
    private func attach(_ exchange: Exchange) throws {
        let context = unsafe Unmanaged.passUnretained(exchange).toOpaque()
        try check(
            unsafe curlshim_set_header_callback(
                easy,
                { bytes, size, count, context in
                    let line = unsafe EasyHandle.block(bytes, size * count)
                    return unsafe Exchange.lent(context).takeHeader(line.span) ? size * count : 0
                }, context))
        try check(
            unsafe curlshim_set_write_callback(
                easy,
                { bytes, size, count, context in
                    let block = unsafe EasyHandle.block(bytes, size * count)
                    return unsafe Exchange.lent(context).takeBody(block.span) ? size * count : 0
                }, context))
        try check(
            unsafe curlshim_set_read_callback(
                easy,
                { bytes, size, count, context in
                    let exchange = unsafe Exchange.lent(context)
                    let room = exchange.room(in: size * count)
                    let block = unsafe UnsafeMutableBufferPointer(mutating: EasyHandle.block(bytes, room))
                    var span = unsafe block.mutableSpan
                    return exchange.giveBody(&span) ?? Int(CURL_READFUNC_ABORT)
                }, context))
        try check(
            unsafe curlshim_set_seek_callback(
                easy,
                { context, offset, origin in
                    let rewound = unsafe origin == SEEK_SET && Exchange.lent(context).seekBody(Int64(offset))
                    return rewound ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_CANTSEEK
                }, context))
    }

    private func drive(_ goesOn: () -> Bool) throws -> CURLcode? {
        try check(unsafe curl_multi_add_handle(multi, easy))
        defer { unsafe curl_multi_remove_handle(multi, easy) }
        while true {
            var running: Int32 = 0
            try check(unsafe curl_multi_perform(multi, &running))
            if running == 0 { break }
            guard goesOn() else { return nil }
            try check(unsafe curl_multi_poll(multi, nil, 0, 1000, nil))
        }
        var result = CURLE_OK
        guard unsafe curlshim_multi_result(multi, &result) else {
            throw TransferError.library("run a transfer", CURLE_RECURSIVE_API_CALL)
        }
        return result
    }

    private static func block(_ bytes: UnsafeMutablePointer<CChar>, _ count: Int) -> UnsafeBufferPointer<UInt8> {
        unsafe UnsafeBufferPointer(start: UnsafeRawPointer(bytes).assumingMemoryBound(to: UInt8.self), count: count)
    }

    /// Makes a waiting `run` look at `goesOn` at once. May be called from any thread.
    func wake() { unsafe curl_multi_wakeup(multi) }

    func number(_ info: CURLINFO) -> Int {
        var value = 0
        return unsafe curlshim_get_long(easy, info, &value) == CURLE_OK ? value : 0
    }

    func offset(_ info: CURLINFO) -> Int64 {
        var value = 0
        return unsafe curlshim_get_offset(easy, info, &value) == CURLE_OK ? Int64(value) : 0
    }

    func text(_ info: CURLINFO) -> String {
        guard let text = unsafe curlshim_get_string(easy, info) else { return "" }
        return unsafe String(cString: text)
    }

    /// What libcurl had to say on the last failure; empty if nothing.
    var errorText: String { unsafe String(cString: errorBuffer) }

    private func check(_ status: CURLcode) throws {
        guard status == CURLE_OK else { throw TransferError.library("set up a transfer", status) }
    }

    private func check(_ status: CURLMcode) throws {
        guard status == CURLM_OK else {
            throw TransferError.library(
                "run a transfer", status == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT)
        }
    }
}
