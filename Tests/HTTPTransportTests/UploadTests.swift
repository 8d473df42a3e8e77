import Foundation
import HTTPTransport
import SystemSupport
import TestSupport
import Testing

@Suite struct UploadTests {
    private let content = (0..<1_500_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }

    @Test func sendsAStretchOfAFile() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200) })
        defer { server.stop() }
        try withTemporaryFile(content) { file in
            let body = HTTPBody.file(descriptor: file, offset: 1000, length: 1_400_000, subject: "data")
            _ = try client().perform(HTTPRequest("PUT", server.url), body: body)
        }
        let seen = server.requests[0]
        #expect(seen.line == "PUT / HTTP/1.1")
        #expect(seen.header("Content-Length") == "1400000")
        #expect(seen.header("Expect") == nil)
        #expect(seen.body == Array(content[1000..<1_401_000]))
    }

    @Test func sendsAnEmptyFile() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200) })
        defer { server.stop() }
        try withTemporaryFile([]) { file in
            let body = HTTPBody.file(descriptor: file, offset: 0, length: 0, subject: "data")
            let response = try client().perform(HTTPRequest("PUT", server.url), body: body)
            #expect(response.status == 200)
        }
        #expect(server.requests[0].header("Content-Length") == "0")
    }

    @Test func sendsASourceWithItsLengthOrChunked() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200) })
        defer { server.stop() }
        let client = client()
        _ = try client.perform(HTTPRequest("PUT", server.url), body: .source(MemorySource(content), length: 1_500_000))
        _ = try client.perform(HTTPRequest("POST", server.url), body: .source(MemorySource(content), length: nil))
        #expect(server.requests[0].header("Content-Length") == "1500000")
        #expect(server.requests[0].header("Transfer-Encoding") == nil)
        #expect(server.requests[1].header("Transfer-Encoding") == "chunked")
        #expect(server.requests[1].header("Content-Type") == nil)
        #expect(server.requests.map(\.body) == [content, content])
    }

    /// No more than the announced length: the rest would be taken for the next request.
    @Test func stopsAtTheAnnouncedLength() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200) })
        defer { server.stop() }
        let client = client()
        _ = try client.perform(HTTPRequest("PUT", server.url), body: .source(MemorySource(content), length: 10))
        _ = try client.perform(HTTPRequest("GET", server.url))
        #expect(server.requests[0].body == Array(content[..<10]))
        #expect(server.requests[1].line == "GET / HTTP/1.1")
    }

    @Test func failsWhenTheFileHasShrunk() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200) })
        defer { server.stop() }
        try withTemporaryFile(content) { file in
            let body = HTTPBody.file(descriptor: file, offset: 0, length: 1_500_001, subject: "out/data.tgz")
            let error = #expect(throws: ExecutorError.self) { try client().perform(HTTPRequest("PUT", server.url), body: body) }
            #expect(error?.message == "read out/data.tgz: unexpected EOF: 1500000 of 1500001 bytes")
        }
        #expect(throws: ExecutorError.self) {
            try client().perform(HTTPRequest("PUT", server.url), body: .source(MemorySource([1, 2]), length: 3))
        }
        #expect(server.requests.isEmpty)
    }

    /// S3 refuses an upload before it has read it all.
    @Test func takesAnAnswerThatComesBeforeTheBodyIsSent() throws {
        let server = try ScriptedServer { conversation in
            _ = conversation.readHead()
            conversation.answer(403, headers: ["Connection: close"], "<Error/>")
            conversation.waitForClose()
        }
        defer { server.stop() }
        let big = [UInt8](repeating: 7, count: 30 << 20)
        let response = try client().perform(HTTPRequest("PUT", server.url), body: .source(MemorySource(big), length: 30 << 20))
        #expect(response.status == 403)
        #expect(response.body == Array("<Error/>".utf8))
    }
}
