import Documents
import Synchronization
package import WorkflowModel

/// The task result at the API server: made once, then patched (contract 04 §3.3).
package final class TaskResultStore: TaskResultSink {
    private let client: KubernetesClient
    private let identity: TaskResultIdentity
    private let isCreated = Mutex(false)

    package init(_ client: KubernetesClient, identity: TaskResultIdentity) {
        self.client = client
        self.identity = identity
    }

    package func initialize() throws { try report(NodeResult()) }

    package func report(_ result: NodeResult) throws {
        if isCreated.withLock({ $0 }) {
            do { return try patch(TaskResult.patchBody(result)) } catch let error as APIError where error.status == 404 {
                // Somebody has deleted it.
                isCreated.withLock { $0 = false }
            }
        }
        if try !create(result) { try patch(TaskResult.patchBody(result)) }
    }

    package func finalize(_ result: NodeResult) throws {
        if result.document.isEmpty { return try patch(TaskResult.finalizeBody()) }
        if isCreated.withLock({ $0 }) {
            do { return try patch(TaskResult.finalizeBody(result)) } catch let error as APIError where error.status == 404 {
                isCreated.withLock { $0 = false }
            }
        }
        // One that is there already takes the result with the label; a new one brings the result along.
        try patch(try create(result) ? TaskResult.finalizeBody() : TaskResult.finalizeBody(result))
    }

    /// - Returns: false where it exists already, so that it has not taken the result.
    private func create(_ result: NodeResult) throws -> Bool {
        let body = TaskResult.createBody(
            nodeID: identity.nodeID, workflowName: identity.workflowName, workflowUID: identity.workflowUID,
            instanceID: identity.instanceID, result: result)
        var isNew = true
        do { try client.createTaskResult(body) } catch let error as APIError
            where error.status == 409 && error.reason == "AlreadyExists"
        {
            isNew = false
        }
        isCreated.withLock { $0 = true }
        return isNew
    }

    private func patch(_ body: JSONValue) throws { try client.patchTaskResult(identity.nodeID, body) }
}

extension KubernetesClient {
    func createTaskResult(_ body: JSONValue) throws { _ = try create(ResourcePath(.taskResults), body) }

    func patchTaskResult(_ name: String, _ body: JSONValue) throws {
        _ = try patch(ResourcePath(.taskResults, name: name), .merge, body)
    }
}
