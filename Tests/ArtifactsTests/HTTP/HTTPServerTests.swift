import Artifacts
import Documents
import Foundation
import HTTPTransport
import SystemSupport
import TestSupport
import Testing

/// The HTTP and Artifactory drivers against a real web server behind every kind of protection.
@Suite(.requires(.nginx)) struct HTTPServerTests {
    let server: WebServer
    let fixture: HTTPFixture
    let folder: String

    init() async throws {
        server = try await .shared()
        fixture = try HTTPFixture(server)
        folder = server.makeFolder()
    }

    func url(_ name: String, _ door: WebServer.Door = .plain) -> String { server.url("\(folder)/\(name)", through: door) }

    func expectRefusal(
        _ store: ArtifactStore, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for attempt in [{ _ = try store.load() }, { try fixture.save([1], to: store) }] as [() throws -> Void] {
            do {
                try attempt()
                Issue.record("nothing was refused", sourceLocation: sourceLocation)
            } catch {
                let message = errorText(error)
                for word in words { #expect(message.contains(word), "\(message)", sourceLocation: sourceLocation) }
                #expect(!message.contains(server.password) && !message.contains("not-the-password"))
            }
        }
    }

    // MARK: Bodies

    @Test func storesABodyDecodedThatWasCodedForTheWay() throws {
        let text = Array(String(repeating: "all work and no play ", count: 5000).utf8)
        try server.put(text, "packed/\(folder)/text")
        let store = try fixture.store(server.url("packed/\(folder)/text"))
        #expect(try store.load() == text)
        guard case .object(let object) = try store.find() else { return }
        try store.download.file(object, at: fixture.path("text"))
        #expect(try Data(contentsOf: fixture.folder.url.appending(path: "text")) == Data(text))
        // Who asks for it by name gets it as it is.
        let coded = try fixture.store(
            server.url("packed/\(folder)/text"), ["headers": [["name": "accept-encoding", "value": "gzip"]]]
        ).load()
        #expect(coded.starts(with: [0x1F, 0x8B]))
    }

    @Test func readsALargeFileInRanges() throws {
        let content = patternBytes(40 << 20)
        try server.put(content, "\(folder)/large")
        let store = try fixture.store(url("large"))
        guard case .object(let object) = try store.find() else { return }
        #expect(try object.describe().supportsRanges)
        try store.download.file(object, at: fixture.path("large"))
        #expect(try Data(contentsOf: fixture.folder.url.appending(path: "large")) == Data(content))
        // A stretch that the location names is the whole.
        let stretch = try fixture.store(url("large"), ["headers": [["name": "Range", "value": "bytes=10-19"]]])
        #expect(try stretch.load() == Array(content[10..<20]))
    }

    /// It would be a PUT without a length, which many stores refuse.
    @Test func savesAnArchiveWhoseLengthNobodyKnew() throws {
        let bytes = patternBytes(3_000_000)
        for door in [WebServer.Door.plain, .basic] {
            let store = try fixture.store(url("archive-\(door).tgz", door), ["auth": HTTPFixture.basicAuth])
            try store.upload.stream(PatternSource(bytes), fileName: "archive.tgz")
            #expect(server.get("\(folder)/archive-\(door).tgz") == bytes)
        }
    }

    // MARK: Authorisation

    @Test func refusesAWrongPasswordAtOnce() throws {
        let auth: JSONValue = [
            "basicAuth": ["usernameSecret": HTTPFixture.selector("user"), "passwordSecret": HTTPFixture.selector("wrong")]
        ]
        expectRefusal(try fixture.store(url("x", .basic), ["auth": auth]), "401 Unauthorized")
        expectRefusal(try fixture.store(url("x", .basic)), "401 Unauthorized")
        expectRefusal(try fixture.artifactory(url("x", .basic), ["passwordSecret": HTTPFixture.selector("wrong")]), "401")
        #expect(!fixture.log.text.contains("retrying"))
    }

    @Test func takesUserAndPasswordFromTheURL() throws {
        let allowed = CharacterSet.alphanumerics
        let user = server.user.addingPercentEncoding(withAllowedCharacters: allowed)!
        let password = server.password.addingPercentEncoding(withAllowedCharacters: allowed)!
        let store = try fixture.store("http://\(user):\(password)@\(server.endpoint(.basic))/\(folder)/in-url")
        try fixture.save([7], to: store)
        #expect(try store.load() == [7])
        #expect(store.subject == url("in-url", .basic))
    }

    @Test(arguments: ["basic", "body", "form", "flaky"]) func getsATokenFromAnEndpoint(kind: String) throws {
        try fixture.secret("token", "http://\(server.helper)/token/\(kind)\n")
        let store = try fixture.store(url("token-\(kind)", .bearer), ["auth": ["oauth2": HTTPFixture.oauth2]])
        try fixture.save([1, 2], to: store)
        #expect(try store.load() == [1, 2])
    }

    @Test func sharesTokensAndRenewsThem() async throws {
        let context = fixture.context
        let requests = Monitor(0)
        let endpoint = try ScriptedServer(answering: { conversation, _ in
            let number = requests.update { requests in
                requests += 1
                return requests
            }
            conversation.answer(
                200, headers: ["Content-Type: application/json"],
                #"{"access_token":"t\#(number)","token_type":"Bearer","expires_in":"\#(number == 2 ? 0 : 3600)"}"#)
        })
        defer { endpoint.stop() }
        let store = try ScriptedServer(answering: { conversation, request in
            let token = request.header("Authorization") ?? ""
            conversation.answer(token == "Bearer t1" && request.line.contains("/again") ? 401 : 200, token)
        })
        defer { store.stop() }
        try fixture.secret("token", endpoint.url)
        let load = { (path: String) in
            let bytes = try fixture.store(store.url + path, ["auth": ["oauth2": HTTPFixture.oauth2]], context: context).load()
            return String(decoding: bytes, as: UTF8.self)
        }
        #expect(try load("/a") == "Bearer t1")
        #expect(try load("/b") == "Bearer t1")
        // The server says that it is good no longer: once more, with another.
        #expect(try load("/again") == "Bearer t2")
        #expect(try load("/c") == "Bearer t2")
        #expect(endpoint.requests.count == 2)
        let body = String(decoding: endpoint.requests[0].body, as: UTF8.self)
        #expect(body == "grant_type=client_credentials&scope=read+write&audience=the+store")
        let expected = "client+id:client%2Fsecret%2B%25"
        #expect(endpoint.requests[0].header("Authorization") == "Basic " + Data(expected.utf8).base64EncodedString())
    }

    @Test func aTokenThatIsRefusedTwiceIsAnError() throws {
        let endpoint = try ScriptedServer(answering: { conversation, _ in
            conversation.answer(200, headers: ["Content-Type: text/plain"], "access_token=canary&token_type=bearer")
        })
        defer { endpoint.stop() }
        let store = try ScriptedServer(answering: { conversation, _ in conversation.answer(401) })
        defer { store.stop() }
        try fixture.secret("token", endpoint.url)
        let error = #expect(throws: ArtifactError.self) {
            try fixture.store(store.url, ["auth": ["oauth2": HTTPFixture.oauth2]]).load()
        }
        #expect(error?.message == "load \(store.url)/: 401 Unauthorized")
        #expect(store.requests.count == 2)
    }

    @Test func endpointParametersMayReplaceTheGrantButNotTheScope() throws {
        let endpoint = try ScriptedServer(answering: { conversation, _ in conversation.answer(400, #"{"error":"canary"}"#) })
        defer { endpoint.stop() }
        try fixture.secret("token", endpoint.url + "/tenant-canary?key=canary")
        var oauth2 = HTTPFixture.oauth2
        oauth2["endpointParams"] = [["key": "grant_type", "value": "password"], ["key": "a&b", "value": "="]]
        let error = #expect(throws: CredentialFailure.self) {
            try fixture.store(url("x", .bearer), ["auth": ["oauth2": oauth2]]).load()
        }
        #expect(
            error?.message == "get credentials for http://\(server.endpoint(.bearer)): "
                + "OAuth2: ask the token endpoint: 400")
        let bodies = endpoint.requests.map { String(decoding: $0.body, as: UTF8.self) }
        #expect(
            bodies == [
                "scope=read+write&grant_type=password&a%26b=%3D",
                "scope=read+write&grant_type=password&a%26b=%3D&client_id=client+id&client_secret=client%2Fsecret%2B%25",
            ])
        oauth2["endpointParams"] = [["key": "scope", "value": "all"]]
        let refused = #expect(throws: CredentialFailure.self) {
            try fixture.store(url("x", .bearer), ["auth": ["oauth2": oauth2]]).load()
        }
        #expect(refused?.message.contains("endpointParams cannot replace \"scope\"") == true)
    }

    @Test func tellsOfATokenEndpointThatIsNotThereWithoutItsURL() throws {
        try fixture.secret("token", "http://127.0.0.1:\(try unusedPort())/canary")
        var context = fixture.context
        context.executorBackoff.steps = 1
        let error = #expect(throws: (any Error).self) {
            try fixture.store(url("x", .bearer), ["auth": ["oauth2": HTTPFixture.oauth2]], context: context).load()
        }
        let message = errorText(try #require(error))
        #expect(message.contains("connect: connection refused"))
        #expect(!message.contains("canary"))
        #expect((error as? any ClassifiedError)?.isNotFound == false)
    }

    @Test func aCertificateGoesTogetherWithAToken() throws {
        try fixture.secret("token", "http://\(server.helper)/token/basic")
        let auth: JSONValue = ["oauth2": HTTPFixture.oauth2, "clientCert": HTTPFixture.clientCert]
        let store = try fixture.store(url("both", .bearerCertificate), ["auth": auth])
        try fixture.save([3], to: store)
        #expect(try store.load() == [3])
        expectRefusal(
            try fixture.store(url("both", .bearerCertificate), ["auth": ["oauth2": HTTPFixture.oauth2]]), "400 Bad Request")
        expectRefusal(
            try fixture.store(url("both", .bearerCertificate), ["auth": ["clientCert": HTTPFixture.clientCert]]), "401")
    }

    @Test(arguments: [("key", "canary"), ("certificate", "canary"), ("key", "-----BEGIN PRIVATE KEY-----\ncanary\n")])
    func refusesACertificateThatIsNone(name: String, value: String) throws {
        try fixture.secret(name, value)
        let store = try fixture.store(url("x", .certificate), ["auth": ["clientCert": HTTPFixture.clientCert]])
        let error = #expect(throws: TransferError.self) { try store.load() }
        #expect(error?.code == .tls)
        #expect(error?.message.contains("canary") == false)
    }

    // MARK: Redirects

    /// As Artifactory sends its readers to the storage behind it: the signed URL refuses any other authorisation.
    @Test func goesToASignedURLWithoutItsOwnAuthorisation() throws {
        try server.put([5, 6], "\(folder)/behind")
        for status in [301, 302, 303, 307, 308] {
            let url = "http://\(server.helper)/redirect/\(status)/\(folder)/behind"
            #expect(try fixture.artifactory(url).load() == [5, 6], "\(status)")
            #expect(try fixture.store(url, ["auth": HTTPFixture.basicAuth]).load() == [5, 6], "\(status)")
        }
    }

    @Test(arguments: [307, 308]) func sendsABodyAgainWhereARedirectAsksForIt(status: Int) throws {
        let bytes = patternBytes(2_000_000)
        for way in ["redirect", "here"] {
            try fixture.save(
                bytes, to: fixture.artifactory("http://\(server.helper)/\(way)/\(status)/\(folder)/\(way)-\(status)"))
            #expect(server.get("\(folder)/\(way)-\(status)") == bytes)
        }
    }

    @Test func doesNotShowAnAnswerThatRepeatsTheRequest() throws {
        for status in [400, 401, 403] {
            let store = try fixture.store(
                "http://u:\(status)canary@\(server.helper)/echo/\(status)?sig=canary",
                ["headers": [["name": "X-Api-Key", "value": "canary"]]])
            expectRefusal(store, ": \(status) ")
            let error = #expect(throws: ArtifactError.self) { try store.load() }
            #expect(error?.message.contains("canary") == false)
        }
        #expect(!fixture.log.text.contains("canary"))
    }

    // MARK: Trust

    @Test func verifiesByDefault() throws {
        let store = try fixture.store(url("trusted", .tls))
        try fixture.save([9], to: store)
        #expect(try store.load() == [9])
        expectRefusal(try fixture.store(url("x", .expired)), "x509: certificate has expired or is not yet valid")
        expectRefusal(try fixture.store(url("x", .otherName)), "x509: certificate is not valid for 127.0.0.1")
        expectRefusal(try fixture.store(url("x", .otherAuthority)), "x509: certificate signed by unknown authority")
        expectRefusal(try fixture.store(url("x", .oldProtocol)), "tls: ")
        var trustless = fixture
        trustless.authority = nil
        expectRefusal(try trustless.store(url("x", .tls)), "x509: certificate signed by unknown authority")
        #expect(!fixture.log.text.contains("retrying"))
    }

    /// An S3 location's own authority is the only one that counts for it.
    @Test func s3TrustsItsOwnAuthorityOnly() throws {
        try server.put([4, 2], "\(folder)/object")
        try fixture.secret("own", server.pem("ca.crt"))
        try fixture.secret("foreign", server.pem("other-ca.crt"))
        let load = { (fixture: HTTPFixture, authority: JSONValue) in
            let location: JSONValue = [
                "s3": [
                    "endpoint": .string(server.endpoint(.tls)), "bucket": .string(folder), "key": "object",
                    "region": "us-east-1", "accessKeySecret": HTTPFixture.selector("user"),
                    "secretKeySecret": HTTPFixture.selector("password"), "caSecret": authority,
                ]
            ]
            return try fixture.store(location).load()
        }
        var trustless = fixture
        trustless.authority = nil
        #expect(try load(trustless, HTTPFixture.selector("own")) == [4, 2])
        #expect(try load(fixture, .null) == [4, 2])
        for (fixture, authority) in [(fixture, HTTPFixture.selector("foreign")), (trustless, .null)] {
            let error = #expect(throws: TransferError.self) { try load(fixture, authority) }
            #expect(error?.message.contains("x509: certificate signed by unknown authority") == true)
        }
    }

    @Test func theOldProtocolIsRefusedByUsNotByTheServer() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "openssl", "s_client", "-connect", server.endpoint(.oldProtocol), "-tls1_1", "-cipher", "ALL:@SECLEVEL=0",
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(text.contains("TLSv1.1"))
    }
}
