package import Documents
package import ExecutorCore

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

    package let identity: Identity

    package init(identity: Identity) { self.identity = identity }

    /// Begins the run.
    package mutating func start(at now: Timestamp) -> [Action] { [] }

    /// A pod's containers run.
    package mutating func podStarted(_ nodeID: String, at now: Timestamp) {}

    /// A pod reported progress (`N/M`).
    package mutating func podProgressed(_ nodeID: String, _ progress: String) {}

    /// A pod has ended.
    package mutating func podFinished(_ nodeID: String, _ result: PodResult, at now: Timestamp) -> [Action] { [] }

    /// A suspended node may go on, with values for the outputs that were to be supplied.
    package mutating func resume(_ nodeID: String, outputs: [String: String] = [:], at now: Timestamp) -> [Action] { [] }

    /// The workflow's deadline has come.
    package mutating func deadlineReached(at now: Timestamp) -> [Action] { [] }

    /// Somebody wants it to end.
    package mutating func interrupted(at now: Timestamp) -> [Action] { [] }

    /// The workflow object with its status in the CRD's own shape.
    package func finishedWorkflow() -> JSONValue { .null }
}
