import Documents
import Foundation
import PodBuilding
import PodSandbox
import ProcessControl
import SystemSupport
import TestSupport
import Testing
import WorkflowModel

@testable import LocalRunner

@Suite struct RepositoryTests {
    private func read(_ text: String, key: String? = nil) throws -> ArtifactRepository {
        let folder = try TemporaryFolder()
        try folder.write(Data(text.utf8), to: "repository.yaml")
        return try ArtifactRepository.read(BytePath(folder.url.path + "/repository.yaml"), key: key)
    }

    private func failure(_ text: String, key: String? = nil) -> String {
        do { _ = try read(text, key: key) } catch { return errorText(error) }
        return "none"
    }

    private let map = """
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: artifact-repositories
          annotations:
            workflows.argoproj.io/default-artifact-repository: first
        data:
          first: |
            archiveLogs: true
            s3: {bucket: one, endpoint: "store:9000", keyFormat: "a/{{workflow.name}}"}
          second: |
            gcs: {bucket: two}
        """

    @Test func readsTheDefaultOfAConfigMap() throws {
        let repository = try read(map)
        #expect(repository.archiveLogs == true)
        #expect(repository.location.s3?.bucket == "one")
        #expect(repository.location.s3?.key == "a/{{workflow.name}}")
        #expect(repository.location.document["s3"]?["keyFormat"] == nil)
    }

    @Test func readsANamedRepositoryWithTheUsualKey() throws {
        let repository = try read(map, key: "second")
        #expect(repository.archiveLogs == nil)
        #expect(repository.location.gcs?.bucket == "two")
        #expect(repository.location.gcs?.key == "{{workflow.name}}/{{pod.name}}")
    }

    @Test func readsTheControllersOwnConfiguration() throws {
        let repository = try read(
            """
            kind: ConfigMap
            data:
              artifactRepository: |
                azure: {endpoint: "https://a", container: c, blobNameFormat: "x/{{pod.name}}"}
              executor: "{}"
            """)
        #expect(repository.location.azure?.blob == "x/{{pod.name}}")
    }

    @Test(arguments: [
        ("s3: {bucket: b, endpoint: e, keyPrefix: old}", "old/{{workflow.name}}/{{pod.name}}"),
        ("oss: {bucket: b, endpoint: e}", "{{workflow.name}}/{{pod.name}}"),
        ("hdfs: {addresses: [h], pathFormat: /x}", "/x"),
        ("plugin: {name: p, configuration: c, keyFormat: k}", "k"),
    ])
    func readsOneAlone(text: String, key: String) throws { #expect(try read(text).location.key() == key) }

    @Test func joinsAnArtifactorysAddressAndKey() throws {
        #expect(
            try read("artifactory: {repoURL: 'http://a/repo', keyFormat: 'k'}").location.artifactory?.url == "http://a/repo/k")
    }

    @Test func saysWhatIsNoRepository() {
        #expect(failure("s3: {bucket: b}\ngcs: {bucket: c}").hasSuffix("expected one store, found s3, gcs"))
        #expect(failure("archiveLogs: true").hasSuffix("expected one store, found none"))
        #expect(failure("git: {repo: r}").hasSuffix("git cannot be a repository"))
        #expect(failure("s3: {bucket: b}\nextra: 1").hasSuffix("unknown field 'extra'"))
        #expect(failure(map, key: "third").hasSuffix("the config map has no repository 'third'"))
        #expect(failure("kind: ConfigMap\ndata: {a: 'x: 1', b: 'y: 2'}").hasSuffix("names no default: a, b"))
        #expect(failure("a: [").contains("repository.yaml:1:5: "))
    }

    @Test func takesKeysFromTheEnvironmentWhereNoFolderHasThem() throws {
        let folder = try TemporaryFolder()
        try folder.write(Data("from the folder".utf8), to: "cred/secret")
        let objects = ObjectFolders(secrets: BytePath(folder.url.path))
        let location = try read(
            """
            s3:
              bucket: b
              endpoint: e
              accessKeySecret: {name: cred, key: access}
              secretKeySecret: {name: cred, key: secret}
            """
        ).location
        let access = RepositoryAccess(environment: ProcessEnvironment(["AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY=other"]))
        let found = access.secrets(for: location, besides: objects)
        #expect(found == ["cred": ["access": Secret("id")]])
        var both = objects
        both.more = found
        #expect(try both.keys(of: .secret, "cred") == ["secret", "access"])
        #expect(try both.value(of: .secret, "cred", key: "access") == Array("id".utf8))
        #expect(try both.value(of: .secret, "cred", key: "secret") == Array("from the folder".utf8))
    }

    @Test func handsOnWhatStoresReadAndNothingElse() throws {
        let folder = try TemporaryFolder()
        try folder.write(Data("[default]".utf8), to: ".aws/credentials")
        let access = RepositoryAccess(
            environment: ProcessEnvironment([
                "AWS_REGION=eu", "SECRET_OF_MINE=x", "https_proxy=http://p", BytePath("HOME=\(folder.url.path)"),
                "GOOGLE_APPLICATION_CREDENTIALS=/no/such/file",
            ]))
        let attachment = access.attachment
        #expect(attachment.environment.map(\.name) == ["AWS_REGION", "https_proxy", "AWS_SHARED_CREDENTIALS_FILE"])
        #expect(attachment.environment.last?.value == "/.argoexec/credentials/AWS_SHARED_CREDENTIALS_FILE")
        #expect(attachment.mounts.map(\.isReadOnly) == [true])
    }
}
