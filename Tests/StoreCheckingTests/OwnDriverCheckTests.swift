import Artifacts
import Documents
import FileTrees
import Foundation
import HTTPTransport
import SystemSupport
import TestSupport
import Testing
import WorkflowModel

@testable import StoreChecking

/// `check` asks drivers what they can do: it has no list of them.
@Suite struct OwnDriverCheckTests {
    /// Keeps one file by its key: saved from a path, brought as a tree.
    private final class Driver: ArtifactDriver, DriverRegistry, StoredTree {
        let subject = "own://place"
        let needs = DriverNeeds(length: false, path: DriverNeeds.PathNeeds())
        let canDelete: Bool
        let kept = Monitor<[UInt8]?>(nil)
        let calls = Monitor<[String]>([])
        private let location = Monitor("")

        init(canDelete: Bool) { self.canDelete = canDelete }

        func schedule(for verb: ArtifactVerb) -> RetrySchedule { .once }

        func find() throws -> FoundArtifact {
            calls.update { $0.append("find") }
            guard kept.current != nil else { throw ArtifactError.notFound("find", subject, "nothing") }
            return .tree(self)
        }

        func write(to name: BytePath, in directory: ContainedDirectory, moved: @escaping @Sendable (Int64) -> Void) throws {
            try Data(kept.current ?? []).write(to: URL(filePath: directory.path.appending(name).text))
        }

        func save(from path: BytePath) throws {
            calls.update { $0.append("save") }
            let bytes = Array(try Data(contentsOf: URL(filePath: path.text)))
            kept.update { $0 = bytes }
        }

        func put(_ content: ObjectContent, at relative: BytePath?) throws { throw ArtifactError.unsupported("paths only") }

        func delete(after continuation: String?) -> String? {
            calls.update { $0.append("delete") }
            kept.update { $0 = nil }
            return nil
        }

        func list(after continuation: String?) -> KeyPage {
            KeyPage(keys: kept.current == nil ? [] : [location.current + "/probe"], next: nil)
        }
        func isDirectory() -> Bool { false }

        func driver(
            for location: ArtifactLocation, artifactName: String, context: DriverContext
        ) throws -> any ArtifactDriver {
            let key = try location.key()
            self.location.update { $0 = key }
            return self
        }
        func address(of location: ArtifactLocation, context: DriverContext) -> StoreAddress? { nil }
    }

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func check(_ driver: Driver) throws -> CheckReport {
        let template: JSONValue = [
            "container": ["image": "x"],
            "archiveLocation": ["plugin": ["name": "own", "configuration": "c", "key": "a/{{workflow.name}}"]],
        ]
        try folder.write(Data(template.serialized()), to: "template.json")
        let spool = BytePath(folder.url.path)
        return try StoreCheck(spool.appending("template.json"), key: nil, secrets: nil) { secrets in
            DriverContext(
                registry: driver, clients: HTTPClients(HTTPClientConfiguration()), log: .silent,
                executorBackoff: Backoff(duration: 0, factor: 1, jitter: 0, steps: 1), secretsDirectory: secrets,
                spoolDirectory: spool)
        }.run()
    }

    private func marks(_ report: CheckReport) -> String {
        let signs: [CheckStep.State: String] = [.ok: "", .failed: "!", .skipped: "-"]
        return report.steps.map { $0.name.rawValue + (signs[$0.state] ?? "") }.joined(separator: " ")
    }

    @Test func aDriverOfAnotherShapePasses() throws {
        let driver = Driver(canDelete: true)
        let report = try check(driver)
        #expect(marks(report) == "configuration credentials put get list delete", "\(report.text)")
        #expect(driver.kept.current == nil)
        #expect(driver.calls.current.contains("delete"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["template.json"])
    }

    @Test func nothingIsPutWhereTheDriverCannotDelete() throws {
        let driver = Driver(canDelete: false)
        let report = try check(driver)
        #expect(marks(report) == "configuration credentials put- get- list- delete-", "\(report.text)")
        #expect(driver.calls.current == ["find"])
    }
}
