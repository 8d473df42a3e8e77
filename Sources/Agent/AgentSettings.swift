package import SystemSupport

/// What `agent main` works with (contract 01 §5).
package struct AgentSettings: Sendable {
    /// Also the name of the task set.
    package var workflowName: String
    package var workflowUID: String
    /// Tasks at a time.
    package var workers: Int
    /// Between two reports, nanoseconds.
    package var patchRate: Int64
    /// How reading a secret is repeated (contract 02 §11, R7).
    package var secretAttempts: Backoff
    /// How a report is repeated (contract 02 §11, R9).
    package var reportAttempts = Backoff(
        duration: 1_000_000_000, factor: 2, jitter: 0.1, steps: 5, cap: 30_000_000_000)
    /// How a call to a plugin is repeated (contract 02 §11, R10).
    package var pluginAttempts = Backoff(duration: 1_000_000_000, factor: 2, jitter: 0.2, steps: 5)

    package init(
        workflowName: String, workflowUID: String, workers: Int, patchRate: Int64, secretAttempts: Backoff
    ) {
        self.workflowName = workflowName
        self.workflowUID = workflowUID
        self.workers = workers
        self.patchRate = patchRate
        self.secretAttempts = secretAttempts
    }
}
