internal import Foundation
import Glibc

/// A request to a server's plain HTTP door for tests: a connection and a thread of its own, so that no number of tests that wait can
/// keep another's request back.
enum AdminRequest {
    /// Seconds without a byte after which a request has failed.
    private static let patience = 600

    private struct Answer: Sendable {
        var status = 0
        /// Names in lower case.
        var headers: [String: String] = [:]
        var body: [UInt8] = []
    }

    /// The answer's body.
    ///
    /// - Throws: `UnexpectedStatus` for an answer outside 200 to 299; `ServerAway` where there is none.
    static func send(_ method: String, _ url: URL, body: Data? = nil, type: String = "application/octet-stream") async throws
        -> Data
    {
        Data(try await answer(method, url, body, type).body)
    }

    /// The answer's headers, their names in lower case.
    static func headers(_ method: String, _ url: URL) async throws -> [String: String] {
        try await answer(method, url, nil, "").headers
    }

    private static func answer(_ method: String, _ url: URL, _ body: Data?, _ type: String) async throws -> Answer {
        let answer = try await withCheckedThrowingContinuation { continuation in
            Thread { continuation.resume(with: Result { try exchange(method, url, body, type) }) }.start()
        }
        guard (200..<300).contains(answer.status) else {
            let text = "\(method) \(url): \(answer.status) \(String(decoding: answer.body, as: UTF8.self))"
            throw UnexpectedStatus(status: answer.status, text: text)
        }
        return answer
    }

    private static func exchange(_ method: String, _ url: URL, _ body: Data?, _ type: String) throws -> Answer {
        let parts = URLComponents(url: url, resolvingAgainstBaseURL: true)
        let target = (parts?.percentEncodedPath ?? "/") + (parts?.percentEncodedQuery.map { "?\($0)" } ?? "")
        let host = url.host() ?? "127.0.0.1"
        let port = url.port ?? 80
        var head = "\(method) \(target.isEmpty ? "/" : target) HTTP/1.1\r\nHost: \(host):\(port)\r\nConnection: close\r\n"
        if let body { head += "Content-Type: \(type)\r\nContent-Length: \(body.count)\r\n" }
        let descriptor = try connected(host, port)
        defer { close(descriptor) }
        try write(Array(head.utf8) + Array("\r\n".utf8) + Array(body ?? Data()), to: descriptor, url)
        return try parsed(try read(from: descriptor, isHead: method == "HEAD", url), method, url)
    }

    private static func connected(_ host: String, _ port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var limit = timeval(tv_sec: patience, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr(host == "localhost" ? "127.0.0.1" : host)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard descriptor >= 0, result == 0 else {
            let cause = String(cString: strerror(errno))
            if descriptor >= 0 { close(descriptor) }
            throw ServerAway(description: "connect to \(host):\(port): \(cause)")
        }
        return descriptor
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, _ url: URL) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw ServerAway(description: "send to \(url): \(String(cString: strerror(errno)))") }
            rest = rest.dropFirst(count)
        }
    }

    /// An answer's bytes: up to its length where it tells one, since not every server closes a connection when asked to.
    private static func read(from descriptor: Int32, isHead: Bool, _ url: URL) throws -> [UInt8] {
        var all: [UInt8] = []
        var end: Int?
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while end.map({ all.count < $0 }) ?? true {
            let count = Glibc.read(descriptor, &block, block.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw ServerAway(description: "read from \(url): \(String(cString: strerror(errno)))") }
            if count == 0 { break }
            all += block[..<count]
            end = try end ?? length(of: all, isHead: isHead, url)
        }
        return all
    }

    /// How long an answer is as a whole; nil while its head has not come, or tells no length.
    private static func length(of bytes: [UInt8], isHead: Bool, _ url: URL) throws -> Int? {
        guard let head = Data(bytes).range(of: Data("\r\n\r\n".utf8)) else { return nil }
        if isHead { return head.upperBound }
        let answer = try parsed(Array(bytes[..<head.upperBound]), "HEAD", url)
        return answer.headers["content-length"].flatMap { Int($0) }.map { head.upperBound + $0 }
    }

    private static func parsed(_ bytes: [UInt8], _ method: String, _ url: URL) throws -> Answer {
        guard let end = Data(bytes).range(of: Data("\r\n\r\n".utf8)) else {
            throw ServerAway(description: "read from \(url): \(bytes.count) bytes are no answer")
        }
        var answer = Answer()
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        answer.status = words.count > 1 ? Int(words[1]) ?? 0 : 0
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = line[..<colon].lowercased()
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            answer.headers[name] = answer.headers[name] ?? value
        }
        answer.body = Array(bytes[end.upperBound...])
        let length = answer.headers["content-length"].flatMap { Int($0) }
        if method != "HEAD", let length, answer.body.count < length {
            throw ServerAway(description: "read from \(url): \(answer.body.count) of \(length) bytes came")
        }
        return answer
    }
}

/// A server did not answer.
private struct ServerAway: Error, CustomStringConvertible {
    let description: String
}

/// An answer that tells of a failure.
package struct UnexpectedStatus: Error, CustomStringConvertible {
    package let status: Int
    let text: String
    package var description: String { text }
}
