import Foundation
import HTTPTransport
import SystemSupport
import TestSupport
import Testing

@Suite struct FailureTests {
    /// An answer may have to be made first, which takes longer than a pause within it may.
    @Test func waitsLongerForAnAnswerToBegin() throws {
        let server = try ScriptedServer(answering: { conversation, request in
            if request.line.contains("/late") { Thread.sleep(forTimeInterval: 2.5) }
            conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
            if request.line.contains("/stalled") { return conversation.waitForClose() }
            conversation.send("ok")
        })
        defer { server.stop() }
        var request = HTTPRequest("GET", server.url + "/late")
        request.stallTimeout = 1
        request.answerTimeout = 60
        #expect(try client().perform(request).body == Array("ok".utf8))
        request.url = server.url + "/stalled"
        let error = try failure { _ = try client().perform(request) }
        #expect(error.code == .timeout)
        #expect(error.message.hasSuffix("no byte within 1 s: i/o timeout"))
    }

    private func error(of script: @escaping @Sendable (ScriptedServer.Conversation) -> Void) throws -> (TransferError, Int) {
        let server = try ScriptedServer(script)
        defer { server.stop() }
        let error = try failure { _ = try client().perform(HTTPRequest("GET", server.url + "/k?secret=1")) }
        #expect(error.message.hasPrefix("Get \"http://127.0.0.1:\(server.port)/k\": "))
        return (error, server.port)
    }

