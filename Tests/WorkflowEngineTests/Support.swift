import Documents
import SystemSupport
import WorkflowEngine
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// Plans and runs workflows from texts, with pods that end as the test says.
struct Play {
    var run: WorkflowRun
    var now = Timestamp(seconds: 1_700_000_000)
    /// Every pod asked for, in order.
    var pods: [PodRequest] = []
    var suspensions: [(id: String, duration: Int64?)] = []
    var stopped: [String] = []
    var wakes: [Timestamp] = []
    var remembered: [(cache: String, key: String, outputs: JSONObject)] = []
    var end: (phase: WorkflowPhase, message: String)?

    init(_ yaml: String..., settings: RunSettings = RunSettings(), name: String = "wf") throws {
        let plan = try Play.plan(yaml, settings)
        let identity = WorkflowRun.Identity(
            name: plan.document.name.isEmpty ? name : plan.document.name, namespace: "argo", uid: "u-1",
            creationTimestamp: Timestamp(seconds: 1_700_000_000))
        run = WorkflowRun(plan: plan, identity: identity)
        take(run.start(at: now))
    }

    static func plan(_ yaml: [String], _ settings: RunSettings = RunSettings()) throws -> WorkflowPlan {
        let files = yaml.enumerated().map {
            (name: $0.offset == 0 ? "w.yaml" : "w\($0.offset).yaml", content: Array($0.element.utf8))
        }
        return try WorkflowPlan(try WorkflowSource(files: files), settings)
    }

    mutating func take(_ actions: [Action]) {
        for action in actions {
            switch action {
            case .runPod(let request): pods.append(request)
            case .stopPod(let id): stopped.append(id)
            case .suspend(let id, _, let duration): suspensions.append((id, duration))
            case .wake(let time): wakes.append(time)
            case .remember(let cache, let key, _, let outputs): remembered.append((cache, key, outputs))
            case .workflowFinished(let phase, let message): end = (phase, message)
            }
        }
    }

    /// Ends a pod that has been asked for.
    mutating func finish(
        _ name: String, _ phase: NodePhase = .succeeded, _ message: String = "", outputs: JSONValue? = nil,
        exitCode: Int? = 0,
        containers: [ContainerResult] = []
    ) throws {
        now.seconds += 1
        guard let pod = pods.first(where: { $0.nodeName == name }) else {
            throw Missing(name: name, pods: pods.map(\.nodeName))
        }
        take(run.podStarted(pod.nodeID, at: now))
        now.seconds += 1
        let outputs = try outputs.map { try Outputs(document: $0) }
        take(
            run.podFinished(
                pod.nodeID,
                PodResult(phase: phase, message: message, outputs: outputs, exitCode: exitCode, containers: containers), at: now
            ))
    }

    struct Missing: Error {
        let name: String
        let pods: [String]
    }

    mutating func resume(_ name: String, outputs: [String: String] = [:]) {
        now.seconds += 1
        take(run.resume(node(name)?.id ?? "", outputs: outputs, at: now))
    }

    /// Lets the time come that the engine waits for first.
    mutating func wake() {
        guard let first = wakes.min() else { return }
        wakes.removeAll { $0 <= first }
        now = max(now, first)
        take(run.wake(at: now))
    }

    mutating func interrupt() { take(run.interrupted(at: now)) }

    func node(_ name: String) -> Node? { run.allNodes.first { $0.name == name } }

    func pod(_ name: String) -> PodRequest? { pods.first { $0.nodeName == name } }

    /// What a pod's main container was given as arguments.
    func arguments(_ name: String) -> [String]? { pod(name)?.template["container"]?["args"]?.array?.compactMap(\.string) }

    /// Every node's phase, by name.
    var phases: [String: String] { Dictionary(uniqueKeysWithValues: run.allNodes.map { ($0.name, $0.phase.rawValue) }) }

    /// Every node's type, by name.
    var types: [String: String] { Dictionary(uniqueKeysWithValues: run.allNodes.map { ($0.name, $0.type.rawValue) }) }

    /// The names of a node's children, in order.
    func children(_ name: String) -> [String] { (node(name)?.children ?? []).compactMap { run.node($0)?.name } }
}

/// A workflow of the given templates.
func workflow(_ templates: String, entrypoint: String = "main", spec: String = "", name: String = "wf") -> String {
    var text =
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: \(name)}\nspec:\n  entrypoint: \(entrypoint)\n"
    if !spec.isEmpty { text += indented(spec, by: 2) }
    return text + "  templates:\n" + indented(templates, by: 2)
}

private func indented(_ text: String, by width: Int) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: true).map { String(repeating: " ", count: width) + $0 + "\n" }
        .joined()
}

/// A template that echoes its parameter `m`.
let echo = """
    - name: echo
      inputs: {parameters: [{name: m}]}
      container: {image: i, command: [echo], args: ["{{inputs.parameters.m}}"]}

    """
