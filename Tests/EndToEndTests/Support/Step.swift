import Foundation
import TestSupport

/// One step to run: a template in a pod, a store for its artifacts and an API server for its reports.
struct Step {
    var request: PodRequest
    let store: StepStore
    let cluster: ClusterServer

    /// A step of a shell script in the main container.
    init(
        _ script: String, store: StepStore, cluster: ClusterServer, inputs: JSON = [], outputs: JSON = [:],
        image: JSON = "debian"
    ) {
        let container: JSON = ["image": image, "command": ["sh", "-c"], "args": [.string(script)]]
        self.init(
            template: ["container": container, "inputs": ["artifacts": inputs], "outputs": outputs], store: store,
            cluster: cluster)
    }

    /// A step of a template that has no archive location yet; its artifacts and logs go below the workflow's name.
    init(template: JSON, store: StepStore, cluster: ClusterServer) {
        request = PodRequest(template: template)
        self.store = store
        self.cluster = cluster
        request.template["archiveLocation"] = store.location(request.workflow)
        request.secrets = store.secrets
        // Failing attempts are repeated soon: tests have no time for the default of a second.
        request.executorEnvironment["EXECUTOR_RETRY_BACKOFF_DURATION"] = "10ms"
    }

    /// Has the logs of the main containers stored too.
    mutating func archiveLogs() { request.template["archiveLocation"]?["archiveLogs"] = true }

    /// Starts the pod.
    func start() async throws -> PodPlayer { try await PodPlayer.start(request, in: .cluster(cluster)) }

    /// Plays the pod to its end and reads what it reported.
    func run() async throws -> StepOutcome { try await outcome(of: try await start()) }

    /// Waits for the pod's end and reads what it reported.
    func outcome(of player: PodPlayer) async throws -> StepOutcome {
        let pod = try await player.outcome()
        return StepOutcome(pod: pod, taskResult: try await cluster.taskResult(request.nodeID))
    }

    /// The key under which an artifact without a key of its own is stored.
    func key(_ file: String) -> String { "\(request.workflow)/\(file)" }
}

/// What became of a step.
struct StepOutcome: CustomStringConvertible {
    let pod: PodOutcome
    /// The task result in its last state; nil where none was made.
    let taskResult: JSON?

    var exitCodes: [String: Int] { pod.containers.mapValues(\.exitCode) }
    var outputs: JSON? { taskResult?["outputs"] }
    var isCompleted: Bool { taskResult?["metadata"]?["labels"]?["workflows.argoproj.io/report-outputs-completed"] == "true" }

    func parameter(_ name: String) -> String? { outputs?["parameters"]?.item(named: name)?["value"]?.text }
    func artifact(_ name: String) -> JSON? { outputs?["artifacts"]?.item(named: name) }

    /// The names of the reported artifacts, in the order of the report.
    var artifactNames: [String] { outputs?["artifacts"]?.items.compactMap { $0["name"]?.text } ?? [] }

    var description: String { "\(exitCodes)" }

    /// For a failing expectation: how each container ended, with its own words.
    var report: String {
        pod.containers.sorted { $0.key < $1.key }.map { name, container in
            "\(name): exit \(container.exitCode), message \(container.message)\n\(container.standardError)\(container.standardOutput)"
        }.joined(separator: "\n")
    }
}

/// The exit codes of a pod in which all went well.
let allWell = ["init": 0, "main": 0, "wait": 0]

/// Whether a text is one line with something in it.
func isOneLine(_ text: String) -> Bool {
    let text = text.hasSuffix("\n") ? text.dropLast() : text[...]
    return !text.isEmpty && !text.contains("\n")
}
