package import Documents
package import ExecutorCore

/// What a pod is built from: one node of a workflow, with everything already decided.
package struct PodRequest: Sendable {
    /// The node's id: name of the task result.
    package var nodeID: String
    /// The node's name, e.g. `hello[0].print`.
    package var nodeName: String
    package var podName: String
    /// The template with all tags replaced and the artifacts' locations filled in.
    package var template: JSONValue
    /// Whether another node refers to this one's result, so that standard output is captured.
    package var includesScriptOutput: Bool
    /// When the step must end; nil for never.
    package var deadline: Timestamp?
    /// Whether it belongs to an exit handler.
    package var isOnExit: Bool

    package init(
        nodeID: String, nodeName: String, podName: String, template: JSONValue, includesScriptOutput: Bool,
        deadline: Timestamp? = nil, isOnExit: Bool = false
    ) {
        self.nodeID = nodeID
        self.nodeName = nodeName
        self.podName = podName
        self.template = template
        self.includesScriptOutput = includesScriptOutput
        self.deadline = deadline
        self.isOnExit = isOnExit
    }
}

/// What all pods of one workflow share.
package struct PodSettings: Sendable {
    package var workflowName: String
    package var workflowUID: String
    package var namespace: String
    /// The workflow's spec: volumes, claims, security context, service account and the like.
    package var spec: JSONObject
    package var executorImage = "quay.io/argoproj/argoexec:latest"
    /// `debug`, `info`, `warn` or `error`, for the executor's own log.
    package var logLevel = "info"
    /// Go durations; nil switches progress off.
    package var progressTicks: (patch: String, file: String)? = ("1m0s", "3s")
    /// What an image runs where the container names no command: its entrypoint and command.
    package var imageCommands: [String: (entrypoint: [String], command: [String])] = [:]
    /// Extra variables for the executor's own containers, e.g. those that stand in for the cluster in a local run.
    package var executorEnvironment: [(name: String, value: String)] = []

    package init(workflowName: String, workflowUID: String, namespace: String, spec: JSONObject) {
        self.workflowName = workflowName
        self.workflowUID = workflowUID
        self.namespace = namespace
        self.spec = spec
    }
}
