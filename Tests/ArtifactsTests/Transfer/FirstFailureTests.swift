import Digests
import Documents
import Foundation
import HTTPTransport
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts
@testable import S3Artifacts

/// Every user of the network gets over a first attempt that failed, and tells why where all failed.
@Suite struct FirstFailureTests {
    /// Who uses the network.
    enum User: String, CaseIterable, CustomTestStringConvertible {
        case loadHTTP, saveHTTP, loadS3, saveS3, listS3, token, role, container, metadata
        var testDescription: String { rawValue }
    }

    /// What the first connection meets.
    enum Failure: String, CaseIterable, CustomTestStringConvertible {
        case reset, closed, halfHead, halfBody, busy
        var testDescription: String { rawValue }

        func answer(_ conversation: ScriptedServer.Conversation, _ request: ScriptedServer.SeenRequest) {
            switch self {
            case .reset: conversation.reset()
            case .closed: break
            // There is no body to be cut off.
            case .halfBody where request.line.hasPrefix("HEAD "): break
            case .halfHead: conversation.send("HTTP/1.1 200 OK\r\nContent-Le")
            case .halfBody: conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbo")
            case .busy: conversation.send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
            }
        }
    }

    private let fixture: HTTPFixture
    private let stores: StoreFixture

    init() throws {
        fixture = try HTTPFixture()
        for (key, value) in [("id", "ID"), ("secret", "S"), ("access", "AK"), ("key", "SK")] { try fixture.secret(key, value) }
        stores = try StoreFixture(
            .s3Stub(bucket: "bkt", secrets: ["keys/access": "AK", "keys/secret": "SK", "keys/token": "T"]))
    }

    private static func good(_ conversation: ScriptedServer.Conversation, _ request: ScriptedServer.SeenRequest) {
        let list = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
        let target = request.target
        if target.contains("list-type=2") { return conversation.answer(200, list) }
        if target.hasSuffix("/latest/api/token") { return conversation.answer(200, "session") }
        if target.hasSuffix("/token") {
            return conversation.answer(200, headers: ["Content-Type: application/json"], #"{"access_token": "t"}"#)
        }
        if request.line.hasPrefix("POST /sts") {
            return conversation.answer(200, AWSStandIn.role("AssumeRoleWithWebIdentity", "sts").body)
        }
        if target.hasSuffix("/security-credentials/") { return conversation.answer(200, "role") }
        if target.hasSuffix("/role") || target.hasSuffix("/keys") { return conversation.answer(200, AWSStandIn.keys("told")) }
        if request.line.hasPrefix("HEAD ") {
            return _ = conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag: \"e\"\r\n\r\n")
        }
        let tag = "ETag: \"\(hexadecimal(Digest.hash(.md5, request.body.isEmpty ? Array("body".utf8) : request.body)))\""
        conversation.answer(200, headers: [tag], request.line.hasPrefix("PUT ") ? "" : "body")
    }

    private func s3Context() -> DriverContext {
        var context = stores.context
        context.localStore = nil
        return context
    }

    /// - Parameter endpoint: `host:port`.
    private func use(_ user: User, _ endpoint: String) throws {
        let url = "http://" + endpoint
        switch user {
        case .loadHTTP: #expect(try fixture.store(url + "/f").load() == Array("body".utf8))
        case .saveHTTP: try fixture.save(Array("body".utf8), to: fixture.store(url + "/f"))
        case .loadS3:
            #expect(try stores.store("k", endpoint: endpoint, context: s3Context()).load() == Array("body".utf8))
        case .saveS3:
            try Data("body".utf8).write(to: stores.folder.url.appending(path: "f"))
            try stores.store("k", endpoint: endpoint, context: s3Context()).upload.file(at: stores.path("f"))
        case .listS3: #expect(try stores.store("k/", endpoint: endpoint, context: s3Context()).list().isEmpty)
        case .token:
            try fixture.secret("token", url + "/token")
            // The artifact itself is elsewhere, so that the first failure is the token endpoint's.
            let server = try ScriptedServer(answering: { conversation, request in
                conversation.answer(request.header("Authorization") == "Bearer t" ? 200 : 403, "body")
            })
            defer { server.stop() }
            let store = try fixture.store(server.url + "/f", ["auth": ["oauth2": HTTPFixture.oauth2]])
            #expect(try store.load() == Array("body".utf8))
        case .role:
            try fixture.folder.write(Data("identity".utf8), to: "identity")
            try fetch([
                "AWS_ROLE_ARN": "r", "AWS_WEB_IDENTITY_TOKEN_FILE": fixture.path("identity").text,
                "AWS_ENDPOINT_URL_STS": url + "/sts",
            ])
        case .container: try fetch(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url + "/keys"])
        case .metadata: try fetch(["AWS_EC2_METADATA_SERVICE_ENDPOINT": url])
        }
    }

    private func fetch(_ variables: [String: String]) throws {
        let environment = AWSEnvironment(Environment(variables.merging(["AWS_REGION": "r1"]) { $1 }))
        let chain = AWSCredentials(environment, clients: fixture.context.clients, region: nil).defaultChain
        let cache = CredentialCache(chain, for: "here", context: fixture.context)
        #expect(try cache.lease().credential.accessKey.hasPrefix("AK-"))
    }

    @Test(arguments: User.allCases, Failure.allCases) func isGotOver(user: User, failure: Failure) throws {
        let server = try ScriptedServer { conversation in
            guard let request = conversation.readRequest() else { return }
            if conversation.index == 0 { return failure.answer(conversation, request) }
            Self.good(conversation, request)
            while let request = conversation.readRequest() { Self.good(conversation, request) }
        }
        defer { server.stop() }
        try use(user, "127.0.0.1:\(server.port)")
        #expect(server.requests.count > 1)
    }

    /// The cause is told, and nothing that a later attempt met because of it.
    @Test(arguments: User.allCases.filter { $0 != .container }) func anUnknownNameIsTheCauseThatIsTold(user: User) throws {
        let message = failureText { try use(user, "no-such-host.invalid") }
        #expect(message.contains("lookup no-such-host.invalid: "), "\(message)")
    }

    @Test(arguments: User.allCases) func nobodyListeningIsTheCauseThatIsTold(user: User) throws {
        let message = failureText { try use(user, "127.0.0.1:\(unusedPort())") }
        #expect(message.contains("connect: connection refused"), "\(message)")
    }

    // MARK: What claims success

    @Test(arguments: [
        "<!doctype html><title>Sign in</title>", "", "{}", "two words", #"{"access_token": ""}"#, "null", "[]",
    ]) func nothingIsBelievedByItsStatusAlone(body: String) throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200, body) })
        defer { server.stop() }
        for user in [User.token, .role, .container, .metadata, .listS3] {
            #expect(throws: (any Error).self, "\(user)") { try use(user, "127.0.0.1:\(server.port)") }
        }
    }

    @Test func aPageInPlaceOfTheMetadataIsToldAsSuch() throws {
        let server = try ScriptedServer(answering: { conversation, _ in conversation.answer(200, "<!doctype html><p>Sign in") })
        defer { server.stop() }
        let message = failureText { try use(.metadata, "127.0.0.1:\(server.port)") }
        #expect(message.hasSuffix("instance metadata: PUT /latest/api/token: the response is not a token"))
    }
}
