import Artifacts
import Documents
import KubernetesAPI
import RunDirectory
import SystemSupport
import TestSupport
import Testing
import WorkflowModel

@testable import Executor

/// Keeps objects in memory; refuses the artifacts that a test names.
private final class MemoryStore: DriverRegistry {
    let objects = Monitor<[String: [UInt8]]>([:])
    private let refused: Set<String>

    init(refusing refused: Set<String> = []) { self.refused = refused }

    func driver(for location: ArtifactLocation, artifactName: String, context: DriverContext) -> any ArtifactDriver {
        Driver(store: self, name: artifactName)
    }

    func address(of location: ArtifactLocation, context: DriverContext) -> StoreAddress? { nil }

    private struct Driver: ArtifactDriver {
        let store: MemoryStore
        let name: String
        var subject: String { "memory://\(name)" }
        let needs = DriverNeeds(length: false, path: DriverNeeds.PathNeeds())

        func schedule(for verb: ArtifactVerb) -> RetrySchedule { .once }
        func find() throws -> FoundArtifact { throw ArtifactError.unsupported("saving only") }
        func put(_ content: ObjectContent, at relative: BytePath?) throws { throw ArtifactError.unsupported("paths only") }
        func save(from path: BytePath) throws {
            if store.refused.contains(name) { throw ExecutorError.failed("\(name) is refused") }
            let bytes = try SmallFile.read(path)
            store.objects.update { $0[name] = bytes }
        }
        func delete(after continuation: String?) -> String? { nil }
        func list(after continuation: String?) -> KeyPage { KeyPage(keys: [], next: nil) }
        func isDirectory() -> Bool { false }
    }
}

/// What is collected of a step, and in which order its errors are told (contract 02 §6, 03 §3).
@Suite struct OutputCollectorTests {
    private static let template = """
        {"script": {"image": "x", "source": "x"}, \(archiveLocation), "outputs": {
          "parameters": [{"name": "p", "valueFrom": {"path": "/tmp/p"}}],
          "artifacts": [{"name": "c", "path": "/tmp/c", "archive": {"none": {}}}, {"name": "a", "path": "/tmp/a", "archive": {"none": {}}},
                        {"name": "b", "path": "/tmp/b", "archive": {"none": {}}}]}}
        """

    private func step(_ store: MemoryStore) throws -> StepUnderTest {
        let step = try StepUnderTest(Self.template, ["ARGO_INCLUDE_SCRIPT_OUTPUT": "true"], registry: store)
        for name in ["a", "b", "c"] { try step.handOver(name, name) }
        try step.leave("stdout", "the result\n")
        try step.leave("combined", "the log")
        return step
    }

    private func collect(_ step: StepUnderTest, logsOnly: Bool = false) -> (Outputs, [String]) {
        let failures = Failures(log: .silent)
        let outputs = OutputCollector(step.context).collect(failures, logsOnly: logsOnly)
        return (outputs, failures.all.map { errorText($0) })
    }

    @Test func keepsTheOrderOfTheTemplateAndTheLogsLast() throws {
        let store = MemoryStore()
        let step = try step(store)
        let place = step.directory.parameterHandOver("/tmp/p")
        try AtomicFile.createDirectory(place.directory)
        try SmallFile.write(place, Array("7\n".utf8))
        let (outputs, errors) = collect(step)
        #expect(errors.isEmpty)
        #expect(outputs.result == "the result")
        #expect(outputs.parameters.map(\.value) == ["7"])
        #expect(outputs.artifacts.map(\.name) == ["c", "a", "b", "main-logs"])
        #expect(
            store.objects.current.mapValues { String(decoding: $0, as: UTF8.self) }
                == ["a": "a", "b": "b", "c": "c", "main-logs": "the log"])
    }

    /// Each failure is told, and takes nothing else with it.
    @Test func tellsErrorsInTheContractsOrder() throws {
        let store = MemoryStore(refusing: ["b", "c", "main-logs"])
        let (outputs, errors) = collect(try step(store))
        #expect(outputs.result == "the result")
        #expect(outputs.artifacts.map(\.name) == ["a"])
        #expect(
            errors == [
                "save output parameter 'p': open /tmp/p: no such file or directory",
                "save artifact 'c': c is refused; save artifact 'b': b is refused; ",
                "save the log of container 'main': main-logs is refused",
            ])
    }

    @Test func takesTheLogsAloneOfAStepThatWasNotStarted() throws {
        let (outputs, errors) = collect(try step(MemoryStore()), logsOnly: true)
        #expect(errors.isEmpty)
        #expect(outputs.result == nil)
        #expect(outputs.parameters.map(\.value) == [nil])
        #expect(outputs.artifacts.map(\.name) == ["main-logs"])
    }
}

/// What a sink may answer, and what becomes of it.
@Suite struct TaskResultReporterTests {
    @Test func tellsWhatItWasDoingWhenTheServerRefuses() throws {
        final class Refusing: TaskResultSink {
            func initialize() throws { throw ExecutorError.failed("forbidden") }
            func report(_ result: NodeResult) throws { throw ExecutorError.failed("too large") }
            func finalize(_ result: NodeResult) throws { throw ExecutorError.failed("conflict") }
        }
        let reporter = TaskResultReporter(Refusing(), log: .silent)
        var failures: [String] = []
        func tell(_ body: () throws -> Void) { do { try body() } catch { failures.append(errorText(error)) } }
        tell { try reporter.initialize() }
        tell { try reporter.report(progress: "1/2") }
        tell { try reporter.report(Outputs(), progress: nil) }
        tell { try reporter.finalize() }
        #expect(
            failures == [
                "create the task result: forbidden", "report progress: too large", "report outputs: too large",
                "complete the task result: conflict",
            ])
    }

    @Test func triesAgainWhatIsOnlyAwayAndNothingElseMeanwhile() throws {
        let reports = ReportedResult(isAway: true)
        let log = Lines()
        let reporter = TaskResultReporter(reports, log: log.log)
        var retries = 0
        try reporter.initialize(onRetry: { _ in
            retries += 1
            reports.state.update { $0.isAway = false }
        })
        #expect(retries == 1)
        #expect(reports.state.current.calls == ["create", "create"])
        #expect(log.text.contains("create the task result: trying again"))
        try reporter.finalize(Outputs(result: "r"), progress: "2/2")
        #expect(reports.state.current.isComplete && reports.state.current.outputs?.result == "r")
    }
}
