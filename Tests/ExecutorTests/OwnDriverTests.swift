import Archiving
import Artifacts
import Documents
import FileTrees
import Foundation
import HTTPTransport
import SystemSupport
import TestSupport
import Testing
import WorkflowModel

@testable import Executor

/// Drivers that bring trees by themselves and save from a path, between a step and its store.
@Suite struct OwnDriverTests {
    /// Brings what a test writes, and keeps the names and contents of what it saves.
    private final class Driver: ArtifactDriver, DriverRegistry, StoredTree {
        let subject = "own://place"
        let needs = DriverNeeds(length: false, path: DriverNeeds.PathNeeds())
        let saved = Monitor<[String: [UInt8]]>([:])
        private let bring: @Sendable (URL) throws -> Void

        init(_ bring: @escaping @Sendable (URL) throws -> Void = { _ in }) { self.bring = bring }

        func schedule(for verb: ArtifactVerb) -> RetrySchedule { .once }
        func find() -> FoundArtifact { .tree(self) }

        func write(to name: BytePath, in directory: ContainedDirectory, moved: @escaping @Sendable (Int64) -> Void) throws {
            try bring(URL(filePath: directory.path.appending(name).text))
        }

        func save(from path: BytePath) throws {
            let bytes = (try? Data(contentsOf: URL(filePath: path.text))).map(Array.init)
            let names = try? FileManager.default.subpathsOfDirectory(atPath: path.text).sorted().joined(separator: " ")
            saved.update { $0[path.base.text] = bytes ?? names.map { Array($0.utf8) } ?? [] }
        }

        func put(_ content: ObjectContent, at relative: BytePath?) throws { throw ArtifactError.unsupported("paths only") }
        func delete(after continuation: String?) -> String? { nil }
        func list(after continuation: String?) -> KeyPage { KeyPage(keys: [], next: nil) }
        func isDirectory() -> Bool { false }

