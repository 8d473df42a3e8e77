import Glibc
import SystemSupport

/// One request and its answer while they are under way: gives the request's body, takes the answer's head and body.
///
/// Lives on the thread that runs the transfer; libcurl's callbacks reach it by pointer.
final class Exchange {
    /// What the answer's body goes to.
    private enum Destination {
        case undecided
        case memory
        case sink(any ByteSink)
        case nowhere
    }

    enum Stop {
        /// An error of the sink, of the source, or of `onHead`.
        case failure(any Error)
        /// The body to collect is larger than its limit.
        case tooLarge
        /// Enough has come of a body that only explains an error, or that is not read.
        case enough
    }

    /// How much of an unwanted body is read so that the connection can be reused, bytes.
    private static let discardLimit: Int64 = 64 << 10

    private let body: HTTPBody
    let bodyLimit: Int
    private let isFollowed: (HTTPResponseHead) -> Bool
    private let onHead: (HTTPResponseHead) throws -> (any ByteSink)?
    private let url: HTTPURL
    private let decodesGzip: Bool
    private let limits: DecodingLimits
    /// Undoes the answer's own coding.
    private var decoder: GzipDecoder?

    /// The head that is being read; of several, with interim answers, the last.
    private var head: HTTPResponseHead?
    private var headIsComplete = false
    /// The complete head of the answer proper.
    private(set) var answer: HTTPResponseHead?
    private var destination = Destination.undecided
    private(set) var collected: [UInt8] = []
    /// What came behind the body.
    private(set) var trailers = HTTPHeaders()
    private(set) var bytesReceived: Int64 = 0
    /// Bytes of the request's body given so far.
    private var position: Int64 = 0
    /// Why our own side ended the transfer, if it did.
    private(set) var stop: Stop?
    /// When bytes last moved, or our own side last gave up control (monotonic nanoseconds).
    private(set) var lastActivity = monotonicNanoseconds()

    /// - Parameters:
    ///   - isFollowed: whether an answer is only a redirect to be followed, so that its head is not passed on.
    ///   - decodesGzip: whether `Accept-Encoding: gzip` was sent on our own account.
    ///   - limits: on what such an answer may decode to.
    init(
        url: HTTPURL, body: HTTPBody, bodyLimit: Int, decodesGzip: Bool, limits: DecodingLimits = DecodingLimits(),
        isFollowed: @escaping (HTTPResponseHead) -> Bool,
        onHead: @escaping (HTTPResponseHead) throws -> (any ByteSink)?
    ) {
        self.url = url
        self.body = body
        self.bodyLimit = bodyLimit
        self.decodesGzip = decodesGzip
        self.limits = limits
        self.isFollowed = isFollowed
        self.onHead = onHead
    }

    /// The exchange that a callback's context points to.
    static func lent(_ context: UnsafeMutableRawPointer) -> Exchange {
        unsafe Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
    }

    /// Bytes moved that no callback tells of (the request's own, into the socket).
    func noteActivity() { lastActivity = monotonicNanoseconds() }

    /// Whether anything has come.
    var hasBegunAnswer: Bool { head != nil }

    /// Whether the body is kept here, rather than given to a sink.
    var isCollected: Bool { if case .memory = destination { true } else { false } }

    // MARK: The answer

    /// Takes one line of the head; false ends the transfer.
    func takeHeader(_ line: Span<UInt8>) -> Bool {
        defer { noteActivity() }
        var bytes = unsafe line.withUnsafeBufferPointer { unsafe Array($0) }
        while let last = bytes.last, last == 0x0D || last == 0x0A { bytes.removeLast() }
        if headIsComplete, case .undecided = destination {
            headIsComplete = false
        } else if headIsComplete {
            if let (name, value) = Self.field(bytes) { trailers.add(name, value) }
            return true
        }
        if bytes.starts(with: Array("HTTP/".utf8)) {
            let words = bytes.split(separator: 0x20)
            let status = words.count > 1 ? Int(String(decoding: words[1], as: UTF8.self)) : nil
            head = HTTPResponseHead(status: status ?? 0, headers: HTTPHeaders(), url: url)
            return true
        }
        if bytes.isEmpty { return finishHead() }
        if let (name, value) = Self.field(bytes) { head?.headers.add(name, value) }
        return true
    }

