package import Documents

/// The bodies sent to the API about a step's WorkflowTaskResult (contract 04 §3).
package enum TaskResult {
    package static let apiVersion = "argoproj.io/v1alpha1"
    /// `true` once everything has been reported; the controller holds the node back until then.
    package static let completedLabel = "workflows.argoproj.io/report-outputs-completed"
    package static let workflowLabel = "workflows.argoproj.io/workflow"
    package static let instanceLabel = "workflows.argoproj.io/controller-instanceid"

    /// The body of the POST that creates it, not yet complete.
    ///
    /// - Parameter instanceID: the controller's; empty for none.
    package static func createBody(
        nodeID: String, workflowName: String, workflowUID: String, instanceID: String, result: NodeResult
    ) -> JSONValue {
        var labels: JSONObject = [workflowLabel: .string(workflowName), completedLabel: "false"]
        if !instanceID.isEmpty { labels[instanceLabel] = .string(instanceID) }
        let owner: JSONValue = [
            "apiVersion": .string(apiVersion), "kind": "Workflow", "name": .string(workflowName), "uid": .string(workflowUID),
        ]
        let metadata: JSONValue = ["name": .string(nodeID), "labels": .object(labels), "ownerReferences": [owner]]
        return body(["apiVersion": .string(apiVersion), "kind": "WorkflowTaskResult", "metadata": metadata], result)
    }

    /// The merge patch that reports a result and leaves the labels alone.
    package static func patchBody(_ result: NodeResult) -> JSONValue { body(["metadata": [:]], result) }

    /// The merge patch that says that everything has been reported, together with a last result if there is one.
    package static func finalizeBody(_ result: NodeResult = NodeResult()) -> JSONValue {
        body(["metadata": ["labels": [completedLabel: "true"]]], result)
    }

    private static func body(_ head: JSONObject, _ result: NodeResult) -> JSONValue {
        var object = head
        for member in result.document.members { object[member.name] = member.value }
        return .object(object)
    }
}
