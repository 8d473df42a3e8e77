internal import Foundation

/// What the workflow controller would know when it builds a pod; `scripts/testbed/pods.py` builds it.
package struct PodRequest: Sendable {
    /// The template, JSON.
    package var template: String
    /// Name of the pod's workflow; also part of the node's name.
    package var workflow = "wf-\(UUID().uuidString.lowercased().prefix(8))"
    /// Whether another step refers to the result, so that standard output is captured.
    package var includeResult = false
    /// Seconds from now until the step must end.
    package var deadline: Double?
    /// Seconds between SIGTERM and SIGKILL.
    package var gracePeriod: Int?
    /// The workflow's volumes, JSON. One with the name of a volume of the controller's replaces it.
    package var volumes = "[]"
    /// Variables of the executor's containers.
    package var executorEnvironment: [String: String] = [:]
    /// A text passed to the executor in place of the template.
    package var argoTemplate: String?
    /// Secrets by name and key.
    package var secrets: [String: [String: String]] = [:]
    /// Whether memory limits of containers are enforced.
    package var limitsMemory = false

    package init(template: String) { self.template = template }

    /// Name of the task result.
    package var nodeID: String { workflow + "-1" }

    /// The request as the player reads it.
    func json() throws -> Data {
        var request: [String: Any] = [
            "template": try JSONSerialization.jsonObject(with: Data(template.utf8)),
            "volumes": try JSONSerialization.jsonObject(with: Data(volumes.utf8)),
            "workflow": workflow, "nodeID": nodeID, "includeResult": includeResult, "executorEnvironment": executorEnvironment,
        ]
        request["deadline"] = deadline.map { Date(timeIntervalSinceNow: $0).formatted(.iso8601) }
        request["gracePeriod"] = gracePeriod
        request["argoTemplate"] = argoTemplate
        return try JSONSerialization.data(withJSONObject: request)
    }
}

/// Where a pod's artifacts and reports go.
package enum PodSurroundings: Sendable {
    /// A folder in place of the store and the API server; it holds `artifacts/BUCKET/KEY` and `taskresult.json`.
    case local(TemporaryFolder)
    /// An API server; artifacts go where the template says.
    case cluster(ClusterServer)
}
