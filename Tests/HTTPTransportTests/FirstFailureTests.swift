import Foundation
import HTTPTransport
import Synchronization
import SystemSupport
import TestSupport
import Testing

/// A transfer that failed leaves nothing behind that the next one could suffer from, whatever the failure was.
@Suite struct FirstFailureTests {
    /// What the first requests of a client meet.
    enum Failure: String, CaseIterable, CustomTestStringConvertible {
        case unknownHost, refused, closed, reset, halfHead, halfBody, halfChunk, silence, noHTTP, badLength, tooLarge, noTLS
        case sinkFails, sourceFails, headRefused, totalTimeout, badURL, badHeader

        var testDescription: String { rawValue }

        var codes: [TransferError.Code] {
            switch self {
            case .unknownHost: [.resolve]
            case .refused: [.connect]
            case .closed, .halfHead: [.broken]
            case .reset: [.broken, .truncated]
            case .halfBody, .halfChunk: [.truncated]
            case .silence, .totalTimeout: [.timeout]
            case .noHTTP, .badLength: [.malformed]
            case .tooLarge: [.tooLarge]
            case .noTLS: [.tls, .broken]
            case .sinkFails, .sourceFails, .headRefused: []
            case .badURL, .badHeader: [.invalid]
            }
        }

        /// What a server says, where it takes one.
        func answer(_ conversation: ScriptedServer.Conversation) {
            switch self {
            case .reset:
                conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\na")
                conversation.reset()
            case .halfHead: conversation.send("HTTP/1.1 200 OK\r\nContent-Le")
            case .halfBody: conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\na")
            case .halfChunk: conversation.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")
            case .silence, .totalTimeout: conversation.waitForClose()
            case .noHTTP: conversation.send("220 mail.example ESMTP\r\n")
            case .badLength: conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello")
            case .tooLarge, .sinkFails, .headRefused: conversation.answer(200, String(repeating: "x", count: 200_000))
            default: break
            }
        }
    }

    private struct Own: Error {}

    private final class FailingSink: ByteSink {
        func write(_ bytes: Span<UInt8>) throws { throw Own() }
    }

    private final class FailingSource: ByteSource {
        func read(into buffer: inout MutableSpan<UInt8>) throws -> Int { throw Own() }
    }

    private func fail(_ failure: Failure, _ client: HTTPClient, _ server: ScriptedServer) throws {
        var request = HTTPRequest("GET", server.url + "/bad")
        var body = HTTPBody.none
        var limit = 4 << 20
        switch failure {
        case .unknownHost: request.url = "http://no-such-host.invalid/"
        case .refused: request.url = "http://127.0.0.1:\(try unusedPort())/"
        case .silence: request.stallTimeout = 1
        case .totalTimeout: request.totalTimeout = 1
        case .tooLarge: limit = 10
        case .noTLS:
            let plain = try ScriptedServer { conversation in
                _ = conversation.read(5)
                conversation.send("220 mail.example ESMTP\r\n")
            }
            defer { plain.stop() }
            request.url = "https://127.0.0.1:\(plain.port)/"
            let error = try #require(throws: TransferError.self) { _ = try client.perform(request) }
            #expect(failure.codes.contains(error.code), "\(error)")
            return
        case .badURL: request.url = "http://h:99999/"
        case .badHeader: request.headers = ["X A": "1"]
        case .sourceFails:
            request.method = "PUT"
            body = .source(FailingSource(), length: 5)
        default: break
        }
        let send = {
            _ = try client.download(request, body: body, bodyLimit: limit) { _ in
                switch failure {
                case .headRefused: throw Own()
                case .sinkFails: FailingSink()
                default: nil
                }
            }
        }
        if failure.codes.isEmpty {
            #expect(throws: Own.self) { try send() }
        } else {
            let error = try #require(throws: TransferError.self) { try send() }
            #expect(failure.codes.contains(error.code), "\(error)")
        }
    }

