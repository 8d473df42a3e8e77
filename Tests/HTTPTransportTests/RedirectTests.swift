import Foundation
import HTTPTransport
import SystemSupport
import TestSupport
import Testing

@Suite struct RedirectTests {
    private func following(_ method: String, _ url: String) -> HTTPRequest {
        var request = HTTPRequest(method, url)
        request.followRedirects = true
        return request
    }

    @Test func areAnswersUnlessAskedFor() throws {
        let server = try ScriptedServer(answering: { conversation, _ in
            conversation.answer(302, headers: ["Location: /b"], "see")
        })
        defer { server.stop() }
        let response = try client().perform(HTTPRequest("GET", server.url))
        #expect(response.status == 302)
        #expect(response.body == Array("see".utf8))
        #expect(server.requests.count == 1)
    }

    @Test func areFollowedWithTheHeadOfTheLastAnswerOnly() throws {
        let server = try ScriptedServer(answering: { conversation, request in
            switch request.line {
            case "GET /a/b HTTP/1.1": conversation.answer(301, headers: ["Location: ../c?q=1"], "moved")
            case "GET /c?q=1 HTTP/1.1": conversation.answer(307, headers: ["Location: //127.0.0.1:\(conversation.port)/d e"])
            default: conversation.answer(200, "here")
            }
        })
        defer { server.stop() }
        let sink = MemorySink()
        var heads: [Int] = []
        let response = try client().download(following("GET", server.url + "/a/b")) { head in
            heads.append(head.status)
            return sink
        }
        #expect(heads == [200])
        #expect(sink.bytes == Array("here".utf8))
        #expect(response.bytesReceived == 4)
        #expect(response.url.text == server.url + "/d%20e")
        #expect(Set(server.requests.map(\.connection)) == [0])
    }

    @Test(arguments: [301, 302, 303]) func turnIntoAGetWithoutBody(status: Int) throws {
        let server = try ScriptedServer(answering: { conversation, request in
            if request.line.contains("/to") {
                conversation.answer(200)
            } else {
                conversation.answer(status, headers: ["Location: /to"])
            }
        })
        defer { server.stop() }
        var request = following("PUT", server.url)
        request.headers["Content-Type"] = "text/plain"
        #expect(try client().perform(request, body: .bytes([1])).status == 200)
        #expect(server.requests[1].line == "GET /to HTTP/1.1")
        #expect(server.requests[1].header("Content-Length") == nil)
        #expect(server.requests[1].header("Content-Type") == nil)
    }

    @Test(arguments: [307, 308]) func sendTheBodyAgain(status: Int) throws {
        let server = try ScriptedServer(answering: { conversation, request in
            if request.line.contains("/to") {
                conversation.answer(201)
            } else {
                conversation.answer(status, headers: ["Location: /to"])
            }
        })
        defer { server.stop() }
        try withTemporaryFile(Array("content".utf8)) { file in
            let body = HTTPBody.file(descriptor: file, offset: 0, length: 7, subject: "f")
            let response = try client().perform(following("PUT", server.url), body: body)
            #expect(response.status == 201)
        }
        #expect(server.requests.map(\.line) == ["PUT / HTTP/1.1", "PUT /to HTTP/1.1"])
        #expect(server.requests.map(\.body) == [Array("content".utf8), Array("content".utf8)])
    }

