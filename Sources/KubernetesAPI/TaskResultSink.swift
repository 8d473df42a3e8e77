package import WorkflowModel

/// stub
package protocol TaskResultSink: Sendable {
    func initialize() throws
    func report(_ result: NodeResult) throws
    func finalize(_ result: NodeResult) throws
}
