import ExecutorCore
import Foundation
import Synchronization

/// An S3 store in memory that refuses what a test wants refused; it looks at no signature.
final class StandInStore: Sendable {
    /// One request as a refusal sees it.
    struct Request: Sendable {
        let method: String
        /// Without the bucket.
        let key: String
        let isList: Bool
    }

    /// An answer in place of the store's own.
    struct Refusal: Sendable {
        let status: Int
        let word: String
        var text = ""
    }

    let endpoint: String
    private let listener: Int32
    private let headers: [String]
    private let refuse: @Sendable (Request) -> Refusal?
    private let state = Mutex<(objects: [String: [UInt8]], requests: [String])>(([:], []))

    var keys: [String] { state.withLock { $0.objects.keys.sorted() } }
    /// The method of each request, and what it was for.
    var requests: [String] { state.withLock { $0.requests } }

    /// - Parameters:
    ///   - headers: of every answer, e.g. a date.
    ///   - refuse: asked for each request; nil lets it pass. May block.
    init(headers: [String] = [], refuse: @escaping @Sendable (Request) -> Refusal? = { _ in nil }) throws {
        self.headers = headers
        self.refuse = refuse
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 16) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        if !bound { throw SystemError("listen", "127.0.0.1", errno) }
        endpoint = "127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        listener = descriptor
        Thread.detachNewThread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0 { break }
                Thread.detachNewThread { [self] in
                    if let (head, body) = Self.read(connection) { answer(connection, head, body) }
                    close(connection)
                }
            }
            close(listener)
        }
    }

    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func answer(_ connection: Int32, _ head: [String], _ body: [UInt8]) {
        let words = head[0].split(separator: " ")
        let url = URLComponents(string: "http://store" + words[1])
        let path = (url?.path ?? "").split(separator: "/", maxSplits: 1, omittingEmptySubsequences: true)
        let request = Request(
            method: String(words[0]), key: path.count > 1 ? String(path[1]) : "",
            isList: url?.queryItems?.contains { $0.name == "list-type" } ?? false)
        state.withLock { $0.requests.append("\(request.isList ? "LIST" : request.method) \(request.key)") }
        if let refusal = refuse(request) {
            let xml = "<Error><Code>\(refusal.word)</Code><Message>\(refusal.text)</Message></Error>"
            return send(connection, refusal.status, request.method == "HEAD" ? "" : xml)
        }
        let isListed = { (key: String) in
            key.hasPrefix(url?.queryItems?.first { $0.name == "prefix" }?.value ?? "")
        }
        switch request.method {
        case "GET" where request.isList:
            let found = keys.filter(isListed).map { "<Contents><Key>\($0)</Key><Size>1</Size></Contents>" }.joined()
            send(connection, 200, "<ListBucketResult><IsTruncated>false</IsTruncated>\(found)</ListBucketResult>")
        case "PUT":
            state.withLock { $0.objects[request.key] = body }
            send(connection, 200, "")
        case "DELETE":
            state.withLock { $0.objects[request.key] = nil }
            send(connection, 204, "")
        case "GET", "HEAD":
            guard let object = state.withLock({ $0.objects[request.key] }) else { return send(connection, 404, "") }
            send(connection, 200, String(decoding: object, as: UTF8.self), isHead: request.method == "HEAD")
        default: send(connection, 400, "")
        }
    }

    private func send(_ connection: Int32, _ status: Int, _ body: String, isHead: Bool = false) {
        let fields = ["Content-Length: \(body.utf8.count)", "Connection: close", "x-amz-request-id: 1"] + headers
        let text = "HTTP/1.1 \(status) Text\r\n\(fields.joined(separator: "\r\n"))\r\n\r\n" + (isHead ? "" : body)
        let bytes = Array(text.utf8)
        Foundation.send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        shutdown(connection, Int32(SHUT_WR))
        var rest: UInt8 = 0
        recv(connection, &rest, 1, 0)
    }

    private static func read(_ connection: Int32) -> (head: [String], body: [UInt8])? {
        var bytes = Data()
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            if let end = bytes.range(of: Data("\r\n\r\n".utf8)) {
                let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
                let length = lines.first { $0.lowercased().hasPrefix("content-length:") }.flatMap {
                    Int($0.split(separator: ":")[1].trimmingCharacters(in: .whitespaces))
                }
                let body = bytes[end.upperBound...]
                if body.count >= length ?? 0 { return (lines, Array(body)) }
            }
            let count = recv(connection, &chunk, chunk.count, 0)
            if count <= 0 { return nil }
            bytes += chunk[..<count]
        }
    }
}
