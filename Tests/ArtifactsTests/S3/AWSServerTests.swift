import Documents
import Foundation
import RequestSigning
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts
@testable import S3Artifacts

/// The credential sources against servers: moto plays the Security Token Service and instance metadata; MinIO has a token service
/// that checks signatures, and knows the keys that it gave.
@Suite struct AWSServerTests {
    /// Saves and loads an object with the keys that a location without its own gets.
    ///
    /// - Returns: what the object was loaded as, and the keys.
    private func roundTrip(
        _ server: ServerKind, _ more: JSONValue = [:], variables: (_ url: String, _ jwt: String) -> [String: String]
    ) async throws -> (loaded: [UInt8], keys: SigV4.Credential) {
        let fixture = try await StoreFixture.make(on: server)
        try fixture.folder.write(Data("header.payload.signature".utf8), to: "jwt")
        try fixture.folder.write(Data("hello world".utf8), to: "f")
        var context = fixture.context
        context.aws = AWSEnvironment(
            Environment(variables("http://\(try #require(fixture.kind.endpoint))", fixture.path("jwt").text)))
        var fields: JSONValue = ["accessKeySecret": .null, "secretKeySecret": .null]
        for member in more.object?.members ?? [] { fields[member.name] = member.value }
        let store = try fixture.store("dir/k", context: context, fields)
        try store.upload.file(at: fixture.path("f"))
        let sink = CollectingSink()
        if case .object(let object) = try store.find() { try store.download.stream(object, into: sink) }
        let driver = try #require(store.driver as? S3Driver)
        return (sink.bytes, try driver.client.credentials.lease().credential)
    }

    @Test(.requires(.moto)) func takesTheKeysOfAnInstancesRole() async throws {
        let result = try await roundTrip(.moto) { url, _ in ["AWS_EC2_METADATA_SERVICE_ENDPOINT": url] }
        #expect(result.loaded == Array("hello world".utf8))
        #expect(result.keys.accessKey == "test-key")
        #expect(result.keys.secretKey == Secret("test-secret-key"))
        #expect(result.keys.sessionToken == Secret("test-session-token"))
    }

    @Test(.requires(.moto)) func changesAServiceAccountsTokenForARole() async throws {
        let result = try await roundTrip(.moto) { url, jwt in
            [
                "AWS_WEB_IDENTITY_TOKEN_FILE": jwt, "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r",
                "AWS_REGION": "eu-west-3",
                "AWS_ENDPOINT_URL_STS": url,
            ]
        }
        #expect(result.loaded == Array("hello world".utf8))
        #expect(result.keys.accessKey.hasPrefix("ASIA"))
        #expect(result.keys.sessionToken != nil)
    }

    @Test(.requires(.moto)) func assumesARole() async throws {
        let role: JSONValue = ["roleARN": "arn:aws:iam::123456789012:role/r", "region": "eu-west-3"]
        let result = try await roundTrip(.moto, role) { url, _ in
            ["AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL_STS": url]
        }
        #expect(result.loaded == Array("hello world".utf8))
        #expect(result.keys.accessKey.hasPrefix("ASIA"))
    }

    @Test(.requires(.minIO)) func signsForATokenServiceThatChecks() async throws {
        let server = try await S3Server.shared(.minIO)
        let role: JSONValue = ["roleARN": "arn:minio:iam:::role/any", "region": "us-east-1"]
        func variables(secret: String) -> (String, String) -> [String: String] {
            { url, _ in
                ["AWS_ACCESS_KEY_ID": server.accessKey, "AWS_SECRET_ACCESS_KEY": secret, "AWS_ENDPOINT_URL_STS": url]
            }
        }
        let result = try await roundTrip(.minIO, role, variables: variables(secret: server.secretKey))
        #expect(result.loaded == Array("hello world".utf8))
        #expect(result.keys.accessKey != server.accessKey)
        #expect(result.keys.sessionToken != nil)
        let error = await #expect(throws: CredentialFailure.self) {
            try await roundTrip(.minIO, role, variables: variables(secret: "not-the-secret"))
        }
        #expect(error?.message.contains("AssumeRole: 403") == true, "\(error?.message ?? "")")
    }
}
