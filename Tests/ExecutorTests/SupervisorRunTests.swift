import ArtifactRegistry
import Artifacts
import Foundation
import ProcessControl
import RunDirectory
import SystemSupport
import TestSupport
import Testing
import WorkflowModel

@testable import Executor
@testable import HTTPTransport
@testable import KubernetesAPI

/// A pod's folder in which a supervisor runs, and what stands in for the rest of the pod.
private final class SupervisedStep: Sendable {
    let folder: TemporaryFolder
    let directory: RunDirectory
    let settings: ExecutorSettings
    let template: Template
    let reports = RecordedReports()

    init(_ template: String, script: String = "script") throws {
        folder = try TemporaryFolder()
        directory = RunDirectory(root: BytePath(folder.url.appending(path: "run").path))
        try AtomicFile.createDirectory(directory.root)
        var settings = try ExecutorSettings(Environment(podVariables.merging(["ARGO_INITLESS_POD": "true"]) { $1 }))
        settings.paths.runDirectory = directory.root
        settings.paths.inputArtifacts = BytePath(folder.url.appending(path: "inputs").path)
        settings.paths.script = BytePath(folder.url.appending(path: script).path)
        settings.paths.mirror = BytePath(folder.url.appending(path: "mirror").path)
        settings.paths.terminationLog = BytePath(folder.url.appending(path: "termination").path)
        self.settings = settings
        self.template = try Template.load(from: Array(template.utf8))
    }

    private func drivers() -> DriverContext {
        DriverContext(
            registry: ArtifactDrivers(), clients: HTTPClients(HTTPClientConfiguration()), log: .silent,
            executorBackoff: settings.backoff)
    }

    /// Runs a supervisor to its end; `main` ends by itself once the marker tells it how.
    func run(environment: [String: String] = [:]) -> (any Error)? {
        do {
            try WorkerThread { [self] in
                var reader = StatusReader(directory)
                while case .wait = reader.look() { sleepNanoseconds(5_000_000) }
                for name in template.mainContainerNames {
                    let container = directory.container(name)
                    try? container.create()
                    try? container.writeExitCode(reader.look() == .ready ? 0 : 65)
                }
            }.detach()
            try SupervisorRun(
                StepContext(template: template, settings: settings, drivers: drivers(), log: .silent),
                templateText: Array(template.document.serializedText().utf8), environment: Environment(environment),
                loading: { self.drivers() }, sink: reports
            ).run(signals: try SignalDescriptor([]))
            return nil
        } catch { return error }
    }

    var marker: StatusMarker? { (try? SmallFile.read(directory.status)).map { StatusMarker($0) } }

    func text(_ path: String) -> String? {
        try? String(contentsOf: folder.url.appending(path: path), encoding: .utf8)
    }
}

/// Keeps the order of calls; the API server forbids or hides itself where it is told to.
private final class RecordedReports: TaskResultSink {
    struct State: Sendable {
        var status = 0
        var calls: [String] = []
        var isHeld = false
    }

    let state = Monitor(State())

    private func call(_ name: String) throws {
        let status = state.wait { state -> Int? in
            if state.isHeld { return nil }
            state.calls.append(name)
            return state.status
        }
        if status != 0 { throw try refusal(status) }
    }

    func initialize() throws { try call("create") }
    func report(_ result: NodeResult) throws { try call("report") }
    func finalize(_ result: NodeResult) throws { try call(result.outputs == nil ? "complete" : "finalize") }
}

/// What the API server's answer becomes.
private func refusal(_ status: Int) throws -> APIError {
    let reason = status == 403 ? "Forbidden" : "Other"
    let text = #"{"kind":"Status","code":\#(status),"reason":"\#(reason)","message":"workflowtaskresults is forbidden"}"#
    let answer = HTTPResponse(
        status: status, headers: HTTPHeaders(), body: Array(text.utf8), bytesReceived: 0,
        url: try HTTPURL("http://127.0.0.1/"))
    let call = APICall(
        method: "POST", verb: "create", path: ResourcePath(.taskResults), namespace: "argo",
        answer: .object("WorkflowTaskResult"))
    return APIError.refusal(answer, of: call, with: ClusterCredential(), isTransientText: { _ in false })
}

