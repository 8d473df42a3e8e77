package import Documents
package import SystemSupport
import WorkflowFiles
import WorkflowModel

/// A workflow on its way: which nodes there are, how they stand, and what is to be done next.
///
/// It has no clock, starts nothing and reads nothing: times come with each call, pods are somebody else's. It works as the
/// controller does: after every event it walks from the entrypoint down, leaves alone what is finished, and does what may be done
/// now. Whatever decides about a node (loops, conditions, retries) therefore has one place, where the node is reached.
package struct WorkflowRun: Sendable {
    /// Who this run is.
    package struct Identity: Sendable, Equatable {
        /// The workflow's name, the root node's too.
        package let name: String
        package let namespace: String
        package let uid: String
        package let creationTimestamp: Timestamp

        package init(name: String, namespace: String, uid: String, creationTimestamp: Timestamp) {
            self.name = name
            self.namespace = namespace
            self.uid = uid
            self.creationTimestamp = creationTimestamp
        }
    }

    /// What is known of a node beyond its state: what it runs.
    struct Execution: Sendable {
        /// With arguments and tags replaced.
        let template: JSONObject
        let kind: TemplateKind
        /// Where what it calls is looked up.
        let space: TemplateSpace
        /// Which of its steps' or tasks' results it speaks of.
        let usedResults: Set<String>
        /// Where its template is written; nil for one that came out of tags.
        let site: DocumentPart?
    }

    package let plan: WorkflowPlan
    package let identity: Identity
    package internal(set) var phase: WorkflowPhase = .pending
    package internal(set) var message = ""
    package internal(set) var startedAt: Timestamp?
    package internal(set) var finishedAt: Timestamp?
    /// Outputs with a `globalName`: `parameters` and `artifacts`.
    package internal(set) var outputs: JSONObject = [:]
    /// The spec, the workflow's own tags replaced.
    package let spec: JSONObject

    var nodes: [String: Node] = [:]
    /// In the order in which the nodes came to be.
    var order: [String] = []
    var executions: [String: Execution] = [:]
    /// How far nodes of steps and of tasks have come.
    var stepsStates: [String: StepsState] = [:]
    var tasksStates: [String: TasksState] = [:]
    /// Of tasks that were not run: how the branches stand that they end.
    var branchPhases: [String: NodePhase] = [:]
    /// `workflow.…` without what changes during the run.
    var variables: [String: String]
    /// The workflow's labels and annotations, those from `workflowMetadata` included.
    let labels: JSONObject
    let annotations: JSONObject
    /// Pods that have been asked for and have not ended.
    var activePods: Set<String> = []
    var isShuttingDown = false
    /// Of the current walk.
    var actions: [Action] = []
    var volumes: [JSONValue] = []
    var depth = 0
    /// In a dry run: what has been run of each template. Nil in a real one.
    package internal(set) var abridgement: Abridgement?
    /// The nodes that an event concerns: one that has ended, and those that it is part of. Nil: all.
    private var touched: Set<String>?
    var now: Timestamp

    /// - Parameters:
    ///   - identity: its name is the workflow's, or made of `generateName`.
    ///   - abridgement: for a dry run: which parts are left out as they are like others.
    package init(plan: WorkflowPlan, identity: Identity, abridgement: Abridgement? = nil) {
        self.abridgement = abridgement
        self.plan = plan
        self.identity = identity
        now = identity.creationTimestamp
        let metadata = WorkflowMetadata(of: plan.document, spec: plan.spec, at: identity.creationTimestamp)
        labels = metadata.labels
        annotations = metadata.annotations
        let variables = WorkflowVariables.all(plan, identity, labels: labels, annotations: annotations)
        self.variables = variables
        var spec = plan.spec
        let templates = spec["templates"]
        spec["templates"] = nil
        spec = (try? TagText.replace(.object(spec)) { variables[$0] })?.object ?? spec
        spec["templates"] = templates
        self.spec = spec
    }

    /// Begins the run.
    package mutating func start(at now: Timestamp) -> [Action] {
        guard startedAt == nil else { return [] }
        startedAt = now
        phase = .running
        // The controller's first look at a workflow is before it calls it running.
        variables["workflow.status"] = ""
        variables["workflow.duration"] = "0.000000"
        return walk(at: now)
    }

    /// A pod's containers run.
    package mutating func podStarted(_ nodeID: String, at now: Timestamp) {
        guard nodes[nodeID]?.phase == .pending else { return }
        nodes[nodeID]?.phase = .running
        for id in nodes[nodeID]?.containerNodes(in: nodes) ?? [] where nodes[id]?.phase == .pending {
            nodes[id]?.phase = .running
        }
    }

    /// A pod reported progress (`N/M`).
    package mutating func podProgressed(_ nodeID: String, _ progress: String) {
        if Progress(progress) != nil { nodes[nodeID]?.progress = progress }
    }

    /// A pod has ended.
    package mutating func podFinished(_ nodeID: String, _ result: PodResult, at now: Timestamp) -> [Action] {
        guard activePods.remove(nodeID) != nil, var node = nodes[nodeID], !node.phase.isFulfilled else { return [] }
        self.now = now
        var outputs = result.outputs?.document.object ?? [:]
        if let code = result.exitCode { outputs["exitCode"] = .string(String(code)) }
        node.outputs = outputs.isEmpty ? nil : outputs
        node.phase = result.phase
        node.message = result.message
        node.finishedAt = now
        nodes[nodeID] = node
        raiseOutputs(of: nodeID)
        finishContainers(of: node, result)
        return walk(at: now, from: nodeID)
    }

    /// A suspended node may go on, with values for the outputs that were to be supplied.
    package mutating func resume(_ nodeID: String, outputs: [String: String] = [:], at now: Timestamp) -> [Action] {
        guard nodes[nodeID]?.type == .suspend, nodes[nodeID]?.phase == .running else { return [] }
        self.now = now
        do throws(StepError) {
            try supply(outputs, to: nodeID)
            raiseOutputs(of: nodeID)
            mark(nodeID, .succeeded)
        } catch {
            mark(nodeID, .error, error.message)
        }
        return walk(at: now, from: nodeID)
    }

    /// The workflow's deadline has come: what waits fails, pods end by their own.
    package mutating func deadlineReached(at now: Timestamp) -> [Action] {
        guard let deadline, now >= deadline, finishedAt == nil else { return [] }
        for id in order {
            guard let node = nodes[id], node.type == .suspend, !node.phase.isFulfilled else { continue }
            mark(id, .failed, Self.deadlineMessage)
        }
        return walk(at: now)
    }

    static let deadlineMessage = "Step exceeded its deadline"

    /// Somebody wants it to end: pods are stopped, what waits fails, nothing new begins.
    package mutating func interrupted(at now: Timestamp) -> [Action] {
        guard startedAt != nil, finishedAt == nil, !isShuttingDown else { return [] }
        self.now = now
        isShuttingDown = true
        for id in order where nodes[id]?.type == .suspend && nodes[id]?.phase.isFulfilled == false {
            mark(id, .failed, "Stopped with strategy 'Terminate'")
        }
        let stops = order.filter { activePods.contains($0) }.map { Action.stopPod(nodeID: $0) }
        return stops + walk(at: now)
    }

    /// When the workflow must have ended; nil: never.
    package var deadline: Timestamp? {
        guard let startedAt, let seconds = spec["activeDeadlineSeconds"]?.int else { return nil }
        let (sum, overflow) = startedAt.seconds.addingReportingOverflow(seconds)
        return overflow ? nil : Timestamp(seconds: sum)
    }

    /// The nodes, in the order in which they came to be.
    package var allNodes: [Node] { order.compactMap { nodes[$0] } }

    package func node(_ id: String) -> Node? { nodes[id] }

    /// One look at the workflow: everything that can be done now is done.
    ///
    /// - Parameter node: the one that has ended, where that is all that is new.
    private mutating func walk(at now: Timestamp, from node: String? = nil) -> [Action] {
        self.now = now
        if finishedAt != nil { return [] }
        // What ends a workflow waits for the pods that are still being stopped.
        if isShuttingDown, !activePods.isEmpty { return [] }
        actions = []
        volumes = spec["volumes"]?.array ?? []
        touched = isShuttingDown ? nil : node.map(wayToRoot)
        var failure: String?
        do throws(StepError) {
            if nodes[identity.name] == nil {
                let root = TemplateCall(entrypoint: plan.entrypoint, arguments: spec["arguments"] ?? [:])
                try execute(root, named: identity.name, in: plan.local, boundary: "")
            } else {
                try goOn(identity.name)
            }
        } catch {
            failure = "error in entry template execution: \(error.message)"
        }
        finish(failure)
        variables["workflow.status"] = phase.rawValue
        if let startedAt { variables["workflow.duration"] = WorkflowVariables.seconds(from: startedAt, to: now) }
        defer { actions = [] }
        return actions
    }

    private func wayToRoot(_ id: String) -> Set<String> {
        var way: Set<String> = []
        var next = id
        while let node = nodes[next], way.insert(next).inserted { next = node.boundaryID }
        return way
    }

    /// Whether the current event concerns a node.
    func isTouched(_ id: String) -> Bool { touched?.contains(id) ?? true }

    private mutating func finish(_ failure: String?) {
        guard let root = nodes[identity.name], root.phase.isFulfilled || failure != nil, activePods.isEmpty else { return }
        switch root.phase {
        case .failed: phase = .failed
        case .error, .pending, .running: phase = .error
        case .succeeded, .skipped, .omitted: phase = failure == nil ? .succeeded : .error
        }
        message = root.message
        if root.phase.isFailure, isShuttingDown { message = "Stopped with strategy 'Terminate'" }
        if let failure, !isShuttingDown {
            message = failure
            phase = .error
        }
        if phase == .error, root.phase == .running { mark(root.id, .error, "Workflow operation error") }
        finishedAt = now
        actions.append(.workflowFinished(phase: phase, message: message))
    }
}
