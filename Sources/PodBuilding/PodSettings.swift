package import Documents

/// What all pods of one workflow share.
package struct PodSettings: Sendable {
    package var workflowName: String
    package var workflowUID: String
    package var namespace: String
    /// The workflow's spec: volumes, claims, security context, service account and the like.
    package var spec: JSONObject
    package static let defaultExecutorImage = "quay.io/argoproj/argoexec:latest"
    package var executorImage = PodSettings.defaultExecutorImage
    /// `debug`, `info`, `warn` or `error`, for the executor's own log.
    package var logLevel = "info"
    /// The same for the emissary, whose log stands among the output of the user's own program.
    package var emissaryLogLevel = "info"
    /// Go durations; nil switches progress off.
    package var progressTicks: (patch: String, file: String)? = ("1m0s", "3s")
    /// What an image runs where the container names no command: its entrypoint and command.
    package var imageCommands: [String: (entrypoint: [String], command: [String])] = [:]
    /// Extra variables for the executor's own containers, e.g. those that stand in for the cluster in a local run.
    package var executorEnvironment: [(name: String, value: String)] = []

    /// Extra variables for the main containers, after their own.
    package var mainEnvironment: [(name: String, value: String)] = []

    package init(workflowName: String, workflowUID: String, namespace: String, spec: JSONObject) {
        self.workflowName = workflowName
        self.workflowUID = workflowUID
        self.namespace = namespace
        self.spec = spec
    }
}
