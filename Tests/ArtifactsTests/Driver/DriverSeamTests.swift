import Artifacts
import FileTrees
import Foundation
import HTTPTransport
import SystemSupport
import TestSupport
import Testing
import WorkflowModel

/// Drivers of other shapes than those of the product: trees that a driver writes by itself, saves from a path.
@Suite struct DriverSeamTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for name in ["target", "spool", "shared"] {
            try FileManager.default.createDirectory(
                at: folder.url.appending(path: name), withIntermediateDirectories: true)
        }
    }

    private func path(_ name: String) -> BytePath { BytePath(folder.url.appending(path: name).path) }

    private func names(_ name: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: path(name).text).sorted()
    }

    private func store(_ driver: OwnDriver) throws -> ArtifactStore {
        let context = DriverContext(
            registry: OwnRegistry(driver: driver), clients: HTTPClients(HTTPClientConfiguration()), log: .silent,
            executorBackoff: Backoff(duration: 1000, factor: 1, jitter: 0, steps: 3), spoolDirectory: path("spool"))
        return try context.store(for: .empty, artifactName: "data")
    }

    // MARK: Trees

    private func load(_ write: @escaping @Sendable (URL, Int) throws -> Void) throws -> TransferRecord {
        let store = try store(OwnDriver(tree: OwnTree(write)))
        guard case .tree(let tree) = try store.find() else { throw StoreFixture.NoObject() }
        return try store.download.tree(tree, at: "tree", in: ContainedDirectory(path("target")))
    }

    @Test func aDriverWritesATreeByItself() throws {
        let record = try load { place, _ in
            try FileManager.default.createDirectory(at: place.appending(path: "a"), withIntermediateDirectories: true)
            try Data("x".utf8).write(to: place.appending(path: "a/b"))
        }
        #expect(try names("target") == ["tree", "tree/a", "tree/a/b"])
        #expect(record.bytes == 7)
        #expect(record.objects == 1)
        #expect(record.retries == 0)
    }

    @Test func aTreeMayBeOneFile() throws {
        _ = try load { place, _ in try Data("x".utf8).write(to: place) }
        #expect(try names("target") == ["tree"])
    }

    @Test func whatAFailedAttemptHasWrittenIsGoneBeforeTheNext() throws {
        let record = try load { place, attempt in
            #expect(!FileManager.default.fileExists(atPath: place.path))
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            if attempt == 1 {
                try Data("half".utf8).write(to: place.appending(path: "half"))
                throw ExecutorError.transient("broken off")
            }
            try Data("whole".utf8).write(to: place.appending(path: "whole"))
        }
        #expect(record.retries == 1)
        #expect(try names("target") == ["tree", "tree/whole"])
    }

    @Test func aTreeThatFailsForGoodLeavesNothing() throws {
        let error = #expect(throws: ExecutorError.self) {
            try load { place, _ in
                try Data("half".utf8).write(to: place)
                throw ExecutorError.failed("no such branch")
            }
        }
        #expect(error?.message == "no such branch")
        #expect(try names("target") == [])
    }

    @Test func onlyFilesAndDirectoriesAreTaken() throws {
        let link = #expect(throws: ArtifactError.self) {
            try load { place, _ in
                try FileManager.default.createSymbolicLink(atPath: place.path, withDestinationPath: "/etc/passwd")
            }
        }
        #expect(link?.code == .invalid)
        #expect(link?.message.hasPrefix("load own://place: what was written is a ") == true)
        #expect(try names("target") == [])
        let nothing = #expect(throws: ArtifactError.self) { try load { _, _ in } }
        #expect(nothing?.message == "load own://place: nothing was written: no such file or directory")
    }

    // MARK: Paths

    private static let byPath = DriverNeeds(length: false, path: DriverNeeds.PathNeeds())

    @Test func filesAndStreamsAreSavedFromAPath() throws {
        let driver = OwnDriver(needs: Self.byPath)
        let store = try store(driver)
        try folder.write(Data("content".utf8), to: "source/file.txt")
        let file = try store.upload.file(at: path("source/file.txt"))
        let stream = try store.upload.stream(PatternSource(patternBytes(300_000)), fileName: "data.tgz")
        #expect(driver.saves.map(\.path.base) == ["file.txt", "data.tgz"])
        #expect(driver.saves.map(\.files) == [["": Array("content".utf8)], ["": patternBytes(300_000)]])
        #expect([file.bytes, stream.bytes] == [7, 300_000])
        // It was a copy of the driver's own, and is gone.
        #expect(driver.saves.allSatisfy { $0.path.text.hasPrefix(path("spool").text) })
        #expect(try names("spool") == [])
    }

    @Test func aDirectoryIsSavedAsAWhole() throws {
        let driver = OwnDriver(needs: Self.byPath)
        for name in ["a", "b/c"] { try folder.write(Data(name.utf8), to: "source/\(name)") }
        let record = try store(driver).upload.directory(at: path("source"))
        #expect(driver.saves.map(\.path.base) == ["source"])
        #expect(driver.saves.map(\.files) == [["a": [0x61], "b/c": Array("b/c".utf8)]])
        #expect(record.bytes == 4)
        #expect(try names("spool") == [])
        #expect(try names("source") == ["a", "b", "b/c"])
    }

    @Test func thePathLiesWhereTheDriverAsksForIt() throws {
        let driver = OwnDriver(needs: DriverNeeds(length: false, path: DriverNeeds.PathNeeds(in: path("shared"))))
        try store(driver).upload.stream(MemorySource([1]), fileName: "x")
        #expect(driver.saves.allSatisfy { $0.path.text.hasPrefix(path("shared").text) })
        #expect(try names("shared") == [])
    }

    @Test func aSaveThatFailedIsTriedAgainFromTheSamePath() throws {
        let driver = OwnDriver(needs: Self.byPath, failures: 2)
        let record = try store(driver).upload.stream(MemorySource([1, 2]), fileName: "x")
        #expect(record.retries == 2)
        #expect(Set(driver.saves.map(\.path)).count == 1)
        #expect(driver.saves.map(\.files) == Array(repeating: ["": [1, 2]], count: 3))
        let broken = OwnDriver(needs: Self.byPath, failures: 3)
        #expect(throws: ArtifactError.self) { try store(broken).upload.stream(MemorySource([1]), fileName: "x") }
        #expect(try names("spool") == [])
    }

    @Test func aStreamThatFailsIsNotSaved() throws {
        struct Broken: Error {}
        let driver = OwnDriver(needs: Self.byPath)
        #expect(throws: Broken.self) {
            try store(driver).upload.stream(PatternSource(patternBytes(1000), failsAtEnd: Broken()), fileName: "x")
        }
        #expect(driver.saves.isEmpty)
        #expect(try names("spool") == [])
    }

    /// What the suite asks of objects holds for a driver that brings trees and saves from paths.
    @Test(arguments: Conformance.all) func passesTheSuiteForObjects(check: Conformance) throws {
        let kind = StoreUnderTest.plugin
        guard check.needs.isSubset(of: kind.offers) else { return }
        try check.body(StoreFixture(kind))
    }

    // MARK: What drivers share

    @Test func remembersByTypeAndKey() {
        struct One: StoreMemoryKey {
            typealias Value = String
            let name: String
        }
        struct Other: StoreMemoryKey {
            typealias Value = String
            let name: String
        }
        let memory = StoreMemory()
        #expect(memory.value(for: One(name: "a")) { "first" } == "first")
        #expect(memory.value(for: One(name: "a")) { "second" } == "first")
        #expect(memory.value(for: One(name: "b")) { "third" } == "third")
        #expect(memory.value(for: Other(name: "a")) { "fourth" } == "fourth")
    }

    @Test func eachCloudReadsItsOwnPartOfTheEnvironment() {
        struct Home: CloudSettings {
            var path: String
            init(_ environment: Environment) { path = environment.nonEmpty(.home) ?? "none" }
        }
        struct Region: CloudSettings {
            var name: String?
            init(_ environment: Environment) { name = environment.nonEmpty(.awsRegion) }
        }
        var clouds = CloudEnvironment(Environment(["HOME": "/h", "AWS_REGION": "eu"]))
        #expect(clouds[Home.self].path == "/h")
        #expect(clouds[Region.self].name == "eu")
        clouds[Region.self].name = "us"
        #expect(clouds[Region.self].name == "us")
        #expect(clouds[Home.self].path == "/h")
        #expect(CloudEnvironment()[Home.self].path == "none")
    }
}
