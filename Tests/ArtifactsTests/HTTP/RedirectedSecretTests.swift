import Documents
import Encodings
import Foundation
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts
@testable import S3Artifacts

/// No secret follows a redirect to another server, in whatever part of a request it stands.
@Suite struct RedirectedSecretTests {
    private let fixture: HTTPFixture

    init() throws {
        fixture = try HTTPFixture()
        try fixture.secret("id", "ID")
        try fixture.secret("secret", "CANARY")
    }

    private static let token = #"{"access_token": "t", "token_type": "bearer"}"#

    private static func holdsSecret(_ request: ScriptedServer.SeenRequest) -> Bool {
        let all = request.line + request.headers.joined() + String(decoding: request.body, as: UTF8.self)
        return all.contains("CANARY") || all.contains(Base64.encode(Array("ID:CANARY".utf8)))
    }

    @Test(arguments: [301, 302, 303, 307, 308], ["localhost", "127.0.0.1"])
    func theTokenEndpointLeadsNobodyElsewhere(status: Int, host: String) throws {
        let other = try ScriptedServer(answering: { conversation, _ in conversation.answer(401, "{}") })
        defer { other.stop() }
        let server = try ScriptedServer(answering: { conversation, _ in
            conversation.answer(status, headers: ["Location: http://\(host):\(other.port)/t"])
        })
        defer { server.stop() }
        try fixture.secret("token", server.url + "/token")
        let message = failureText { try fixture.store(server.url + "/f", ["auth": ["oauth2": HTTPFixture.oauth2]]).load() }
        #expect(
            message.hasSuffix(
                "ask the token endpoint: \(status): it leads to another server, which does not get the client's secret"))
        #expect(other.requests.isEmpty)
        #expect(server.requests.allSatisfy { $0.line.contains("/token") })
    }

    @Test(arguments: [307, 308]) func theTokenEndpointMayMoveOnItsServer(status: Int) throws {
        let server = try ScriptedServer(answering: { conversation, request in
            switch request.line.split(separator: " ")[1] {
            case "/token": conversation.answer(status, headers: ["Location: /moved"])
            // Takes the secret in the body only, which is the second way to be tried.
            case "/moved" where String(decoding: request.body, as: UTF8.self).contains("client_secret=CANARY"):
                conversation.answer(200, headers: ["Content-Type: application/json"], Self.token)
            case "/moved": conversation.answer(401, "{}")
            default: conversation.answer(request.header("Authorization") == "Bearer t" ? 200 : 403, "body")
            }
        })
        defer { server.stop() }
        try fixture.secret("token", server.url + "/token")
        #expect(try fixture.store(server.url + "/f", ["auth": ["oauth2": HTTPFixture.oauth2]]).load() == Array("body".utf8))
    }

    /// An artifact's own request leads elsewhere without its credentials: token, password, headers that hold a key.
    @Test func anArtifactLeadsElsewhereWithoutCredentials() throws {
        let other = try ScriptedServer(answering: { conversation, _ in conversation.answer(200, "body") })
        defer { other.stop() }
        let server = try ScriptedServer(answering: { conversation, request in
            if request.line.contains("/token") {
                return conversation.answer(200, headers: ["Content-Type: application/json"], #"{"access_token": "CANARY"}"#)
            }
            conversation.answer(307, headers: ["Location: http://localhost:\(other.port)/t"])
        })
        defer { server.stop() }
        try fixture.secret("token", server.url + "/token")
        try fixture.secret("user", "ID")
        try fixture.secret("password", "CANARY")
        let headers: JSONValue = [["name": "X-JFrog-Art-Api", "value": "CANARY"], ["name": "X-Kept", "value": "kept"]]
        let locations: [JSONValue] = [
            ["auth": ["oauth2": HTTPFixture.oauth2]], ["auth": HTTPFixture.basicAuth], ["headers": headers],
        ]
        for location in locations {
            #expect(try fixture.store(server.url + "/f?key=CANARY", location).load() == Array("body".utf8))
            try fixture.save(Array("content".utf8), to: fixture.store(server.url + "/f?key=CANARY", location))
        }
        let withPassword = "http://ID:CANARY@127.0.0.1:\(server.port)/f"
        #expect(try fixture.store(withPassword).load() == Array("body".utf8))
        #expect(try fixture.artifactory(server.url + "/f").load() == Array("body".utf8))
        #expect(other.requests.count == 8)
        #expect(!other.requests.contains(where: Self.holdsSecret))
        #expect(other.requests.filter { $0.header("X-Kept") == "kept" }.count == 2)
    }

    /// Where keys come from nobody is sent elsewhere at all.
    @Test(arguments: [302, 307, 308]) func sourcesOfKeysAreNotLeft(status: Int) throws {
        let other = try ScriptedServer(answering: { conversation, _ in conversation.answer(200, AWSStandIn.keys("other")) })
        defer { other.stop() }
        let standIn = try AWSStandIn { _, _ in
            AWSStandIn.Answer(status: status, headers: ["Location: http://localhost:\(other.port)/t"])
        }
        try fixture.folder.write(Data("CANARY".utf8), to: "identity")
        let sources: [[String: String]] = [
            [
                "AWS_ROLE_ARN": "r", "AWS_WEB_IDENTITY_TOKEN_FILE": fixture.path("identity").text,
                "AWS_ENDPOINT_URL_STS": standIn.url,
            ],
            ["AWS_CONTAINER_CREDENTIALS_FULL_URI": standIn.url + "/k", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "CANARY"],
            ["AWS_EC2_METADATA_SERVICE_ENDPOINT": standIn.url],
        ]
        for variables in sources {
            let environment = AWSEnvironment(Environment(variables.merging(["AWS_REGION": "r1"]) { $1 }))
            let chain = AWSCredentials(environment, clients: fixture.context.clients, region: nil).defaultChain
            #expect(throws: CredentialFailure.self) { try chain.fetch() }
        }
        #expect(other.requests.isEmpty)
    }
}
