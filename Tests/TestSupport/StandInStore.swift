internal import Foundation
import Synchronization

/// An S3 store in memory that refuses what a test wants refused; it looks at no signature.
package final class StandInStore: Sendable {
    /// One request as a refusal sees it.
    package struct Request: Sendable {
        package let method: String
        /// Without the bucket.
        package let key: String
        package let isList: Bool
    }

    /// An answer in place of the store's own.
    package struct Refusal: Sendable {
        package let status: Int
        package let word: String
        package var text = ""

        package init(status: Int, word: String, text: String = "") {
            self.status = status
            self.word = word
            self.text = text
        }
    }

    private final class Content: Sendable {
        let objects = Mutex<[String: [UInt8]]>([:])
        let requests = Mutex<[String]>([])
    }

    private let content: Content
    private let server: ScriptedServer

    package var endpoint: String { "127.0.0.1:\(server.port)" }
    package var keys: [String] { content.objects.withLock { $0.keys.sorted() } }
    /// The method of each request, and what it was for.
    package var requests: [String] { content.requests.withLock { $0 } }

    /// - Parameters:
    ///   - headers: of every answer, e.g. a date.
    ///   - refuse: asked for each request; nil lets it pass. May block.
    package init(headers: [String] = [], refuse: @escaping @Sendable (Request) -> Refusal? = { _ in nil }) throws {
        let content = Content()
        self.content = content
        server = try ScriptedServer(answering: { conversation, seen in
            let words = seen.line.split(separator: " ")
            let url = URLComponents(string: "http://store" + words[1])
            let path = (url?.path ?? "").split(separator: "/", maxSplits: 1, omittingEmptySubsequences: true)
            let request = Request(
                method: String(words[0]), key: path.count > 1 ? String(path[1]) : "",
                isList: url?.queryItems?.contains { $0.name == "list-type" } ?? false)
            content.requests.withLock { $0.append("\(request.isList ? "LIST" : request.method) \(request.key)") }
            let prefix = url?.queryItems?.first { $0.name == "prefix" }?.value ?? ""
            let refused = refuse(request).map {
                ($0.status, Array("<Error><Code>\($0.word)</Code><Message>\($0.text)</Message></Error>".utf8))
            }
            let (status, body) = refused ?? Self.answer(request, prefix, seen.body, content)
            let fields = ["Content-Length: \(body.count)", "x-amz-request-id: 1", "ETag: \"1\""] + headers
            let head = "HTTP/1.1 \(status) Text\r\n\(fields.joined(separator: "\r\n"))\r\n\r\n"
            conversation.send(Array(head.utf8) + (request.method == "HEAD" ? [] : body))
        })
    }

    package func stop() { server.stop() }

    private static func answer(
        _ request: Request, _ prefix: String, _ body: [UInt8], _ content: Content
    ) -> (status: Int, body: [UInt8]) {
        content.objects.withLock { objects in
            switch request.method {
            case "GET" where request.isList:
                let found = objects.keys.sorted().filter { $0.hasPrefix(prefix) }
                let list = found.map { "<Contents><Key>\($0)</Key><Size>1</Size></Contents>" }.joined()
                return (200, Array("<ListBucketResult><IsTruncated>false</IsTruncated>\(list)</ListBucketResult>".utf8))
            case "PUT":
                objects[request.key] = body
                return (200, [])
            case "DELETE":
                objects[request.key] = nil
                return (204, [])
            case "GET", "HEAD": return objects[request.key].map { (200, $0) } ?? (404, [])
            default: return (400, [])
            }
        }
    }
}