    private static func field(_ line: [UInt8]) -> (name: String, value: String)? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        var value = line[(colon + 1)...]
        while let first = value.first, first == 0x20 || first == 0x09 { value.removeFirst() }
        while let last = value.last, last == 0x20 || last == 0x09 { value.removeLast() }
        return (String(decoding: line[..<colon], as: UTF8.self), String(decoding: value, as: UTF8.self))
    }

    private func finishHead() -> Bool {
        headIsComplete = true
        guard var head, head.status >= 200 else { return true }  // an interim answer; the real one follows
        if let fault = MessageFraming.fault(of: head) {
            stop = .failure(TransferError.made(.malformed, "net/http: malformed HTTP response: \(fault)", bytesReceived: 0))
            return false
        }
        if isFollowed(head) {
            answer = head
            destination = .nowhere
            return true
        }
        do {
            if decodesGzip, HTTPHeaders.same(head.headers["Content-Encoding"] ?? "", "gzip") {
                decoder = try GzipDecoder(limits)
                head.isDecoded = true
                // They tell of the coded body.
                for name in ["Content-Encoding", "Content-Length"] { head.headers.remove(name) }
            }
            answer = head
            destination = if let sink = try onHead(head) { .sink(sink) } else { .memory }
            return true
        } catch {
            stop = .failure(error)
            return false
        }
    }

    /// Takes a block of the body; false ends the transfer.
    func takeBody(_ block: Span<UInt8>) -> Bool {
        defer { noteActivity() }
        guard let decoder else { return deliver(block) }
        do { return try decoder.decode(block, deliver) } catch {
            stop = .failure(error.transferError(bytesReceived: bytesReceived))
            return false
        }
    }

    /// Whether a body that has ended is whole.
    var isBodyComplete: Bool { decoder?.isComplete ?? true }

    private func deliver(_ block: Span<UInt8>) -> Bool {
        switch destination {
        case .sink(let sink):
            do { try sink.write(block) } catch {
                stop = .failure(error)
                return false
            }
        case .memory:
            let fitting = min(block.count, max(0, bodyLimit - collected.count))
            unsafe block.withUnsafeBufferPointer { unsafe collected.append(contentsOf: $0[..<fitting]) }
            if fitting < block.count {
                stop = answer.map { $0.status >= 300 } == true ? .enough : .tooLarge
                return false
            }
        case .nowhere, .undecided:
            if bytesReceived > Self.discardLimit {
                stop = .enough
                return false
            }
        }
        bytesReceived += Int64(block.count)
        return true
    }

    // MARK: The request's body

    /// Fills the buffer and says how many bytes; 0 is the end, nil a failure.
    func giveBody(_ buffer: inout MutableSpan<UInt8>) -> Int? {
        defer { noteActivity() }
        do {
            let count = try fill(&buffer)
            position += Int64(count)
            return count
        } catch {
            stop = .failure(error)
            return nil
        }
    }

    private func fill(_ buffer: inout MutableSpan<UInt8>) throws -> Int {
        if buffer.isEmpty { return 0 }
        switch body {
        case .none, .bytes: return 0
        case .file(let descriptor, let offset, let length, let subject):
            let count = try DescriptorIO.read(descriptor, into: &buffer, at: offset + position, subject: subject)
            if count == 0 { throw ExecutorError.failed("read \(subject): unexpected EOF: \(position) of \(length) bytes") }
            return count
        case .source(let source, let length):
            let count = try source.read(into: &buffer)
            if count == 0, let length {
                throw ExecutorError.failed("read the body to send: unexpected EOF: \(position) of \(length) bytes")
            }
            return count
        }
    }

    /// How many bytes of a buffer the rest of the body may fill, so that no more than its length is sent.
    func room(in capacity: Int) -> Int {
        switch body {
        case .none, .bytes: 0
        case .file(_, _, let length, _), .source(_, let length?): Int(min(Int64(capacity), max(0, length - position)))
        case .source(_, nil): capacity
        }
    }

    /// Goes back to an offset of the body, to send it again; false where that is impossible.
    func seekBody(_ offset: Int64) -> Bool {
        if offset == position { return true }
        guard body.isResendable, offset >= 0 else { return false }
        position = offset
        return true
    }
}