    @Test func endWhereTheBodyCannotBeSentAgain() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(307, headers: ["Location: /to"]) })
        defer { server.stop() }
        let response = try client().perform(following("PUT", server.url), body: .source(MemorySource([1]), length: 1))
        #expect(response.status == 307)
    }

    @Test func carryCredentialsToNoOtherHost() throws {
        let server = try ScriptedServer(answering: { conversation, request in
            switch request.line {
            case "GET /0 HTTP/1.1": conversation.answer(302, headers: ["Location: /1"])
            case "GET /1 HTTP/1.1": conversation.answer(302, headers: ["Location: http://localhost:\(conversation.port)/2"])
            case "GET /2 HTTP/1.1": conversation.answer(302, headers: ["Location: http://127.0.0.1:\(conversation.port)/3"])
            default: conversation.answer(200)
            }
        })
        defer { server.stop() }
        var request = following("GET", server.url + "/0")
        request.headers = ["Authorization": "Bearer t", "Cookie": "c=1", "X-Other": "kept"]
        _ = try client().perform(request)
        // The last hop leads back, and still goes without.
        #expect(server.requests.map { $0.header("Authorization") } == ["Bearer t", "Bearer t", nil, nil])
        #expect(server.requests.map { $0.header("Cookie") } == ["c=1", "c=1", nil, nil])
        #expect(server.requests.allSatisfy { $0.header("X-Other") == "kept" })
    }

    /// Whoever makes a key of a header of its own means it for one server.
    @Test(arguments: [
        "X-JFrog-Art-Api", "X-Api-Key", "Private-Token", "X-Vault-Token", "Proxy-Authorization", "X-Auth-Token",
        "X-Amz-Security-Token", "x-my-secret",
    ]) func carryNoKeysToOtherHosts(name: String) throws {
        let server = try ScriptedServer(answering: { conversation, request in
            switch request.line {
            case "GET /0 HTTP/1.1": conversation.answer(302, headers: ["Location: /1"])
            case "GET /1 HTTP/1.1": conversation.answer(307, headers: ["Location: http://localhost:\(conversation.port)/2"])
            default: conversation.answer(200)
            }
        })
        defer { server.stop() }
        var request = following("GET", server.url + "/0")
        request.headers = [name: "canary", "X-Checksum-Sha1": "kept", "Accept": "a/b"]
        _ = try client().perform(request)
        #expect(server.requests.map { $0.header(name) } == ["canary", "canary", nil])
        #expect(server.requests.allSatisfy { $0.header("X-Checksum-Sha1") == "kept" && $0.header("Accept") == "a/b" })
    }

    @Test(arguments: [301, 302, 303, 307, 308]) func staysWithTheServerWhereAsked(status: Int) throws {
        let other = try ScriptedServer(answering: { conversation, _ in conversation.answer(200, "other") })
        defer { other.stop() }
        let server = try ScriptedServer(answering: { conversation, request in
            let port = conversation.port
            let location =
                switch request.line.split(separator: " ")[1] {
                case "/near": "/here"
                case "/whole": "http://127.0.0.1:\(port)/here"
                case "/port": "http://127.0.0.1:\(other.port)/there"
                case "/name": "http://localhost:\(port)/there"
                case "/user": "http://127.0.0.1:\(port)@localhost:\(other.port)/there"
                case "/odd": "http://"
                default: ""
                }
            if location.isEmpty { return conversation.answer(200, "here") }
            conversation.answer(status, headers: ["Location: \(location)"])
        })
        defer { server.stop() }
        for (path, expected) in [
            ("near", 200), ("whole", 200), ("port", status), ("name", status), ("user", status), ("odd", status),
        ] {
            var request = following("POST", server.url + "/" + path)
            request.staysWithServer = true
            #expect(try client().perform(request, body: .bytes(Array("secret".utf8))).status == expected, "\(path)")
        }
        #expect(other.requests.isEmpty)
        #expect(!server.requests.contains { $0.line.contains("/there") })
    }

    @Test func endAfterTen() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(302, headers: ["Location: /"]) })
        defer { server.stop() }
        let error = try failure { _ = try client().perform(following("GET", server.url)) }
        #expect(error.message == "Get \"\(server.url)/\": stopped after 10 redirects")
        #expect(!error.isTransient)
        #expect(server.requests.count == 11)
    }

    /// A redirect with a body that never ends.
    @Test func areNotReadForEver() throws {
        let server = try ScriptedServer { conversation in
            guard let request = conversation.readRequest() else { return }
            if request.line.contains("/to") { return conversation.answer(200) }
            conversation.send("HTTP/1.1 302 Found\r\nLocation: /to\r\nTransfer-Encoding: chunked\r\n\r\n")
            while conversation.send("1000\r\n" + String(repeating: "x", count: 4096) + "\r\n") {}
        }
        defer { server.stop() }
        #expect(try client().perform(following("GET", server.url)).status == 200)
    }

    @Test func leadToHTTPOnly() throws {
        let server = try ScriptedServer(answering: { conversation, _ in
            conversation.answer(302, headers: ["Location: file:///etc/passwd"])
        })
        defer { server.stop() }
        let error = try failure { _ = try client().perform(following("GET", server.url)) }
        #expect(error.code == .invalid)
    }

    @Test func withoutALocationAreAnswers() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(302, "odd") })
        defer { server.stop() }
        #expect(try client().perform(following("GET", server.url)).status == 302)
    }
}
