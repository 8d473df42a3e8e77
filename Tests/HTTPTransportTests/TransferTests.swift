import Foundation
import HTTPTransport
import SystemSupport
import TestSupport
import Testing

@Suite struct TransferTests {
    @Test func collectsTheAnswer() throws {
        let server = try ScriptedServer { conversation in
            _ = conversation.readRequest()
            conversation.answer(404, headers: ["X-Odd:  a b ", "x-twice: 1", "X-Twice: 2"], "not here")
        }
        defer { server.stop() }
        let response = try client().perform(HTTPRequest("GET", server.url + "/a/../b%20c?x=1"))
        #expect(response.status == 404)
        #expect(response.body == Array("not here".utf8))
        #expect(response.bytesReceived == 8)
        #expect(response.headers["x-odd"] == "a b")
        #expect(response.headers.all("X-TWICE") == ["1", "2"])
        #expect(server.requests[0].line == "GET /a/../b%20c?x=1 HTTP/1.1")
    }

    @Test func sendsOnlyTheHeadersAskedFor() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200) })
        defer { server.stop() }
        var request = HTTPRequest("PUT", server.url + "/")
        request.headers = ["X-Empty": "", "Host": "other.example", "Content-Length": "77"]
        _ = try client().perform(request, body: .bytes(Array(repeating: 65, count: 2 << 20)))
        let seen = server.requests[0]
        #expect(
            Set(seen.headers) == ["Host: other.example", "X-Empty:", "User-Agent: argoexec-test", "Content-Length: 2097152"])
        #expect(seen.body.count == 2 << 20)
    }

    @Test(arguments: ["POST", "PUT", "PATCH"]) func saysThatThereIsNoBody(method: String) throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200, "ok") })
        defer { server.stop() }
        #expect(try client().perform(HTTPRequest(method, server.url)).body == Array("ok".utf8))
        #expect(try client().perform(HTTPRequest(method, server.url), body: .bytes([])).status == 200)
        for seen in server.requests {
            #expect(seen.line == "\(method) / HTTP/1.1")
            #expect(seen.header("Content-Length") == "0")
            #expect(seen.header("Content-Type") == nil)
        }
    }

    @Test func knowsThatHeadAndEmptyAnswersHaveNoBody() throws {
        let server = try ScriptedServer(answering: { conversation, request in
            if request.line.hasPrefix("HEAD") {
                conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            } else {
                conversation.send("HTTP/1.1 204 No Content\r\n\r\n")
            }
        })
        defer { server.stop() }
        let client = client()
        let head = try client.perform(HTTPRequest("HEAD", server.url))
        #expect(head.headers["Content-Length"] == "1000")
        #expect(try client.perform(HTTPRequest("DELETE", server.url)).status == 204)
        #expect(server.requests.map(\.connection) == [0, 0])
    }

    @Test func skipsInterimAnswersAndTrailers() throws {
        let server = try ScriptedServer(answering: { conversation, _ in
            conversation.send(
                "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            conversation.send("3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n")
        })
        defer { server.stop() }
        let response = try client().perform(HTTPRequest("GET", server.url))
        #expect(response.status == 200)
        #expect(response.headers["Link"] == nil)
        #expect(response.body == Array("abcde".utf8))
    }

    @Test func streamsToTheSinkThatTheHeadChooses() throws {
        let content = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let server = try ScriptedServer(answering: { conversation, _ in
            conversation.send("HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: \(content.count)\r\n\r\n")
            conversation.send(content)
        })
        defer { server.stop() }
        let sink = MemorySink()
        var heads: [Int] = []
        let response = try client().download(HTTPRequest("GET", server.url)) { head in
            heads.append(head.status)
            #expect(head.headers["etag"] == "\"e\"")
            return sink
        }
        #expect(heads == [200])
        #expect(sink.bytes == content)
        #expect(response.body.isEmpty)
        #expect(response.bytesReceived == 3_000_000)
    }

    @Test func rethrowsWhatSinkSourceAndHeadThrow() throws {
        struct Mine: Error {}
        final class Broken: ByteSink, ByteSource {
            func write(_ bytes: Span<UInt8>) throws { throw Mine() }
            func read(into buffer: inout MutableSpan<UInt8>) throws -> Int { throw Mine() }
        }
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200, "body") })
        defer { server.stop() }
        let client = client()
        #expect(throws: Mine.self) { try client.download(HTTPRequest("GET", server.url)) { _ in Broken() } }
        #expect(throws: Mine.self) { try client.download(HTTPRequest("GET", server.url)) { _ in throw Mine() } }
        #expect(throws: Mine.self) {
            try client.perform(HTTPRequest("PUT", server.url), body: .source(Broken(), length: 5))
        }
        #expect(try client.perform(HTTPRequest("GET", server.url)).status == 200)
    }

    @Test func limitsWhatItCollects() throws {
        let server = try ScriptedServer(answering: { conversation, request in
            conversation.answer(request.line.contains("/bad") ? 500 : 200, String(repeating: "x", count: 100_000))
        })
        defer { server.stop() }
        let error = try failure { _ = try client().perform(HTTPRequest("GET", server.url), bodyLimit: 1000) }
        #expect(error.code == .tooLarge)
        #expect(!error.isTransient)
        let explained = try client().perform(HTTPRequest("GET", server.url + "/bad"), bodyLimit: 1000)
        #expect(explained.status == 500)
        #expect(explained.body.count == 1000)
    }

    @Test func decodesGzipOnlyWhereAsked() throws {
        let packed: [UInt8] = [
            0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0x4c, 0x4a, 0x06, 0x00, 0xc2, 0x41, 0x24, 0x35, 3, 0, 0, 0,
        ]
        let server = try ScriptedServer(answering: { conversation, _ in
            conversation.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(packed.count)\r\n\r\n")
            conversation.send(packed)
        })
        defer { server.stop() }
        #expect(try client().perform(HTTPRequest("GET", server.url)).body == packed)
        var request = HTTPRequest("GET", server.url)
        request.decodesGzip = true
        #expect(try client().perform(request).body == Array("abc".utf8))
        request.headers["Accept-Encoding"] = "gzip"
        #expect(try client().perform(request).body == packed)
        #expect(server.requests.map { $0.header("Accept-Encoding") } == [nil, "gzip", "gzip"])
    }

    private static let gzippedABC: [UInt8] = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0x4c, 0x4a, 0x06, 0x00, 0xc2, 0x41, 0x24, 0x35, 3, 0, 0, 0,
    ]

    private func decoding(_ method: String = "GET", _ url: String) -> HTTPRequest {
        var request = HTTPRequest(method, url)
        request.decodesGzip = true
        return request
    }

    @Test func decodesAllMembersAndTellsThatItDid() throws {
        let packed = Self.gzippedABC + Self.gzippedABC
        let server = try ScriptedServer(answering: { conversation, _ in
            conversation.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(packed.count)\r\n\r\n")
            // Byte by byte, so that a member ends and begins within a piece.
            for byte in packed { conversation.send([byte]) }
        })
        defer { server.stop() }
        let sink = MemorySink()
        var heads: [HTTPResponseHead] = []
        _ = try client().download(decoding("GET", server.url)) { head in
            heads.append(head)
            return sink
        }
        #expect(sink.bytes == Array("abcabc".utf8))
        #expect(heads.map(\.isDecoded) == [true])
        #expect(heads[0].headers["Content-Length"] == nil && heads[0].headers["Content-Encoding"] == nil)
    }

    @Test func noticesGzipThatEndsTooEarlyOrIsNone() throws {
        let cut = Self.gzippedABC.dropLast(3)
        let server = try ScriptedServer(answering: { conversation, request in
            let body = request.line.contains("/cut") ? Array(cut) : Array("no gzip".utf8)
            conversation.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(body.count)\r\n\r\n")
            conversation.send(body)
        })
        defer { server.stop() }
        let early = try failure { _ = try client().perform(decoding("GET", server.url + "/cut")) }
        #expect(early.code == .truncated)
        #expect(early.isTransient)
        let wrong = try failure { _ = try client().perform(decoding("GET", server.url + "/wrong")) }
        #expect(wrong.code == .malformed)
    }

    /// Stores name codings that nobody asked for, e.g. `aws-chunked`; such a body is what was stored.
    @Test(arguments: ["br", "aws-chunked", "utf-8", "deflate", "gzip, gzip"])
    func keepsABodyOfAnotherCodingAsItIs(coding: String) throws {
        let server = try ScriptedServer(answering: { conversation, _ in
            conversation.answer(200, headers: ["Content-Encoding: \(coding)"], "as it is")
        })
        defer { server.stop() }
        #expect(try client().perform(decoding("GET", server.url)).body == Array("as it is".utf8))
    }

    @Test func asksForNoCodingOfAStretchOrAHead() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200) })
        defer { server.stop() }
        var stretch = decoding("GET", server.url)
        stretch.headers["Range"] = "bytes=0-1"
        _ = try client().perform(stretch)
        _ = try client().perform(decoding("GET", server.url))
        #expect(server.requests.map { $0.header("Accept-Encoding") } == [nil, "gzip"])
    }

    @Test func takesUserAndPasswordOfTheURLAsBasicAuthentication() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200) })
        defer { server.stop() }
        var request = HTTPRequest("GET", "http://us%40er:p%3Ass@127.0.0.1:\(server.port)/")
        _ = try client().perform(request)
        request.headers["Authorization"] = "Bearer own"
        _ = try client().perform(request)
        let expected = "Basic " + Data("us@er:p:ss".utf8).base64EncodedString()
        #expect(server.requests.map { $0.header("Authorization") } == [expected, "Bearer own"])
    }
}