        func driver(for location: ArtifactLocation, artifactName: String, context: DriverContext) -> any ArtifactDriver { self }
        func address(of location: ArtifactLocation, context: DriverContext) -> StoreAddress? { nil }
    }

    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for name in ["mirror/vol", "spool"] {
            try FileManager.default.createDirectory(
                at: folder.url.appending(path: name), withIntermediateDirectories: true)
        }
    }

    private func path(_ name: String) -> BytePath { BytePath(folder.url.appending(path: name).path) }

    private func names(_ name: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: path(name).text).sorted()
    }

    private func drivers(_ driver: Driver) -> DriverContext {
        DriverContext(
            registry: driver, clients: HTTPClients(HTTPClientConfiguration()), log: .silent,
            executorBackoff: Backoff(duration: 0, factor: 1, jitter: 0, steps: 1), spoolDirectory: path("spool"))
    }

    private static let place: JSONValue = ["name": "own", "configuration": "c", "key": "k"]

    private static func strategy(_ name: String) -> JSONValue {
        let empty: JSONValue = [:]
        return .object(JSONObject([(name, empty)]))
    }

    // MARK: Loading

    private func load(archive: JSONValue?, _ bring: @escaping @Sendable (URL) throws -> Void) throws {
        var artifact: JSONValue = ["name": "data", "path": "/vol/in", "plugin": Self.place]
        if let archive { artifact["archive"] = archive }
        let document: JSONValue = [
            "container": ["image": "x", "volumeMounts": [["name": "v", "mountPath": "/vol"]]],
            "inputs": ["artifacts": [artifact]],
        ]
        let template = try Template.load(from: document.serialized())
        var paths = ExecutorPaths()
        paths.mirror = path("mirror")
        let plan = try #require(try InputPlan(template.inputArtifacts[0], index: 0, template: template, paths: paths))
        try ArtifactLoader(drivers: drivers(Driver(bring)), unpacking: UnpackOptions(), log: .silent).load(plan)
    }

    private static func checkout(_ place: URL) throws {
        try FileManager.default.createDirectory(at: place.appending(path: ".git"), withIntermediateDirectories: true)
        try Data("x".utf8).write(to: place.appending(path: "README"))
    }

    @Test(arguments: ["none", "nothing"]) func aTreeBecomesTheArtifact(strategy: String) throws {
        try load(archive: strategy == "none" ? ["none": [:]] : nil, Self.checkout)
        #expect(try names("mirror/vol") == ["in", "in/.git", "in/README"])
    }

    @Test(arguments: ["tar", "zip"]) func aTreeIsNoArchive(strategy: String) throws {
        let error = #expect(throws: ExecutorError.self) {
            try load(archive: Self.strategy(strategy), Self.checkout)
        }
        #expect(error?.message == "load artifact 'data': unpack: it is a directory in its store, not an archive")
        #expect(try names("mirror/vol") == [])
    }

    /// A file that a driver brings is what an object would be.
    @Test(arguments: ["none", "nothing", "tar", "zip"]) func aFileIsUnpackedLikeAnObject(strategy: String) throws {
        for name in ["a", "b"] { try folder.write(Data(name.utf8), to: "tree/\(name)") }
        let sink = MemorySink()
        if strategy == "zip" {
            try Zip.pack(path("tree"), into: sink, options: PackOptions(threads: 1, userNames: .none))
        } else {
            try TarGzip.pack(path("tree"), into: sink, options: PackOptions(threads: 1, userNames: .none))
        }
        let bytes = Data(sink.bytes)
        try load(archive: strategy == "nothing" ? nil : Self.strategy(strategy)) { try bytes.write(to: $0) }
        #expect(try names("mirror/vol") == (strategy == "none" ? ["in"] : ["in", "in/a", "in/b"]))
    }

    @Test func aPlainFileStaysWhatItIs() throws {
        try load(archive: nil) { try Data("plain".utf8).write(to: $0) }
        #expect(try String(contentsOf: folder.url.appending(path: "mirror/vol/in"), encoding: .utf8) == "plain")
    }

    @Test func aTreeThatCannotBeWrittenLeavesNothing() throws {
        let error = #expect(throws: ExecutorError.self) {
            try load(archive: nil) { place in
                try Self.checkout(place)
                throw ExecutorError.failed("reference not found")
            }
        }
        #expect(error?.message == "load artifact 'data': reference not found")
        #expect(error?.isNotFound == false)
        #expect(try names("mirror/vol") == [])
    }

    // MARK: Saving

    @Test func outputsAreSavedFromPaths() throws {
        let document: JSONValue = [
            "container": ["image": "x", "volumeMounts": [["name": "v", "mountPath": "/vol"]]],
            "outputs": [
                "artifacts": [
                    ["name": "file", "path": "/vol/file", "archive": ["none": [:]], "plugin": Self.place],
                    ["name": "tree", "path": "/vol/tree", "archive": ["none": [:]], "plugin": Self.place],
                    ["name": "packed", "path": "/vol/file", "plugin": Self.place],
                ]
            ],
        ]
        try folder.write(Data("content".utf8), to: "mirror/vol/file")
        for name in ["a", "b/c"] { try folder.write(Data(name.utf8), to: "mirror/vol/tree/\(name)") }
        let template = try Template.load(from: document.serialized())
        var settings = try ExecutorSettings(Environment(["ARGO_POD_NAME": "p", "ARGO_DEADLINE": "0001-01-01T00:00:00Z"]))
        settings.paths.mirror = path("mirror")
        settings.paths.runDirectory = path("run")
        let driver = Driver()
        let saver = ArtifactSaver(
            StepContext(template: template, settings: settings, drivers: drivers(driver), log: .silent))
        for artifact in template.outputs.artifacts { #expect(try saver.save(artifact) != nil) }
        let saved = driver.saved.current
        #expect(saved["file"] == Array("content".utf8))
        #expect(saved["tree"] == Array("a b b/c".utf8))
        #expect(saved["packed.tgz"]?.starts(with: [0x1F, 0x8B]) == true)
        #expect(saved.count == 3)
        #expect(try names("spool") == [])
    }
}
