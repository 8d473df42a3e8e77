import Documents
import Testing

@testable import WorkflowModel

@Suite struct LocationSecretsTests {
    private func selector(_ name: String) -> JSONValue { ["name": .string(name), "key": "k"] }

    /// A location of a kind in which each field of the list names a secret of its own.
    private func location(_ kind: LocationKind, _ more: (inout JSONValue) -> Void = { _ in }) throws -> ArtifactLocation {
        var store: JSONValue = [:]
        for field in kind.secretFields { set(&store, field.path[...], selector(field.path.joined(separator: "."))) }
        more(&store)
        return try ArtifactLocation(document: .object(JSONObject([(kind.rawValue, store)])))
    }

    private func set(_ value: inout JSONValue, _ path: ArraySlice<String>, _ new: JSONValue) {
        guard let name = path.first else { return value = new }
        var inner = value[name] ?? [:]
        set(&inner, path.dropFirst(), new)
        value[name] = inner
    }

    @Test(arguments: LocationKind.allCases) func findsTheSecretsOfEachKind(kind: LocationKind) throws {
        let found = try location(kind) { store in
            if kind == .s3 { store["encryptionOptions"]?["enableEncryption"] = true }
        }.secrets
        #expect(found.map(\.field) == kind.secretFields)
        #expect(found.map(\.selector.name) == kind.secretFields.map { $0.path.joined(separator: ".") })
        let empty: JSONValue = [:]
        #expect(try ArtifactLocation(document: .object(JSONObject([(kind.rawValue, empty)]))).secrets.isEmpty)
    }

    /// The fields are those that the locations read.
    @Test func theListNamesFieldsThatThereAre() throws {
        let s3 = try location(.s3).s3
        #expect(s3?.accessKeySecret?.name == "accessKeySecret" && s3?.secretKeySecret?.name == "secretKeySecret")
        #expect(s3?.sessionTokenSecret?.name == "sessionTokenSecret" && s3?.caSecret?.name == "caSecret")
        #expect(
            s3?.encryptionOptions?.serverSideCustomerKeySecret?.name == "encryptionOptions.serverSideCustomerKeySecret")
        let git = try location(.git).git
        #expect([git?.usernameSecret, git?.passwordSecret, git?.sshPrivateKeySecret].allSatisfy { $0 != nil })
        let artifactory = try location(.artifactory).artifactory
        #expect([artifactory?.usernameSecret, artifactory?.passwordSecret].allSatisfy { $0 != nil })
        let hdfs = try location(.hdfs).hdfs
        #expect([hdfs?.krbCCacheSecret, hdfs?.krbKeytabSecret].allSatisfy { $0 != nil })
        let oss = try location(.oss).oss
        #expect([oss?.accessKeySecret, oss?.secretKeySecret].allSatisfy { $0 != nil })
        #expect(try location(.gcs).gcs?.serviceAccountKeySecret != nil)
        #expect(try location(.azure).azure?.accountKeySecret != nil)
        let auth = try location(.http).http?.auth
        #expect(
            [
                auth?.basicAuth.usernameSecret, auth?.basicAuth.passwordSecret, auth?.clientCert.clientCertSecret,
                auth?.clientCert.clientKeySecret, auth?.oauth2.clientIDSecret, auth?.oauth2.clientSecretSecret,
                auth?.oauth2.tokenURLSecret,
            ].allSatisfy { $0 != nil })
    }

    @Test func theKeyOfACustomerCountsWithEncryptionOnly() throws {
        #expect(try location(.s3).secrets.count == LocationKind.s3.secretFields.count - 1)
    }

    @Test func readsFieldNamesAsGoDoes() throws {
        let location = try ArtifactLocation(document: ["s3": ["ACCESSKEYSECRET": ["Name": "s", "KEY": "k"]]])
        #expect(location.secrets.map(\.selector) == [SecretKeySelector(name: "s", key: "k")])
    }

    @Test func takesKeysFromWhereTheStoresOwnToolsLook() throws {
        let s3 = try ArtifactLocation(document: ["s3": ["bucket": "b", "usesdkcreds": false]])
        #expect(try s3.takingSDKCredentials().s3?.useSDKCreds == true)
        #expect(try s3.takingSDKCredentials().s3?.bucket == "b")
        let raw = try ArtifactLocation(document: ["raw": ["data": "x"]])
        #expect(try raw.takingSDKCredentials() == raw)
    }
}
