import Artifacts
import Documents
import Encodings
import Foundation
import HTTPTransport
import SystemSupport
import TestSupport
import Testing
import WorkflowModel

@testable import GCSArtifacts

/// Tokens from each of the places that Google's documentation names, played by a stand-in.
@Suite struct GoogleTokenTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let token = #"{"access_token":"ya29.secret","expires_in":3599,"token_type":"Bearer"}"#

    func path(_ name: String) -> BytePath { BytePath(folder.url.appending(path: name).path) }

    func endpoint() -> GoogleTokenEndpoint {
        GoogleTokenEndpoint(http: HTTPClient(configuration: HTTPClientConfiguration(trust: .system(file: nil))))
    }

    func document(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }

    @Test func aUserOfGcloudRefreshes() throws {
        let server = try AWSStandIn { _, _ in .init(body: Self.token) }
        let issued = try ApplicationCredentials.token(
            document(
                #"{"type":"authorized_user","client_id":"i","client_secret":"s","refresh_token":"r/1","token_uri":"\#(server.url)/t"}"#
            ),
            endpoint())
        #expect(issued?.credential.revealText() == "ya29.secret")
        #expect(issued?.expiry.map { $0.seconds - Timestamp.now.seconds > 3500 } == true)
        #expect(server.forms[0]["grant_type"] == "refresh_token" && server.forms[0]["refresh_token"] == "r/1")
    }

    @Test(arguments: [false, true]) func workloadIdentityIsExchanged(isImpersonated: Bool) throws {
        let server = try AWSStandIn { request, _ in
            request.line.contains("generateAccessToken")
                ? .init(body: #"{"accessToken":"ya29.other","expireTime":"2099-01-01T00:00:00Z"}"#) : .init(body: Self.token)
        }
        try folder.write(Data(#"{"id_token":"subject"}"#.utf8), to: "subject")
        let more = isImpersonated ? #""service_account_impersonation_url":"\#(server.url)/sa:generateAccessToken","# : ""
        let issued = try ApplicationCredentials.token(
            document(
                #"{"type":"external_account",\#(more)"audience":"//iam/p","subject_token_type":"jwt","token_url":"\#(server.url)/sts","credential_source":{"file":"\#(path("subject"))","format":{"type":"json","subject_token_field_name":"id_token"}}}"#
            ), endpoint())
        #expect(issued?.credential.revealText() == (isImpersonated ? "ya29.other" : "ya29.secret"))
        #expect(server.forms[0]["subject_token"] == "subject" && server.forms[0]["audience"] == "//iam/p")
        if isImpersonated {
            #expect(server.requests[1].header("Authorization") == "Bearer ya29.secret")
            #expect(issued?.expiry == Timestamp(rfc3339: "2099-01-01T00:00:00Z"))
        }
    }

    @Test func theMetadataServerIsAskedInItsOwnWay() throws {
        let server = try AWSStandIn { request, _ in
            request.header("Metadata-Flavor") == "Google" ? .init(body: Self.token) : .init(status: 403)
        }
        let source = GoogleMetadata(
            host: server.endpoint, http: HTTPClient(configuration: HTTPClientConfiguration(trust: .system(file: nil))))
        #expect(try source.fetch()?.credential.revealText() == "ya29.secret")
        #expect(server.lines[0].hasPrefix("GET /computeMetadata/v1/instance/service-accounts/default/token?scopes=https://"))
    }

    @Test(arguments: [
        #"{"type":"authorized_user"}"#, #"{"type":"what"}"#, #"{}"#, #"{"type":"external_account","credential_source":{}}"#,
        #"{"type":"impersonated_service_account"}"#, #"{"type":"service_account","client_email":"e","private_key":"none"}"#,
        #"{"type":"service_account","private_key":"none"}"#,
    ])
    func aFileThatMakesNoSenseSaysSoAndNothingOfItsContent(text: String) throws {
        let error = #expect(throws: CredentialFailure.self) { try ApplicationCredentials.token(document(text), endpoint()) }
        #expect(error?.isTransient == false)
        #expect(error?.message.contains("none\"") == false)
    }

    @Test(arguments: [(400, false), (401, false), (429, true), (503, true)])
    func aRefusalOfTheEndpointIsToldWithoutTheSecret(status: Int, isTransient: Bool) throws {
        let server = try AWSStandIn { request, _ in
            .init(
                status: status,
                body:
                    #"{"error":"invalid_grant","error_description":"bad \#(AWSStandIn.form(request.body)["refresh_token"] ?? "")"}"#
            )
        }
        let error = #expect(throws: CredentialFailure.self) {
            try ApplicationCredentials.token(
                document(
                    #"{"type":"authorized_user","client_id":"i","client_secret":"s3cret","refresh_token":"r-canary","token_uri":"\#(server.url)"}"#
                ), endpoint())
        }
        #expect(error?.isTransient == isTransient)
        #expect(error?.message == "ask the token endpoint: \(status) invalid_grant")
    }

    @Test(arguments: ["", "<html></html>", "{}", #"{"access_token":"a b"}"#]) func anAnswerWithoutATokenIsNone(body: String)
        throws
    {
        let server = try AWSStandIn { _, _ in .init(body: body) }
        #expect(throws: CredentialFailure.self) {
            try endpoint().token(HTTPRequest("POST", server.url), [], hiding: [])
        }
    }

    // MARK: The driver

    /// A driver for a location, its secrets in the folder.
    func store(_ server: AWSStandIn, secret: Data, environment: [String: String] = [:]) throws -> ArtifactStore {
        try folder.write(secret, to: "secret/keys/account")
        var context = DriverContext(
            registry: StoreUnderTest.gcsStandIn(bucket: "b").registry,
            clients: HTTPClients(HTTPClientConfiguration(trust: .system(file: nil))), log: .silent,
            executorBackoff: Backoff(duration: 1_000_000, factor: 1, jitter: 0, steps: 5), secretsDirectory: path("secret"))
        context.reachGoogle(at: server.url)
        let location = try ArtifactLocation(
            document: ["gcs": ["bucket": "b", "key": "k", "serviceAccountKeySecret": ["name": "keys", "key": "account"]]])
        return try context.store(for: location, artifactName: "data")
    }

    @Test(.requires(.fakeGCS)) func aTokenIsRenewedWhenTheStoreSaysThatItHasExpired() async throws {
        let account = try await GCSServer.shared().account
        let server = try AWSStandIn { _, number in
            number == 1 ? .init(status: 401) : .init(body: #"{"name":"k","size":"0","generation":"1"}"#)
        }
        _ = try store(server, secret: Data(account.utf8)).find()
        #expect(server.requests.count == 2)
        #expect(server.requests.allSatisfy { $0.header("Authorization") == "Bearer ya29.token" })
    }

    @Test(arguments: ["", "{}", #"{"type":"authorized_user"}"#, "no JSON"]) func aSecretThatIsNoKeyIsRefusedByName(text: String)
        throws
    {
        let server = try AWSStandIn { _, _ in nil }
        let error = #expect(throws: CredentialFailure.self) { try store(server, secret: Data(text.utf8)) }
        #expect(error?.message.contains("secret 'keys'") == true)
        #expect(server.requests.isEmpty)
    }

    @Test func readsWhatTheEnvironmentSays() {
        let none = GoogleEnvironment(Environment([:]))
        #expect(none.endpoint == "https://storage.googleapis.com" && none.credentialsFile == nil && none.usualFile == nil)
        let some = GoogleEnvironment(
            Environment(["HOME": "/h", "STORAGE_EMULATOR_HOST": "localhost:4443", "GOOGLE_APPLICATION_CREDENTIALS": "/f"]))
        #expect(some.endpoint == "http://localhost:4443" && some.isEmulator && some.credentialsFile == "/f")
        #expect(some.usualFile == "/h/.config/gcloud/application_default_credentials.json")
    }
}