    @Test(arguments: Failure.allCases) func theNextTransferWorks(failure: Failure) throws {
        let server = try ScriptedServer { conversation in
            while let request = conversation.readRequest() {
                if request.line.contains("/bad") { return failure.answer(conversation) }
                conversation.answer(200, "good")
            }
        }
        defer { server.stop() }
        let client = client()
        // Also after a good one, on whose connection the bad one then goes.
        for isFirst in [true, false] {
            for _ in 1...2 { try fail(failure, client, server) }
            for method in ["GET", "PUT"] {
                let body: HTTPBody = method == "PUT" ? .bytes(Array("content".utf8)) : .none
                let response = try client.perform(HTTPRequest(method, server.url + "/good"), body: body)
                #expect(response.body == Array("good".utf8), "after \(failure), first: \(isFirst)")
            }
        }
    }

    @Test(arguments: ["expired", "other"]) func aRefusedCertificateSpoilsNothing(certificate: String) throws {
        let certificates = try TestCertificates.shared.get()
        let bad = try TLSServer(certificate == "other" ? "server" : certificate)
        defer { bad.stop() }
        let good = try ScriptedServer(answering: { conversation, _ in conversation.answer(200, "good") })
        defer { good.stop() }
        let authority = try certificates.content(certificate == "other" ? "other.crt" : "ca.crt")
        let client = client { $0.trust = .certificates(authority) }
        for _ in 1...2 {
            let error = try failure { _ = try client.perform(HTTPRequest("GET", "https://127.0.0.1:\(bad.port)/")) }
            #expect(error.code == .tls)
            #expect(try client.perform(HTTPRequest("GET", good.url)).body == Array("good".utf8))
        }
    }

    @Test(arguments: [("http", TunnelProxy.Kind.connect), ("socks5", .socks)])
    func aProxyThatWasAwayIsAskedAgain(scheme: String, kind: TunnelProxy.Kind) throws {
        let certificates = try TestCertificates.shared.get()
        let server = try TLSServer()
        defer { server.stop() }
        let proxy = try TunnelProxy(kind, to: server.port, failingFirst: 2)
        defer { proxy.stop() }
        let authority = try certificates.content("ca.crt")
        let client = client {
            $0.trust = .certificates(authority)
            $0.proxy = .always("\(scheme)://127.0.0.1:\(proxy.port)")
        }
        for _ in 1...2 {
            let error = try failure { _ = try client.perform(HTTPRequest("GET", "https://localhost/")) }
            #expect(error.isTransient, "\(error)")
        }
        #expect(try client.perform(HTTPRequest("GET", "https://localhost/")).status == 200)
    }

    @Test func aProxyWithAnUnknownNameSpoilsNothing() throws {
        let client = client { $0.proxy = .always("http://no-such-proxy.invalid:3128") }
        for _ in 1...3 {
            let error = try failure { _ = try client.perform(HTTPRequest("GET", "http://h/")) }
            #expect(error.code == .resolve && error.message.contains("lookup no-such-proxy.invalid"))
        }
    }

    /// Many threads, one client, each with failures of its own.
    @Test func failuresSideBySideSpoilNothing() throws {
        let server = try ScriptedServer { conversation in
            while let request = conversation.readRequest() {
                if request.line.contains("/bad") {
                    return conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\na") ? () : ()
                }
                conversation.answer(200, "good")
            }
        }
        defer { server.stop() }
        let client = client()
        let good = Mutex(0)
        try Parallel.forEach(count: 64, width: 8) { index in
            let url =
                index % 4 == 0 ? "http://no-such-host.invalid/" : index % 4 == 1 ? server.url + "/bad" : server.url + "/good"
            do {
                let response = try client.perform(HTTPRequest("GET", url))
                if response.body == Array("good".utf8) { good.withLock { $0 += 1 } }
            } catch let error as TransferError {
                if index % 4 > 1 || ![.resolve, .truncated].contains(error.code) { throw error }
            }
        }
        #expect(good.withLock { $0 } == 32)
    }

    /// A probe has a connection of its own, and what it meets is nobody else's affair.
    @Test func aFailedProbeSpoilsNothing() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200, "good") })
        defer { server.stop() }
        let client = client()
        for _ in 1...2 {
            #expect(try client.probe("http://no-such-host.invalid/", timeout: 20).failure?.stage == .resolving)
            #expect(try client.probe(server.url, timeout: 20).failure == nil)
            #expect(try client.perform(HTTPRequest("GET", server.url)).body == Array("good".utf8))
        }
    }
}
