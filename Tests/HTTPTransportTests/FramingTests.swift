import Foundation
import HTTPTransport
import SystemSupport
import TestSupport
import Testing

/// Where an answer says that it ends, and what may come out of it.
@Suite struct FramingTests {
    private func answer(_ head: String, _ body: String = "hello", method: String = "GET") throws -> HTTPResponse {
        let server = try ScriptedServer { conversation in
            _ = conversation.readRequest()
            conversation.send("HTTP/1.1 \(head)\r\n\r\n\(body)")
        }
        defer { server.stop() }
        return try client().perform(HTTPRequest(method, server.url))
    }

    @Test(arguments: [
        "200 OK\r\nContent-Length: 99999999999999999999", "200 OK\r\nContent-Length: 9223372036854775808",
        "200 OK\r\nContent-Length: 18446744073709551621", "200 OK\r\nContent-Length: 5\r\nContent-Length: 99999999999999999999",
        "200 OK\r\nContent-Length: 5\r\nContent-Length: 6",
        "200 OK\r\nContent-Length: 99999999999999999999\r\nContent-Length: 5",
        "200 OK\r\nContent-Length: +5", "200 OK\r\nContent-Length: 0x5", "200 OK\r\nContent-Length: 5, 5",
        "200 OK\r\nContent-Length: -1", "200 OK\r\nContent-Length: five", "200 OK\r\nContent-Length:",
        "404 No\r\nContent-Length: 99999999999999999999",
        "206 Part\r\nContent-Length: 5\r\nContent-Range: bytes 0-4/99999999999999999999",
        "206 Part\r\nContent-Length: 5\r\nContent-Range: bytes 99999999999999999999-99999999999999999999/*",
        "200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello",
        "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0",
    ]) func numbersThatCannotBeAreRefused(head: String) throws {
        let error = try failure { _ = try answer(head) }
        #expect([.malformed, .truncated, .other, .broken].contains(error.code), "\(error)")
        if head.contains("99999"), !head.contains("chunked") {
            #expect(error.code == .malformed && !error.isTransient)
            let name = head.contains("Range") ? "Content-Range" : "Content-Length"
            #expect(error.message.contains(name))
        }
    }

    @Test(arguments: ["GET", "HEAD"]) func theLargestNumbersAreNumbers(method: String) throws {
        let head = "200 OK\r\nContent-Length: 9223372036854775807"
        if method == "HEAD" {
            #expect(try answer(head, "", method: method).headers["Content-Length"] == "9223372036854775807")
        } else {
            #expect(try failure { _ = try answer(head) }.code == .truncated)
        }
    }

    @Test func lengthsThatSayTheSameAreOne() throws {
        #expect(try answer("200 OK\r\nContent-Length: 5\r\nContent-Length: 5").body == Array("hello".utf8))
        #expect(try answer("206 P\r\nContent-Length: 5\r\nContent-Range: bytes 0-4/*").body == Array("hello".utf8))
        #expect(try answer("200 OK\r\nContent-Length: 007", "hello, ").body == Array("hello, ".utf8))
    }

    @Test func aLengthBesideChunksCountsForNothing() throws {
        let head = "200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 99999999999999999999"
        #expect(try answer(head, "5\r\nhello\r\n0\r\n\r\n").body == Array("hello".utf8))
        #expect(try answer("204 None\r\nContent-Length: 99999999999999999999", "").status == 204)
    }

    // MARK: Coded bodies

    /// 4 MiB of zeros.
    private static let packed = Result { () throws -> [UInt8] in
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "head -c 4194304 /dev/zero | gzip -n"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Array(bytes)
    }

    private final class Counter: ByteSink {
        var count = 0
        func write(_ bytes: Span<UInt8>) { count += bytes.count }
    }

    private func decode(_ limits: DecodingLimits) throws -> Int {
        let packed = try Self.packed.get()
        let server = try ScriptedServer(answering: { conversation, _ in
            conversation.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(packed.count)\r\n\r\n")
            conversation.send(packed)
        })
        defer { server.stop() }
        var request = HTTPRequest("GET", server.url)
        request.decodesGzip = true
        let sink = Counter()
        _ = try client { $0.decodingLimits = limits }.download(request) { _ in sink }
        return sink.count
    }

    @Test func streamedBodiesDecodeWithinTheLimits() throws {
        #expect(try decode(DecodingLimits()) == 4 << 20)
        #expect(try decode(DecodingLimits(bytes: 4 << 20, ratio: 2000)) == 4 << 20)
        for (limits, words) in [
            (DecodingLimits(bytes: 4_194_303), "gzip: more than 4194303 bytes decoded"),
            (DecodingLimits(bytes: 100_000), "gzip: more than 100000 bytes decoded"),
            (DecodingLimits(ratio: 100), "gzip: more than 100 bytes decoded for each byte that came"),
        ] {
            let error = try failure { _ = try decode(limits) }
            #expect(error.code == .tooLarge && !error.isTransient)
            #expect(error.message.hasSuffix(words))
        }
    }

    @Test func collectedBodiesDecodeToTheirLimit() throws {
        let packed = try Self.packed.get()
        let server = try ScriptedServer(answering: { conversation, _ in
            conversation.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(packed.count)\r\n\r\n")
            conversation.send(packed)
        })
        defer { server.stop() }
        var request = HTTPRequest("GET", server.url)
        request.decodesGzip = true
        let error = try failure { _ = try client().perform(request, bodyLimit: 1 << 20) }
        #expect(error.code == .tooLarge)
        #expect(try client().perform(request, bodyLimit: 4 << 20).body.count == 4 << 20)
    }
}
