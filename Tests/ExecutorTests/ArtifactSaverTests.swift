import ArtifactRegistry
import Artifacts
import Foundation
import HTTPTransport
import SystemSupport
import Testing
import WorkflowModel

@testable import Executor

/// Outputs of one step that would be stored under one key.
@Suite struct ArtifactSaverTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "saver-\(UUID().uuidString)")

    private func path(_ name: String) -> BytePath { BytePath(folder.appending(path: name).path) }

    private func saver() throws -> (ArtifactSaver, Template) {
        let template = try Template.load(
            from: Array(
                """
                {"container":{"image":"x","volumeMounts":[{"name":"v","mountPath":"/vol"}]},
                 "archiveLocation":{"s3":{"endpoint":"e","bucket":"b","key":"wf/pod"}},
                 "outputs":{"artifacts":[
                   {"name":"one","path":"/vol/1/out","archive":{"none":{}}},
                   {"name":"two","path":"/vol/2/out","archive":{"none":{}}},
                   {"name":"three","path":"/vol/3/out","archive":{"none":{}},"s3":{"key":"own"}},
                   {"name":"absent","path":"/vol/4/out","archive":{"none":{}},"optional":true}]}}
                """.utf8))
        for name in ["1", "2", "3"] {
            let parent = folder.appending(path: "mirror/vol/\(name)")
            try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
            try Data(name.utf8).write(to: parent.appending(path: "out"))
        }
        var settings = try ExecutorSettings(
            Environment(["ARGO_POD_NAME": "p", "ARGO_DEADLINE": "0001-01-01T00:00:00Z"]))
        settings.paths.mirror = path("mirror")
        settings.paths.runDirectory = path("run")
        let drivers = DriverContext(
            registry: ArtifactDrivers(), clients: HTTPClients(HTTPClientConfiguration()), log: .silent,
            executorBackoff: Backoff(duration: 0, factor: 1, jitter: 0, steps: 1),
            localStore: LocalStore(folder: path("store"), original: template.archiveLocation))
        return (
            ArtifactSaver(StepContext(template: template, settings: settings, drivers: drivers, log: .silent)), template
        )
    }

    @Test func twoOutputsUnderOneKeyAreAnErrorThatNamesBoth() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let (saver, template) = try saver()
        let artifacts = template.outputs.artifacts
        #expect(try saver.save(artifacts[0]) != nil)
        let error = #expect(throws: (any Error).self) { try saver.save(artifacts[1]) }
        let text = error.map { errorText($0) } ?? ""
        #expect(text.contains("'one'") && text.contains("'two'"))
        // The first one is whole, and others are stored beside it.
        #expect(try saver.save(artifacts[2]) != nil)
        #expect(try saver.save(artifacts[3]) == nil)
        let store = folder.appending(path: "store/b")
        #expect(try String(contentsOf: store.appending(path: "wf/pod/out"), encoding: .utf8) == "1")
        #expect(try String(contentsOf: store.appending(path: "own"), encoding: .utf8) == "3")
    }
}
