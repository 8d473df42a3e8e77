package import Documents
package import SystemSupport
import WorkflowPlanning

/// What whoever drives a run has to do.
package enum Action: Sendable, Equatable {
    /// Start a pod; answer with `podStarted`, `podProgressed` and in the end `podFinished`.
    case runPod(PodRequest)
    /// End a pod that runs; it still answers with `podFinished`.
    case stopPod(nodeID: String)
    /// Wait, then answer with `resume`. Nanoseconds; nil: until somebody says so.
    case suspend(nodeID: String, nodeName: String, duration: Int64?)
    /// Look at the workflow again at this time, by `wake`: something waits for it to come.
    case wake(at: Timestamp)
    /// Keep the outputs of a template for later runs.
    case remember(cache: String, key: String, nodeID: String, outputs: JSONObject)
    /// It is over; nothing runs any more.
    case workflowFinished(phase: WorkflowPhase, message: String)
}

/// How a workflow stands, in the CRD's words.
package enum WorkflowPhase: String, Sendable {
    case pending = "Pending"
    case running = "Running"
    case succeeded = "Succeeded"
    case failed = "Failed"
    case error = "Error"
}
