import Artifacts
import Documents
import Foundation
import SystemSupport
import TestSupport
import Testing

/// What goes over the wire, by servers that answer by script.
@Suite struct HTTPDriverTests {
    let fixture: HTTPFixture

    init() throws { fixture = try HTTPFixture() }

    @Test func sendsTheLocationsHeadersButItsHost() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200, "x") })
        defer { server.stop() }
        let store = try fixture.store(
            server.url + "/p?q=1",
            [
                "headers": [
                    ["name": "X-One", "value": "1"], ["name": "X-One", "value": "2"], ["name": "Host", "value": "elsewhere"],
                    ["name": "User-Agent", "value": "mine"], ["name": "Content-Length", "value": "7"],
                ]
            ])
        #expect(try store.load() == Array("x".utf8))
        let seen = try #require(server.requests.first)
        #expect(seen.line == "GET /p?q=1 HTTP/1.1")
        #expect(seen.headers.filter { $0.hasPrefix("X-One") } == ["X-One: 1", "X-One: 2"])
        #expect(seen.header("Host") == "127.0.0.1:\(server.port)")
        #expect(seen.header("User-Agent") == "mine")
        #expect(seen.header("Content-Length") == nil)
        #expect(seen.header("Accept-Encoding") == "gzip")
        #expect(seen.header("Authorization") == nil)
    }

    /// The order of the reference: OAuth2 (tested with its endpoint), basic, own header, URL.
    @Test func takesTheFirstAuthorisationThereIs() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200) })
        defer { server.stop() }
        try fixture.secret("user", "u")
        try fixture.secret("password", "p\n")
        try fixture.secret("empty", "")
        let own: JSONValue = ["headers": [["name": "authorization", "value": "Own"]]]
        var both = own
        both["auth"] = HTTPFixture.basicAuth
        var half = own
        let noPassword: JSONValue = [
            "usernameSecret": HTTPFixture.selector("user"), "passwordSecret": HTTPFixture.selector("empty"),
        ]
        half["auth"] = ["basicAuth": noPassword]
        let inURL = "http://us%40er:p%3Ass@127.0.0.1:\(server.port)/"
        let none: JSONValue = [:]
        for (url, more) in [(inURL, none), (inURL, own), (inURL, both), (server.url, half)] {
            _ = try fixture.store(url, more).load()
        }
        let basic = { (text: String) in "Basic " + Data(text.utf8).base64EncodedString() }
        #expect(server.requests.map { $0.header("Authorization") } == [basic("us@er:p:ss"), "Own", basic("u:p"), "Own"])
        #expect(server.requests.allSatisfy { $0.headers.filter { $0.lowercased().hasPrefix("authorization") }.count == 1 })
    }

    @Test func userAndPasswordOfTheURLGoToNoOtherHost() throws {
        let server = try ScriptedServer(answering: { conversation, request in
            switch request.line {
            case "GET /a HTTP/1.1": conversation.answer(302, headers: ["Location: http://127.0.0.1:\(conversation.port)/b"])
            case "GET /b HTTP/1.1": conversation.answer(302, headers: ["Location: http://localhost:\(conversation.port)/c"])
            default: conversation.answer(200)
            }
        })
        defer { server.stop() }
        _ = try fixture.store("http://u:p@127.0.0.1:\(server.port)/a").load()
        #expect(server.requests.map { $0.header("Authorization") != nil } == [true, true, false])
    }

    @Test func encodesWhatMayNotStandInAURL() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200) })
        defer { server.stop() }
        _ = try fixture.store(server.url + "/ä b%20c?d e=f%20g#fragment").load()
        #expect(server.requests[0].line == "GET /%c3%a4%20b%20c?d+e=f%20g HTTP/1.1")
        for url in ["", "/path/only", "no scheme", "ftp://h/x", "http://"] {
            let error = #expect(throws: ArtifactError.self) { try fixture.store(url) }
            #expect(error?.code == .invalid)
            #expect(error?.message.hasPrefix("use http.url: ") == true)
        }
    }

    @Test func givesTheLengthOfWhatItSaves() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(201, "created") })
        defer { server.stop() }
        let store = try fixture.store(server.url + "/f")
        try fixture.save([], to: store)
        try fixture.save(Array("content".utf8), to: store)
        let record = try store.upload.stream(PatternSource(patternBytes(200_000)), fileName: "f.tgz")
        #expect(record.bytes == 200_000)
        #expect(server.requests.map { $0.header("Content-Length") } == ["0", "7", "200000"])
        for seen in server.requests {
            #expect(seen.line == "PUT /f HTTP/1.1")
            for name in ["Transfer-Encoding", "Content-Type", "Expect"] { #expect(seen.header(name) == nil) }
        }
        #expect(server.requests[2].body == patternBytes(200_000))
    }

    @Test(arguments: [(307, "PUT"), (308, "PUT"), (301, "GET"), (302, "GET"), (303, "GET")])
    func followsARedirectOfAPut(status: Int, method: String) throws {
        let server = try ScriptedServer(answering: { conversation, request in
            if request.line.contains("/to") { return conversation.answer(200) }
            conversation.answer(status, headers: ["Location: /to"])
        })
        defer { server.stop() }
        try fixture.save(Array("content".utf8), to: fixture.store(server.url))
        #expect(server.requests.map(\.line) == ["PUT / HTTP/1.1", "\(method) /to HTTP/1.1"])
        #expect(server.requests[1].body == (method == "PUT" ? Array("content".utf8) : []))
    }

    @Test func notFoundIsToldAsSuch() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(404, "nobody reads this") })
        defer { server.stop() }
        let store = try fixture.store("http://u:canary@127.0.0.1:\(server.port)/x?sig=canary")
        let error = #expect(throws: ArtifactError.self) { try store.load() }
        #expect(error?.isNotFound == true)
        #expect(error?.message == "load \(server.url)/x: 404 Not Found")
        #expect(server.requests.count == 1)
    }

    @Test(arguments: [408, 425, 429, 500, 502, 503, 504]) func triesAgainWhatMayGoAway(status: Int) throws {
        let count = Monitor(0)
        let server = try ScriptedServer(answering: { conversation, request in
            let number = count.update { count in
                count += 1
                return count
            }
            conversation.answer(number % 3 == 0 ? 200 : status, "body")
        })
        defer { server.stop() }
        let store = try fixture.store(server.url)
        #expect(try store.load() == Array("body".utf8))
        try fixture.save([1], to: store)
        #expect(server.requests.count == 6)
    }

    @Test(arguments: [400, 401, 403, 405, 409, 410, 411, 413, 416, 501, 505]) func givesUpWhatWillNot(status: Int) throws {
        let server = try ScriptedServer(answering: { conversation, request in
            conversation.answer(status, headers: ["X-Echo: \(request.headers)"], "\(request.headers)")
        })
        defer { server.stop() }
        let store = try fixture.store(server.url, ["headers": [["name": "X-Api-Key", "value": "canary"]]])
        for attempt in [{ _ = try store.load() }, { try fixture.save([1], to: store) }] as [() throws -> Void] {
            let error = #expect(throws: ArtifactError.self) { try attempt() }
            #expect(error?.isTransient == false)
            #expect(error?.isNotFound == false)
            #expect(error?.message.contains(" \(server.url)/: \(status)") == true)
            #expect(error?.message.contains("canary") == false)
        }
        #expect(server.requests.count == 2)
    }

    @Test func readsOnWhereTheConnectionBroke() throws {
        let content = patternBytes(300_000)
        let server = try ScriptedServer(answering: { conversation, request in
            guard let range = request.header("Range") else {
                conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\nETag: \"v1\"\r\nAccept-Ranges: bytes\r\n\r\n")
                conversation.send(Array(content[..<100_000]))
                return conversation.end()
            }
            let start = Int(range.dropFirst("bytes=".count).dropLast())!
            conversation.send(
                "HTTP/1.1 206 Partial\r\nContent-Length: \(300_000 - start)\r\nETag: \"v1\"\r\n"
                    + "Content-Range: bytes \(start)-299999/300000\r\n\r\n")
            conversation.send(Array(content[start...]))
        })
        defer { server.stop() }
        #expect(try fixture.store(server.url).load() == content)
        #expect(server.requests.count == 2)
        #expect(server.requests[1].header("Range") == "bytes=100000-")
        #expect(server.requests[1].header("If-Range") == "\"v1\"")
        #expect(server.requests[1].header("Accept-Encoding") == nil)
    }

    /// Without a validator that holds, or where the body is coded, only the whole can be asked for again; it must begin alike.
    @Test(arguments: [
        "", "ETag: W/\"v1\"\r\n", "ETag: \"v1\"\r\nContent-Encoding: br\r\n", "ETag: \"v1\"\r\nAccept-Ranges: none\r\n",
    ])
    func readsTheWholeAgainWhereItCannotReadOn(headers: String) throws {
        for secondDiffers in [false, true] {
            let content = patternBytes(300_000)
            let server = try ScriptedServer(answering: { conversation, request in
                conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\(headers)\r\n")
                if request.connection == 0 {
                    conversation.send(Array(content[..<100_000]))
                    return conversation.end()
                }
                conversation.send(secondDiffers ? patternBytes(300_000, seed: 2) : content)
            })
            defer { server.stop() }
            if secondDiffers {
                let error = #expect(throws: ArtifactError.self) { try fixture.store(server.url).load() }
                #expect(error?.code == .changed)
            } else {
                #expect(try fixture.store(server.url).load() == content)
            }
            #expect(server.requests.map { $0.header("Range") } == [nil, nil])
        }
    }

    /// A body without a length that breaks off and comes shorter the second time.
    @Test func noticesThatTheWholeHasBecomeShorter() throws {
        let server = try ScriptedServer(answering: { conversation, request in
            conversation.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            if request.connection == 0 {
                conversation.send("a\r\n0123456789\r\n")
                return conversation.end()
            }
            conversation.send("5\r\n01234\r\n0\r\n\r\n")
        })
        defer { server.stop() }
        let error = #expect(throws: ArtifactError.self) { try fixture.store(server.url).load() }
        #expect(error?.code == .changed)
    }

    @Test(arguments: [
        "Content-MD5: XUFAKrxLKna5cZ2REBfFkg==", "Digest: md5=XUFAKrxLKna5cZ2REBfFkg==",
        "Digest: SHA-256=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
        "Repr-Digest: unknown=:x:, sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:",
        "X-Checksum-Sha1: aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", "X-Checksum-Md5: 5d41402abc4b2a76b9719d911017c592",
    ]) func checksTheDigestsThatAreTold(header: String) throws {
        let body = Monitor("hello")
        let server = try ScriptedServer(answering: { conversation, _ in
            conversation.answer(200, headers: [header], body.current)
        })
        defer { server.stop() }
        let store = try fixture.store(server.url)
        #expect(try store.load() == Array("hello".utf8))
        body.update { $0 = "jello" }
        let error = #expect(throws: ArtifactError.self) { try store.load() }
        #expect(error?.code == .damaged)
        #expect(throws: ArtifactError.self) {
            guard case .object(let object) = try store.find() else { return }
            try store.download.file(object, at: fixture.path("damaged"))
        }
        #expect(!FileManager.default.fileExists(atPath: fixture.path("damaged").text))
    }

    @Test func cannotDoMoreThanLoadAndSaveAFile() throws {
        let store = try fixture.store("http://127.0.0.1:9/dir")
        for (verb, attempt) in [
            ("deleted", { try store.delete() }), ("listed", { _ = try store.list() }),
        ] as [(String, () throws -> Void)] {
            let error = #expect(throws: ArtifactError.self) { try attempt() }
            #expect(error?.message == "http artifacts cannot be \(verb)")
        }
        try FileManager.default.createDirectory(
            at: fixture.folder.url.appending(path: "empty"), withIntermediateDirectories: true)
        let error = #expect(throws: ArtifactError.self) { try store.upload.directory(at: fixture.path("empty")) }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("archive it (tar or zip)") == true)
        #expect(try !store.isDirectory())
        #expect(store.driver.loadedModes.file == 0o666)
    }

    @Test func artifactoryNeedsUserAndPassword() throws {
        try fixture.secret("user", "u")
        try fixture.secret("password", "p")
        for name in ["usernameSecret", "passwordSecret"] {
            let error = #expect(throws: ArtifactError.self) { try fixture.artifactory("http://h/x", [name: .null]) }
            #expect(error?.message.contains("usernameSecret and passwordSecret are both required") == true)
        }
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200) })
        defer { server.stop() }
        _ = try fixture.artifactory(server.url + "/repo/x").load()
        #expect(server.requests[0].header("Authorization") == "Basic dTpw")
        let error = #expect(throws: ArtifactError.self) { try fixture.artifactory(server.url).delete() }
        #expect(error?.message == "artifactory artifacts cannot be deleted")
    }

    @Test func refusesAKeyThatNeedsAPassPhrase() throws {
        let openssl = ProcessRun("openssl", ["genpkey", "-algorithm", "RSA", "-aes256", "-pass", "pass:canary"])
        try fixture.secret("key", openssl.output)
        try fixture.secret("certificate", "x")
        let error = #expect(throws: ArtifactError.self) {
            try fixture.store("https://h/", ["auth": ["clientCert": HTTPFixture.clientCert]])
        }
        #expect(error?.message.hasSuffix("the key is protected by a pass phrase") == true)
    }
}

/// A program's output.
private struct ProcessRun {
    let output: String

    init(_ program: String, _ arguments: [String]) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try? process.run()
        output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
    }
}
