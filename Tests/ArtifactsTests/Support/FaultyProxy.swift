import Foundation
import Glibc
import Synchronization
import TestSupport

/// A relay in front of a server that does, connection by connection, what its script says; after the script's end it only relays.
final class FaultyProxy: Sendable {
    enum Act: Sendable {
        /// Passes everything on.
        case pass
        /// Closes at once.
        case refuse
        /// Answers the first request itself, and closes.
        case answer(status: Int, headers: [String] = [], body: String = "")
        /// Passes everything on, but closes after that many bytes of answers.
        case cut(after: Int)
        /// Passes everything on, but falls silent after that many bytes of answers.
        case stall(after: Int)
        /// Passes everything on, but closes after that many bytes of requests.
        case cutRequest(after: Int)
    }

    private struct State {
        var script: [Act]
        var connections = 0
        var answered = 0
        /// Of the requests that were answered here.
        var heads: [String] = []
        var listening: Int32
    }

    let port: Int
    private let target: Int
    private let state: Mutex<State>

    /// - Parameter target: the server's port on loopback.
    init(target: Int, script: [Act]) throws {
        self.target = target
        let listening: Int32
        (listening, port) = try Loopback.listen()
        state = Mutex(State(script: script, listening: listening))
        Thread.detachNewThread { [weak self] in
            while true {
                let client = accept(listening, nil, nil)
                // Signals of other tests and connections given up early do not end the relay.
                if client < 0, [EINTR, ECONNABORTED, EMFILE, ENFILE].contains(errno) { continue }
                guard client >= 0, let self else { return }
                let act = self.state.withLock { state -> Act in
                    state.connections += 1
                    return state.script.isEmpty ? .pass : state.script.removeFirst()
                }
                Thread.detachNewThread { self.serve(client, act) }
            }
        }
    }

    deinit {
        state.withLock {
            _ = shutdown($0.listening, Int32(SHUT_RDWR)); close($0.listening)
        }
    }

    /// `host:port`.
    var endpoint: String { "127.0.0.1:\(port)" }

    /// Connections taken so far.
    var connections: Int { state.withLock { $0.connections } }

    /// Bytes of the server's answers that were passed on so far.
    var answered: Int { state.withLock { $0.answered } }

    /// Request lines and headers of the requests that were answered here.
    var heads: [String] { state.withLock { $0.heads } }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private func serve(_ client: Int32, _ act: Act) {
        switch act {
        case .refuse: close(client)
        case .answer(let status, let headers, let body):
            let head = String(decoding: Self.readHead(client), as: UTF8.self)
            state.withLock { $0.heads.append(head) }
            let isHead = head.hasPrefix("HEAD ")
            let fields = ["Content-Length: \(body.utf8.count)", "Connection: close"] + headers
            let text = "HTTP/1.1 \(status) Told\r\n\(fields.joined(separator: "\r\n"))\r\n\r\n\(isHead ? "" : body)"
            _ = Array(text.utf8).withUnsafeBytes { send(client, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL)) }
            // What is still coming must be read, or the answer is lost to a reset.
            shutdown(client, Int32(SHUT_WR))
            var rest = [UInt8](repeating: 0, count: 65536)
            while read(client, &rest, rest.count) > 0 {}
            close(client)
        case .pass: relay(client, target, requests: .max, answers: .max)
        case .cut(let limit): relay(client, target, requests: .max, answers: limit)
        case .stall(let limit): relay(client, target, requests: .max, answers: limit, fallsSilent: true)
        case .cutRequest(let limit): relay(client, target, requests: limit, answers: .max)
        }
    }

    private static func readHead(_ client: Int32) -> [UInt8] {
        var head: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = read(client, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else { break }
            head.append(byte)
            if head.suffix(4) == Array("\r\n\r\n".utf8)[...] { break }
        }
        return head
    }

    /// - Parameter isSilent: whether it falls silent at the end of the answers' limit and leaves the closing to the client.
    private func relay(_ client: Int32, _ target: Int, requests: Int, answers: Int, fallsSilent isSilent: Bool = false) {
        let server = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = Self.loopback(target)
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard connected else {
            close(server)
            close(client)
            return
        }
        let ended = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            Self.copy(client, server, limit: requests) { _ in }
            if requests < .max { shutdown(server, Int32(SHUT_RDWR)) }
            ended.signal()
        }
        Self.copy(server, client, limit: answers, closes: !isSilent) { count in self.state.withLock { $0.answered += count } }
        if isSilent { ended.wait() }
        shutdown(server, Int32(SHUT_RDWR))
        shutdown(client, Int32(SHUT_RD))
        if answers < .max { shutdown(client, Int32(SHUT_RDWR)) }
        if !isSilent { ended.wait() }
        close(server)
        close(client)
    }

    private static func copy(_ from: Int32, _ to: Int32, limit: Int, closes: Bool = true, report: (Int) -> Void) {
        var buffer = [UInt8](repeating: 0, count: 65536)
        var passed = 0
        while passed < limit {
            let count = read(from, &buffer, min(buffer.count, limit - passed))
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            var done = 0
            while done < count {
                let sent = buffer.withUnsafeBytes {
                    send(to, $0.baseAddress! + done, count - done, Int32(MSG_NOSIGNAL))
                }
                if sent < 0, errno == EINTR { continue }
                if sent <= 0 { return }
                done += sent
            }
            passed += count
            report(count)
        }
        if closes { shutdown(to, Int32(SHUT_WR)) }
    }
}
