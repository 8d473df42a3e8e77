import ArtifactRegistry
import Artifacts
import Documents
import Glibc
import HTTPTransport
import KubernetesAPI
import ProcessControl
import RunDirectory
import SystemSupport
import TestSupport
import WorkflowModel

@testable import Executor

/// A step's folder and what stands in for the rest of its pod.
final class StepUnderTest: Sendable {
    let folder: TemporaryFolder
    let directory: RunDirectory
    let settings: ExecutorSettings
    let template: Template
    let drivers: DriverContext
    let log = Lines()
    var context: StepContext { StepContext(template: template, settings: settings, drivers: drivers, log: log.log) }

    /// - Parameter registry: the drivers; those of the product without one.
    init(
        _ template: String, _ variables: [String: String] = [:], registry: any DriverRegistry = ArtifactDrivers()
    ) throws {
        folder = try TemporaryFolder()
        directory = RunDirectory(root: BytePath(folder.url.appending(path: "run").path))
        try directory.container("main").create()
        var settings = try ExecutorSettings(Environment(podVariables.merging(variables) { $1 }))
        settings.paths.runDirectory = directory.root
        settings.paths.mirror = BytePath(folder.url.appending(path: "mirror").path)
        settings.paths.terminationLog = BytePath(folder.url.appending(path: "termination").path)
        self.settings = settings
        self.template = try Template.load(from: Array(template.utf8))
        let store = BytePath(folder.url.appending(path: "store").path)
        try AtomicFile.createDirectory(store)
        drivers = DriverContext(
            registry: registry, clients: HTTPClients(HTTPClientConfiguration()), log: log.log,
            executorBackoff: settings.backoff, spoolDirectory: BytePath(folder.url.path), localStore: LocalStore(folder: store))
    }

    func wait(_ sink: any TaskResultSink) throws {
        try WaitRun(context, sink: sink)
            .run(signals: try SignalDescriptor([]))
    }

    /// What the emissary of `main` leaves.
    func leave(_ name: String, in container: String = "main", _ text: String) throws {
        try SmallFile.write(directory.container(container).path.appending(BytePath(name)), Array(text.utf8))
    }

    func handOver(_ artifact: String, _ text: String) throws {
        let place = directory.artifactHandOver(name: artifact)
        try AtomicFile.createDirectory(place.directory)
        try SmallFile.write(place.plain, Array(text.utf8))
    }

    func stored(_ key: String) -> String? {
        let path = BytePath(folder.url.appending(path: "store/bucket/\(key)").path)
        return (try? SmallFile.read(path)).map { String(decoding: $0, as: UTF8.self) }
    }
}

final class Lines: Sendable {
    private let lines = Monitor<[String]>([])
    var text: String { lines.current.joined() }
    var log: Log { Log(sink: { line in self.lines.update { $0.append(String(decoding: line, as: UTF8.self)) } }) }
}

/// Keeps what is reported; makes the task result only when it is let.
final class ReportedResult: TaskResultSink {
    struct State: Sendable {
        var isAway: Bool
        var calls: [String] = []
        var outputs: Outputs?
        var isComplete = false
    }

    let state: Monitor<State>

    init(isAway: Bool = false) { state = Monitor(State(isAway: isAway)) }

    private func call(_ name: String) throws {
        let isAway = state.update { state in
            state.calls.append(name)
            return state.isAway
        }
        if isAway { throw ExecutorError.transient("dial tcp 127.0.0.1:1: connect: connection refused") }
    }

    func initialize() throws { try call("create") }
    func report(_ result: NodeResult) throws {
        try call("report")
        state.update { $0.outputs = result.outputs ?? $0.outputs }
    }
    func finalize(_ result: NodeResult) throws {
        try call("finalize")
        state.update { state in
            state.outputs = result.outputs ?? state.outputs
            state.isComplete = true
        }
    }
}