private func artifacts(_ inputs: String, container: String = #"{"image": "x"}"#) -> String {
    #"{"name": "t", "container": \#(container), "inputs": {"artifacts": [\#(inputs)]}}"#
}

@Suite struct SupervisorRunTests {
    @Test func putsEverythingInPlaceBeforeMainMayStart() throws {
        let step = try SupervisedStep(
            #"{"name": "t", "script": {"image": "x", "source": "echo 1"}, "unknown": 1, "inputs": {"artifacts": [{"name": "a", "path": "/a", "raw": {"data": "content"}}]}}"#
        )
        #expect(step.run(environment: ["ARGOEXEC_FAITHFUL_TREES": "true"]) == nil)
        #expect(step.marker == .ready)
        #expect(step.text("inputs/a") == "content")
        #expect(step.text("script") == "echo 1")
        #expect(step.text("run/template")?.contains(#""unknown":1"#) == true)
        #expect(SettingsFile.read(in: step.directory) == ["ARGOEXEC_FAITHFUL_TREES": "true"])
        #expect(step.reports.state.current.calls == ["create", "finalize"])
    }

    @Test(arguments: [
        (#"{"name": "a", "path": "/a"}"#, "failed to load non-plugin input artifacts: required artifact 'a' not supplied"),
        (
            #"{"name": "a", "path": "/a", "plugin": {"name": "..", "key": "k", "configuration": "c"}}"#,
            "failed to load input artifacts from plugin \"..\": load artifact 'a': load plugin://../k: \"..\" is no name of a plugin"
        ),
    ])
    func tellsWhyMainMustNotStart(_ input: String, _ text: String) throws {
        let step = try SupervisedStep(artifacts(input))
        #expect(step.run().map { errorText($0) } == text)
        #expect(step.marker == .failed(text))
        #expect(step.reports.state.current.calls.last == "finalize")
    }

    @Test func failsWithTheContractsWordsWhereTheScriptCannotBeStaged() throws {
        let step = try SupervisedStep(#"{"name": "t", "script": {"image": "x", "source": "echo 1"}}"#, script: "none/script")
        let text = try #require(step.run().map { errorText($0) })
        #expect(text.hasPrefix("failed to stage files: "))
        #expect(step.marker == .failed(text))
    }

    @Test func failsWhereNoMarkerCanBeWritten() throws {
        let step = try SupervisedStep(artifacts(""))
        try FileManager.default.removeItem(atPath: step.directory.root.text)
        try step.folder.write(Data(), to: "run")
        let error = try #require(step.run())
        #expect(errorText(error).contains("/run"))
        #expect(step.reports.state.current.calls.last == "finalize")
    }

    /// A step that cannot be reported shall not begin: its work would be lost.
    @Test func aForbiddenTaskResultKeepsMainFromStarting() throws {
        let step = try SupervisedStep(artifacts(#"{"name": "a", "path": "/a", "raw": {"data": "x"}}"#))
        step.reports.state.update { $0.status = 403 }
        let text = try #require(step.run().map { errorText($0) })
        #expect(text.hasPrefix("create the task result: workflowtaskresults is forbidden"))
        #expect(step.marker == .failed(text))
    }

    /// Anything else may go away, or concerns the reports alone.
    @Test(arguments: [404, 422, 500])
    func otherRefusalsLetMainStart(_ status: Int) throws {
        let step = try SupervisedStep(artifacts(""))
        step.reports.state.update { $0.status = status }
        #expect(step.run() != nil)
        #expect(step.marker == .ready)
    }

    @Test func mainStartsWhileTheAPIServerIsSilent() throws {
        let step = try SupervisedStep(artifacts(""))
        step.reports.state.update { $0.isHeld = true }
        let ended = Monitor(false)
        try WorkerThread {
            _ = step.run()
            ended.update { $0 = true }
        }.detach()
        try eventually("main may start") { step.marker == .ready }
        #expect(!ended.current)
        step.reports.state.update { $0.isHeld = false }
        let isOver = ended.wait(atMost: 60_000_000_000) { $0 ? true : nil } ?? false
        #expect(isOver)
        #expect(step.reports.state.current.calls == ["create", "finalize"])
    }

    @Test func goesOnAfterAnEarlierSupervisorOfThePod() throws {
        let step = try SupervisedStep(artifacts(#"{"name": "a", "path": "/a", "raw": {"data": "x"}}"#))
        #expect(step.run() == nil)
        try FileManager.default.removeItem(atPath: step.settings.paths.inputArtifacts.appending("a").text)
        #expect(step.run() == nil)
        // Main has begun with what was there: nothing is loaded anew beneath it.
        #expect(step.text("inputs/a") == nil)
        try StatusMarker.failed("failed to load").write(in: step.directory)
        #expect(step.run().map { errorText($0) } == "failed to load")
        try StatusMarker.running.write(in: step.directory)
        #expect(step.run() == nil)
        #expect(step.text("inputs/a") == "x")
    }

    /// Only a supervisor's own word counts, not that of an init container of the user's.
    @Test func aMarkerOfSomebodyElseIsReplaced() throws {
        let step = try SupervisedStep(artifacts(#"{"name": "a", "path": "/a", "raw": {"data": "x"}}"#))
        try StatusMarker.ready.write(in: step.directory)
        #expect(step.run() == nil)
        #expect(step.text("inputs/a") == "x")
    }

    @Test func linksInputsIntoOthersThatHoldTheirPlace() throws {
        let step = try SupervisedStep(
            artifacts(
                [("in", "/w/tree/sub/in"), ("other", "/w/other"), ("tree", "/w/tree"), ("file", "/w/tree/sub/in/below")]
                    .map { #"{"name": "\#($0.0)", "path": "\#($0.1)", "raw": {"data": "\#($0.0)"}}"# }.joined(separator: ",")))
        let inputs = step.settings.paths.inputArtifacts
        try AtomicFile.createDirectory(inputs.appending("tree"))
        let nesting = InputNesting(inputs: inputs, log: .silent)
        let plans = try step.template.inputArtifacts.enumerated().compactMap {
            try InputPlan($1, index: $0, template: step.template, paths: step.settings.paths)
        }
        try SmallFile.write(inputs.appending("in"), Array("in".utf8))
        nesting.link(plans)
        #expect(
            try FileManager.default.destinationOfSymbolicLink(atPath: inputs.appending("tree/sub/in").text)
                == inputs.appending("in").text)
        #expect(step.text("inputs/tree/sub/in") == "in")
        #expect(try FileManager.default.contentsOfDirectory(atPath: inputs.text).sorted() == ["in", "tree"])
    }
}

@Suite struct StatusHeartbeatTests {
    @Test func renewsTheMarkerUntilItEnds() throws {
        let folder = try TemporaryFolder()
        let directory = RunDirectory(root: BytePath(folder.url.path))
        let heartbeat = try StatusHeartbeat(in: directory, interval: 1_000_000, log: .silent)
        func inode() throws -> UInt64 { try directory.place().status(directory.relative(directory.status)).inode }
        for _ in 0..<3 {
            let first = try inode()
            try eventually("another marker") { try inode() != first }
        }
        heartbeat.end()
        try StatusMarker.ready.write(in: directory)
        let last = try inode()
        sleepNanoseconds(50_000_000)
        #expect(try inode() == last)
    }

    @Test func survivesMarkersThatCannotBeWritten() throws {
        let folder = try TemporaryFolder()
        let root = folder.url.appending(path: "run")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        let directory = RunDirectory(root: BytePath(root.path))
        let lines = Monitor(0)
        let heartbeat = try StatusHeartbeat(
            in: directory, interval: 1_000_000, log: Log(sink: { _ in lines.update { $0 += 1 } }))
        try FileManager.default.removeItem(at: root)
        try folder.write(Data(), to: "run")
        try eventually("a failure is told") { lines.current > 0 }
        try FileManager.default.removeItem(at: root)
        try eventually("it goes on") { directory.exists(directory.status) }
        heartbeat.end()
    }
}
