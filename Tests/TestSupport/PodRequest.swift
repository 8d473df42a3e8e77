internal import Foundation

/// What the workflow controller would know when it builds a pod; `scripts/testbed/pods.py` builds it.
package struct PodRequest: Sendable {
    package var template: JSON
    /// Name of the pod's workflow; also part of the node's name.
    package var workflow = "wf-\(UUID().uuidString.lowercased().prefix(8))"
    /// Whether a supervisor prepares the pod in place of an init container.
    package var isInitless = false
    /// Whether another step refers to the result, so that standard output is captured.
    package var includeResult = false
    /// Seconds from now until the step must end.
    package var deadline: Double?
    /// Seconds between SIGTERM and SIGKILL.
    package var gracePeriod: Int?
    /// The workflow's volumes. One with the name of a volume of the controller's replaces it.
    package var volumes: JSON = []
    /// Variables of the executor's containers.
    package var executorEnvironment: [String: String] = [:]
    /// The memory limit of the executor's containers, a Kubernetes quantity. Setting it enforces it.
    package var executorMemory: String?
    /// A text passed to the executor in place of the template.
    package var argoTemplate: String?
    /// Secrets by name and key.
    package var secrets: [String: [String: String]] = [:]

    package init(template: JSON) { self.template = template }

    /// Name of the task result.
    package var nodeID: String { workflow + "-1" }

    /// The request as the player reads it.
    var json: JSON {
        var request: JSON = [
            "template": template, "volumes": volumes, "workflow": .string(workflow), "nodeID": .string(nodeID),
            "includeResult": .bool(includeResult),
            "executorEnvironment": .object(executorEnvironment.mapValues { .string($0) }),
        ]
        request["deadline"] = deadline.map { .string(Date(timeIntervalSinceNow: $0).formatted(.iso8601)) }
        if isInitless { request["layout"] = "initless" }
        request["gracePeriod"] = gracePeriod.map { .number(Double($0)) }
        request["executorMemory"] = executorMemory.map { .string($0) }
        request["argoTemplate"] = argoTemplate.map { .string($0) }
        return request
    }
}

/// Where a pod's artifacts and reports go.
package enum PodSurroundings: Sendable {
    /// A folder in place of the store and the API server; it holds `artifacts/BUCKET/KEY` and `taskresult.json`.
    case local(TemporaryFolder)
    /// An API server; artifacts go where the template says.
    case cluster(ClusterServer)
}
