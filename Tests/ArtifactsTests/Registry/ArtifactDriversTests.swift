import ArtifactRegistry
import Documents
import Foundation
import HTTPTransport
import SystemSupport
import TestSupport
import Testing
import WorkflowModel

@testable import Artifacts
@testable import LocalStoreArtifacts
@testable import RawArtifacts
@testable import S3Artifacts

@Suite struct ArtifactDriversTests {
    private let folder: TemporaryFolder
    init() throws {
        folder = try TemporaryFolder()
        for name in ["access", "secret", "ca"] { try folder.write(Data("\(name)-value".utf8), to: "keys/\(name)") }
    }

    private func context(localStore: BytePath? = nil) -> DriverContext {
        DriverContext(
            registry: ArtifactDrivers(), clients: HTTPClients(HTTPClientConfiguration()), log: .silent,
            executorBackoff: Backoff(duration: 0, factor: 1, jitter: 0, steps: 1),
            secretsDirectory: BytePath(folder.url.path), localStore: localStore.map { LocalStore(folder: $0) })
    }

    private func driver(_ location: JSONValue, localStore: BytePath? = nil) throws -> any ArtifactDriver {
        try context(localStore: localStore).driver(for: ArtifactLocation(document: location), artifactName: "data")
    }

    private func s3(_ more: JSONValue = [:]) -> JSONValue {
        var s3: JSONValue = [
            "endpoint": "minio:9000", "bucket": "bkt", "key": "a/b", "accessKeySecret": ["name": "keys", "key": "access"],
            "secretKeySecret": ["name": "keys", "key": "secret"],
        ]
        for member in more.object?.members ?? [] { s3[member.name] = member.value.isNull ? nil : member.value }
        return ["s3": s3]
    }

    @Test func makesTheDriverOfTheLocation() throws {
        #expect(try driver(s3()) is S3Driver)
        #expect(try driver(s3()).subject == "s3://bkt/a/b")
        #expect(try driver(["raw": ["data": "x"]]) is RawDriver)
    }

    @Test(arguments: ["hdfs"]) func refusesOthersByTheArtifactsName(kind: String) throws {
        let error = #expect(throws: ArtifactError.self) { try driver([kind: [:]]) }
        #expect(error?.message == "Unsupported artifact driver for data")
        #expect(throws: ArtifactError.self) { try driver([:]) }
    }

    @Test func namesTheFieldThatIsNotServed() throws {
        for (fields, name) in [
            (["secretKeySecret": .null], "secretKeySecret"),
            (
                ["encryptionOptions": ["kmsKeyId": "k", "serverSideCustomerKeySecret": ["name": "keys", "key": "ca"]]],
                "kmsKeyId"
            ),
        ] as [(JSONValue, String)] {
            let error = #expect(throws: ArtifactError.self) { try driver(s3(fields)) }
            #expect(error?.message.contains(name) == true, "\(name): \(error?.message ?? "")")
        }
        // Options that are not switched on ask for nothing.
        #expect(throws: Never.self) { try driver(s3(["encryptionOptions": ["enableEncryption": false]])) }
    }

    @Test func namesTheSecretThatIsNotThere() throws {
        let error = #expect(throws: SystemError.self) {
            try driver(s3(["secretKeySecret": ["name": "keys", "key": "nothing"]]))
        }
        #expect(error?.message.hasSuffix("keys/nothing: no such file or directory") == true)
        // The authority counts with TLS only.
        let authority: JSONValue = ["caSecret": ["name": "keys", "key": "none"]]
        #expect(throws: SystemError.self) { try driver(s3(authority)) }
        var plain = authority
        plain["insecure"] = true
        #expect(throws: Never.self) { try driver(s3(plain)) }
    }

    @Test func sharesOneClientForEachWayOfTrustingAndOfShowingWhoWeAre() throws {
        let clients = HTTPClients(HTTPClientConfiguration())
        #expect(clients.client() === clients.client())
        let own = clients.client(trusting: .certificates([1]))
        #expect(own !== clients.client())
        #expect(own === clients.client(trusting: .certificates([1])))
        #expect(own !== clients.client(trusting: .certificates([2])))
        let certificate = HTTPClients.ClientCertificate(certificate: Secret("c"), key: Secret("k"))
        let other = HTTPClients.ClientCertificate(certificate: Secret("c"), key: Secret("other"))
        #expect(clients.client(presenting: certificate) !== clients.client())
        #expect(clients.client(presenting: certificate) === clients.client(presenting: certificate))
        #expect(clients.client(presenting: certificate) !== clients.client(presenting: other))
        #expect(
            clients.client(presenting: certificate) !== clients.client(trusting: .certificates([1]), presenting: certificate))
    }

    @Test func theLocalStoreStandsInForBuckets() throws {
        let store = BytePath(folder.url.appending(path: "store").path)
        for location in [
            s3(["accessKeySecret": .null]), ["gcs": ["bucket": "bkt", "key": "a/b"]],
            ["azure": ["endpoint": "e", "container": "bkt", "blob": "a/b"]],
            ["oss": ["endpoint": "e", "bucket": "bkt", "key": "a/b"]],
        ] as [JSONValue] {
            #expect(try driver(location, localStore: store).subject == "\(store)/bkt/a/b")
        }
        #expect(try driver(["raw": ["data": "x"]], localStore: store) is RawDriver)
    }

    @Test func theLocalStoreOfATemplateLeavesOtherStoresAlone() throws {
        func s3(_ endpoint: String, _ bucket: String) -> JSONValue {
            ["s3": ["endpoint": .string(endpoint), "bucket": .string(bucket), "key": "k", "insecure": true]]
        }
        var context = context()
        let store = BytePath(folder.url.appending(path: "store").path)
        context.localStore = LocalStore(folder: store, original: try ArtifactLocation(document: s3("home", "bkt")))
        func isLocal(_ location: JSONValue) throws -> Bool {
            let location = try ArtifactLocation(document: location)
            return try context.driver(for: location, artifactName: "data") is LocalStoreDriver
        }
        #expect(try isLocal(s3("home", "bkt")))
        #expect(try !isLocal(s3("elsewhere", "bkt")))
        #expect(try !isLocal(s3("home", "other")))
        #expect(try !isLocal(["raw": ["data": "x"]]))
        context.localStore = LocalStore(folder: store, original: .empty)
        #expect(try !isLocal(s3("home", "bkt")))
    }
}

@Suite struct RawDriverTests {
    private let store = ArtifactStore(
        driver: RawDriver(data: "häl\nlo"),
        context: DriverContext(
            registry: ArtifactDrivers(), clients: HTTPClients(HTTPClientConfiguration()), log: .silent,
            executorBackoff: Backoff(duration: 0, factor: 1, jitter: 0, steps: 1)))

    @Test func givesItsDataByteForByte() throws {
        guard case .object(let object) = try store.find() else {
            Issue.record("no object")
            return
        }
        let sink = MemorySink()
        let record = try store.download.stream(object, into: sink)
        #expect(sink.bytes == Array("häl\nlo".utf8))
        #expect(record.bytes == 7)
        #expect(try !store.isDirectory())
    }

    @Test func canOnlyBeLoaded() {
        for attempt in [
            { try store.delete() }, { _ = try store.list() },
            { _ = try store.upload.stream(MemorySource([1]), fileName: "x") },
        ] as [() throws -> Void] {
            let error = #expect(throws: ArtifactError.self) { try attempt() }
            #expect(error?.code == .unsupported)
            #expect(error?.message.hasPrefix("raw artifacts cannot be ") == true)
        }
    }
}
