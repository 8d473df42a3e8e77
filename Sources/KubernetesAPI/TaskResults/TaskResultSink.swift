package import WorkflowModel

/// Where a step's task result goes: the API server, or a file in its place (contract 04 §3).
///
/// Each call is a single attempt; whether another may help is said by the error.
package protocol TaskResultSink: Sendable {
    /// Makes the task result, still empty and not complete.
    func initialize() throws
    /// Adds to what has been reported; makes the task result where there is none.
    func report(_ result: NodeResult) throws
    /// Says that all has been reported, together with a last result, which may be empty.
    func finalize(_ result: NodeResult) throws
}

/// Whose task result it is (contract 04 §3.1).
package struct TaskResultIdentity: Sendable, Equatable {
    /// Name of the task result.
    package var nodeID: String
    package var workflowName: String
    package var workflowUID: String
    /// The controller's; empty for none.
    package var instanceID: String

    package init(nodeID: String, workflowName: String, workflowUID: String, instanceID: String) {
        self.nodeID = nodeID
        self.workflowName = workflowName
        self.workflowUID = workflowUID
        self.instanceID = instanceID
    }
}
