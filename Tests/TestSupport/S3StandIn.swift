internal import Foundation
import Synchronization
import SystemSupport

/// A store in memory that speaks S3 as far as the driver does, and answers otherwise where a test's rule says so.
package final class S3StandIn: Sendable {
    package struct Request: Sendable {
        package let method: String
        /// Empty for the bucket itself.
        package let key: String
        package let query: [String: String]
        package let headers: [String: String]
        package let body: [UInt8]

        package init(method: String, key: String, query: [String: String], headers: [String: String], body: [UInt8]) {
            self.method = method
            self.key = key
            self.query = query
            self.headers = headers
            self.body = body
        }

        /// `list`, `part`, `complete`, … or the method in lower case.
        package var operation: String {
            switch method {
            case "GET" where key.isEmpty: query["location"] == nil ? "list" : "location"
            case "POST" where query["uploads"] != nil: "begin"
            case "POST" where query["uploadId"] != nil: "complete"
            case "POST": "deleteMany"
            case "PUT" where query["partNumber"] != nil: "part"
            case "DELETE" where query["uploadId"] != nil: "abort"
            default: method.lowercased()
            }
        }

        /// A header by its name in lower case.
        package func header(_ name: String) -> String? { headers[name] }
    }

    package struct Reply: Sendable {
        package var status: Int
        package var headers: [String]
        package var body: [UInt8]

        package init(_ status: Int = 200, headers: [String] = [], _ body: [UInt8] = []) {
            self.status = status
            self.headers = headers
            self.body = body
        }

        package init(_ status: Int = 200, headers: [String] = [], _ text: String) {
            self.init(status, headers: headers, Array(text.utf8))
        }

        package init(_ text: String) { self.init(200, Array(text.utf8)) }

        /// An error in S3's words.
        package static func refusal(_ status: Int, _ code: String, _ message: String = "No.") -> Reply {
            Reply(status, "<Error><Code>\(code)</Code><Message>\(message)</Message></Error>")
        }
    }

    private struct State {
        var objects: [String: [UInt8]] = [:]
        var uploads: [String: [Int: [UInt8]]] = [:]
        var requests: [Request] = []
    }
    private let state = Mutex(State())
    private let rule: @Sendable (Request, S3StandIn) -> Reply?
    private let hash: @Sendable ([UInt8]) -> String
    private let server = Mutex<ScriptedServer?>(nil)
    package let endpoint: String

    /// - Parameters:
    ///   - hash: what goes into ETags.
    ///   - rule: answers a request itself, or leaves it to the store by nil.
    package init(
        _ objects: [String: [UInt8]] = [:], hash: @escaping @Sendable ([UInt8]) -> String,
        rule: @escaping @Sendable (Request, S3StandIn) -> Reply? = { _, _ in nil }
    ) throws {
        self.rule = rule
        self.hash = hash
        let box = Box()
        let server = try ScriptedServer(answering: { conversation, seen in
            guard let store = box.store.withLock({ $0 }) else { return }
            let request = Self.read(seen)
            store.state.withLock { $0.requests.append(request) }
            let reply = store.rule(request, store) ?? store.answer(request)
            let isHead = request.method == "HEAD"
            let hasLength = reply.headers.contains { $0.lowercased().hasPrefix("content-length:") }
            // As proxies pass answers on: without a length.
            let isChunked = reply.headers.contains("Transfer-Encoding: chunked")
            let lines =
                ["HTTP/1.1 \(reply.status) Told"]
                + (hasLength || isChunked ? [] : ["Content-Length: \(reply.body.count)"]) + reply.headers
            let body =
                isChunked && !reply.body.isEmpty
                ? Array("\(String(reply.body.count, radix: 16))\r\n".utf8) + reply.body + Array("\r\n0\r\n\r\n".utf8)
                : isChunked ? Array("0\r\n\r\n".utf8) : reply.body
            conversation.send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + (isHead ? [] : body))
        })
        endpoint = "127.0.0.1:\(server.port)"
        self.server.withLock { $0 = server }
        state.withLock { $0.objects = objects }
        box.store.withLock { $0 = self }
    }

    /// The server's script outlives the initializer that it is made in.
    private final class Box: Sendable { let store = Mutex<S3StandIn?>(nil) }

    package func stop() { server.withLock { $0 }?.stop() }

    package var objects: [String: [UInt8]] {
        get { state.withLock { $0.objects } }
        set { state.withLock { $0.objects = newValue } }
    }

    package var requests: [Request] { state.withLock { $0.requests } }

    /// How often an operation was asked for.
    package func count(_ operation: String) -> Int { requests.filter { $0.operation == operation }.count }

    package func etag(_ bytes: [UInt8]) -> String { "\"\(hash(bytes))\"" }

    private static func read(_ seen: ScriptedServer.SeenRequest) -> Request {
        let words = seen.line.split(separator: " ")
        let target = words.count > 1 ? String(words[1]) : "/"
        let parts = target.split(separator: "?", maxSplits: 1)
        let path = parts[0].dropFirst().split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        var query: [String: String] = [:]
        for item in parts.count > 1 ? parts[1].split(separator: "&") : [] {
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            query[pair[0]] = pair.count > 1 ? pair[1].removingPercentEncoding : ""
        }
        var headers: [String: String] = [:]
        for line in seen.headers {
            let pair = line.split(separator: ":", maxSplits: 1)
            if pair.count == 2 { headers[pair[0].lowercased()] = pair[1].trimmingCharacters(in: .whitespaces) }
        }
        return Request(
            method: String(words[0]), key: path.count > 1 ? String(path[1]).removingPercentEncoding ?? "" : "", query: query,
            headers: headers, body: seen.body)
    }

    /// What a store answers that knows all of it but checksums.
    package func answer(_ request: Request) -> Reply {
        switch request.operation {
        case "location": return Reply("<LocationConstraint></LocationConstraint>")
        case "list": return list(request)
        case "head", "get": return object(request)
        case "put":
            state.withLock { $0.objects[request.key] = request.body }
            return Reply(headers: ["ETag: \(etag(request.body))"])
        case "delete":
            state.withLock { _ = $0.objects.removeValue(forKey: request.key) }
            return Reply(204)
        case "deleteMany":
            let text = String(decoding: request.body, as: UTF8.self)
            for piece in text.components(separatedBy: "<Key>").dropFirst() {
                let key = piece.components(separatedBy: "</Key>")[0]
                state.withLock { _ = $0.objects.removeValue(forKey: key) }
            }
            return Reply("<DeleteResult></DeleteResult>")
        case "begin":
            let id = state.withLock { state in
                let id = "u\(state.uploads.count)"
                state.uploads[id] = [:]
                return id
            }
            return Reply("<InitiateMultipartUploadResult><UploadId>\(id)</UploadId></InitiateMultipartUploadResult>")
        case "part":
            guard let number = request.query["partNumber"].flatMap({ Int($0) }), let id = request.query["uploadId"] else {
                break
            }
            state.withLock { $0.uploads[id]?[number] = request.body }
            return Reply(headers: ["ETag: \(etag(request.body))"])
        case "complete":
            guard let id = request.query["uploadId"] else { break }
            let count = state.withLock { state -> Int? in
                guard let parts = state.uploads.removeValue(forKey: id) else { return nil }
                state.objects[request.key] = parts.sorted { $0.key < $1.key }.flatMap(\.value)
                return parts.count
            }
            guard let count else { return .refusal(404, "NoSuchUpload") }
            return Reply(
                "<CompleteMultipartUploadResult><Key>\(request.key)</Key><ETag>\"x-\(count)\"</ETag></CompleteMultipartUploadResult>"
            )
        case "abort": return Reply(204)
        default: break
        }
        return .refusal(400, "InvalidRequest")
    }

    private func object(_ request: Request) -> Reply {
        guard let bytes = objects[request.key] else { return .refusal(404, "NoSuchKey") }
        let headers = ["ETag: \(etag(bytes))", "Accept-Ranges: bytes"]
        guard request.method == "GET", let range = request.header("range")?.dropFirst("bytes=".count) else {
            return Reply(headers: headers, bytes)
        }
        let ends = range.split(separator: "-").compactMap { Int($0) }
        let last = min(ends.count > 1 ? ends[1] : .max, bytes.count - 1)
        return Reply(
            206, headers: headers + ["Content-Range: bytes \(ends[0])-\(last)/\(bytes.count)"], Array(bytes[ends[0]...last]))
    }

    private func list(_ request: Request) -> Reply {
        let after = request.query["continuation-token"] ?? request.query["marker"] ?? ""
        let size = request.query["max-keys"].flatMap { Int($0) } ?? 1000
        let keys = objects.keys.filter { $0.hasPrefix(request.query["prefix"] ?? "") && $0 > after }.sorted()
        let isEncoded = request.query["encoding-type"] == "url"
        var text = "<ListBucketResult>" + (isEncoded ? "<EncodingType>url</EncodingType>" : "")
        text += "<IsTruncated>\(keys.count > size)</IsTruncated>"
        if keys.count > size, request.query["list-type"] == "2" {
            text += "<NextContinuationToken>\(keys[size - 1])</NextContinuationToken>"
        }
        for key in keys.prefix(size) {
            let shown = isEncoded ? key.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "" : key
            text += "<Contents><Key>\(shown)</Key><Size>\(objects[key]?.count ?? 0)</Size></Contents>"
        }
        return Reply(text + "</ListBucketResult>")
    }
}
