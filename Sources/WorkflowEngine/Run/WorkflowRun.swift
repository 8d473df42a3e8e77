package import Documents
package import SystemSupport
import WorkflowFiles
import WorkflowModel
package import WorkflowPlanning

/// A workflow on its way: which nodes there are, how they stand, and what is to be done next.
///
/// It has no clock, starts nothing and reads nothing: times come with each event, pods are somebody else's. Events go in, actions
/// come out. It works as the controller does: after every event it looks at the nodes that the event concerns, from the entrypoint
/// down, leaves alone what is finished, and does what may be done now.
package struct WorkflowRun: Sendable {
    package typealias Identity = RunIdentity

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

    var store = NodeStore()
    /// What nodes run, by their ids.
    var executions: [String: Execution] = [:]
    /// How far nodes of steps and of tasks have come.
    var frames: [String: Frame] = [:]
    /// Of tasks that were not run: how the branches stand that they end.
    var branchPhases: [String: NodePhase] = [:]
    /// The attempts of nodes that may be tried again.
    var retries: [String: Attempts] = [:]
    /// The templates of nodes that were not run, where those have outputs.
    var skipped: [String: JSONObject] = [:]
    var locks = LockTable()
    /// Nodes whose outputs are to be kept, and what has been kept in this run.
    var memoized: [String: Memoization] = [:]
    var remembered: [String: (outputs: JSONObject, time: Timestamp)] = [:]
    /// `workflow.…` without what changes during the run.
    let constants: [String: String]
    /// Variables that change during the run: the status, the outputs of the whole workflow.
    var changing: [String: String] = [:]
    /// The workflow's labels and annotations, those from `workflowMetadata` included.
    let labels: JSONObject
    let annotations: JSONObject
    /// Pods that have been asked for and have not ended.
    var activePods: Set<String> = []
    /// Pods that run beside what comes after them, and have not been told to end.
    var daemons: [String] = []
    /// Steps and dags of which a call waits for others to end, since no more may run at a time.
    var deferring: Set<String> = []
    /// Nodes that wait for a time.
    var alarms: [String: Timestamp] = [:]
    var isShuttingDown = false
    /// Of the current look.
    var actions: [Action] = []
    var volumes: [JSONValue] = []
    var depth = 0
    /// In a dry run: what has been run of each template. Nil in a real one.
    package internal(set) var abridgement: Abridgement?
    /// Why the entrypoint cannot go on.
    var failure: String?
    var now: Timestamp

    /// - Parameters:
    ///   - identity: its name is the workflow's, or made of `generateName`.
    ///   - abridgement: for a dry run: which parts are left out as they are like others.
    package init(plan: WorkflowPlan, identity: Identity, abridgement: Abridgement? = nil) {
        self.abridgement = abridgement
        self.plan = plan
        self.identity = identity
        now = identity.creationTimestamp
        var metadata = WorkflowMetadata(of: plan.document, spec: plan.spec, at: identity.creationTimestamp)
        var constants = WorkflowVariables.all(plan, identity, labels: metadata.labels, annotations: metadata.annotations)
        if metadata.addLabels(from: plan.spec["workflowMetadata"]?["labelsFrom"], VariableTable(constants)) {
            constants = WorkflowVariables.all(plan, identity, labels: metadata.labels, annotations: metadata.annotations)
        }
        labels = metadata.labels
        annotations = metadata.annotations
        self.constants = constants
        var spec = plan.spec
        let untouched = ["templates", "hooks", "templateDefaults", "retryStrategy"].map { ($0, spec[$0]) }
        for (name, _) in untouched { spec[name] = nil }
        let table = VariableTable(constants)
        spec =
            (try? TagText.replace(
                .object(spec),
                evaluate: { (text) throws(TagText.Fault) in
                    var scope = ExpressionScope()
                    scope.add(table)
                    return try scope.tag(text, strict: nil)
                },
                { (name) throws(TagText.Fault) in table[name] }))?.object ?? spec
        for (name, value) in untouched { spec[name] = value }
        self.spec = spec
    }

    /// The nodes, in the order in which they came to be.
    package var allNodes: [Node] { store.all }

    package func node(_ id: String) -> Node? { store[id] }

    /// When the workflow must have ended; nil: never.
    package var deadline: Timestamp? {
        guard let startedAt, let seconds = spec["activeDeadlineSeconds"]?.int else { return nil }
        let (sum, overflow) = startedAt.seconds.addingReportingOverflow(seconds)
        return overflow ? nil : Timestamp(seconds: sum)
    }

    var isPastDeadline: Bool { deadline.map { now >= $0 } ?? false }

    /// Whether this is a dry run, of which not everything can be known.
    var isDry: Bool { abridgement != nil }
}