    @Test func saysThatNobodyListens() throws {
        let port = try unusedPort()
        let error = try failure { _ = try client().perform(HTTPRequest("GET", "http://127.0.0.1:\(port)/")) }
        #expect(error.code == .connect)
        #expect(error.isTransient)
        #expect(
            error.message == "Get \"http://127.0.0.1:\(port)/\": dial tcp 127.0.0.1:\(port): connect: connection refused")
    }

    @Test func saysThatTheHostIsUnknown() throws {
        let error = try failure { _ = try client().perform(HTTPRequest("POST", "http://no-such-host.invalid/")) }
        #expect(error.code == .resolve)
        #expect(error.isTransient)
        #expect(error.message.hasPrefix("Post \"http://no-such-host.invalid/\": dial tcp: lookup no-such-host.invalid: "))
    }

    @Test func tellsAClosedConnectionWithoutAnswer() throws {
        let (error, _) = try error { conversation in _ = conversation.readRequest() }
        #expect(error.code == .broken)
        #expect(error.isTransient)
        #expect(error.message.hasSuffix(": EOF"))
    }

    @Test func tellsAReset() throws {
        let (error, port) = try error { conversation in
            _ = conversation.readRequest()
            conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\na")
            conversation.reset()
        }
        #expect([.broken, .truncated].contains(error.code))
        #expect(error.isTransient)
        if error.code == .broken {
            #expect(error.message.hasSuffix(": read tcp 127.0.0.1:\(port): read: connection reset by peer"))
        }
    }

    @Test func countsTheBytesOfATruncatedBody() throws {
        let (error, _) = try error { conversation in
            _ = conversation.readRequest()
            conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + String(repeating: "x", count: 600))
        }
        #expect(error.code == .truncated)
        #expect(error.isTransient)
        #expect(error.bytesReceived == 600)
        #expect(error.message.hasSuffix(": unexpected EOF"))
    }

    @Test func tellsAChunkedBodyWithoutItsEnd() throws {
        let (error, _) = try error { conversation in
            _ = conversation.readRequest()
            conversation.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n")
        }
        #expect(error.code == .truncated)
        #expect(error.bytesReceived == 5)
    }

    @Test func tellsAHeadCutInTheMiddle() throws {
        let (error, _) = try error { conversation in
            _ = conversation.readRequest()
            conversation.send("HTTP/1.1 200 OK\r\nContent-Le")
        }
        #expect(error.isTransient)
    }

    @Test func tellsAnInterimAnswerThatNothingFollows() throws {
        let (error, _) = try error { conversation in
            _ = conversation.readRequest()
            conversation.send("HTTP/1.1 103 Early Hints\r\n\r\n")
        }
        #expect(error.code == .broken)
        #expect(error.isTransient)
    }

    @Test func refusesWhatIsNotHTTP() throws {
        let (error, _) = try error { conversation in
            _ = conversation.readRequest()
            conversation.send("220 mail.example ESMTP\r\n")
        }
        #expect(error.code == .malformed)
        #expect(!error.isTransient)
    }

    @Test func givesUpOnASilentServer() throws {
        let server = try ScriptedServer { conversation in
            _ = conversation.readRequest()
            conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")
            conversation.waitForClose()
        }
        defer { server.stop() }
        var request = HTTPRequest("GET", server.url)
        request.stallTimeout = 2
        let error = try failure { _ = try client().perform(request) }
        #expect(error.code == .timeout)
        #expect(error.isTransient)
        #expect(error.bytesReceived == 3)
        #expect(error.message.hasSuffix("no byte within 2 s: i/o timeout"))
    }

    @Test func givesUpOnASilentServerOnAnOldConnectionToo() throws {
        let server = try ScriptedServer { conversation in
            _ = conversation.readRequest()
            conversation.answer(200)
            _ = conversation.readRequest()
            conversation.waitForClose()
        }
        defer { server.stop() }
        let client = client()
        var request = HTTPRequest("GET", server.url)
        request.stallTimeout = 2
        _ = try client.perform(request)
        let error = try failure { _ = try client.perform(request) }
        #expect(error.code == .timeout)
        #expect(server.requests.map(\.connection) == [0, 0])
    }

    @Test func givesUpOnAServerThatTakesNothing() throws {
        let server = try ScriptedServer { conversation in
            _ = conversation.readHead()
            // Reading on only once the client has given up, so that the socket's buffers stay full.
            let hangUp: Int16 = 0x2000  // POLLRDHUP
            var poller = pollfd(fd: conversation.descriptor, events: hangUp, revents: 0)
            poll(&poller, 1, 30_000)
        }
        defer { server.stop() }
        var request = HTTPRequest("PUT", server.url)
        request.stallTimeout = 2
        let big = [UInt8](repeating: 1, count: 64 << 20)
        let error = try failure { _ = try client().perform(request, body: .bytes(big)) }
        #expect(error.code == .timeout)
    }

    /// A slow consumer is no stall of the server's.
    @Test func doesNotBlameTheServerForASlowSink() throws {
        final class Slow: ByteSink {
            var count = 0
            func write(_ bytes: Span<UInt8>) throws {
                if count == 0 { sleepNanoseconds(2_500_000_000) }
                count += bytes.count
            }
        }
        let server = try ScriptedServer(answering: { conversation, _ in
            conversation.answer(200, String(repeating: "x", count: 400_000))
        })
        defer { server.stop() }
        var request = HTTPRequest("GET", server.url)
        request.stallTimeout = 2
        let sink = Slow()
        _ = try client().download(request) { _ in sink }
        #expect(sink.count == 400_000)
    }

    @Test func limitsTheWholeTransfer() throws {
        let server = try ScriptedServer { conversation in
            _ = conversation.readRequest()
            conversation.waitForClose()
        }
        defer { server.stop() }
        var request = HTTPRequest("GET", server.url)
        request.totalTimeout = 1
        let error = try failure { _ = try client().perform(request) }
        #expect(error.code == .timeout)
        #expect(error.message.hasSuffix("no complete answer within 1 s: i/o timeout"))
    }

    @Test func takesTimesBeyondReason() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200) })
        defer { server.stop() }
        for seconds in [Int.max, Int.min, 0] {
            var request = HTTPRequest("GET", server.url)
            request.connectTimeout = seconds
            request.totalTimeout = seconds
            request.stallTimeout = seconds
            let response = try client().perform(request)
            #expect(response.status == 200)
        }
    }

    @Test(arguments: ["ftp://h/", "http//h/", "", "http://", "http://h:99999/", "http://h /", "file:///etc/passwd"])
    func refusesOtherURLs(url: String) throws {
        let error = try failure { _ = try client().perform(HTTPRequest("GET", url)) }
        #expect(error.code == .invalid)
        #expect(!error.isTransient)
    }

    @Test func refusesHeadersThatWouldForgeAnother() throws {
        var request = HTTPRequest("GET", "http://127.0.0.1:9/")
        request.headers = ["X-A": "canary\r\nX-B: 1"]
        let value = try failure { _ = try client().perform(request) }
        #expect(value.message == "Get \"http://127.0.0.1:9/\": net/http: invalid header field value for \"X-A\"")
        request.headers = ["X A": "1"]
        #expect(try failure { _ = try client().perform(request) }.code == .invalid)
        request = HTTPRequest("GET / HTTP/1.1\r\nX:", "http://127.0.0.1:9/")
        #expect(try failure { _ = try client().perform(request) }.code == .invalid)
    }
}
