package import Documents
package import ExecutorCore
package import WorkflowModel

/// What whoever drives a run has to do.
package enum Action: Sendable, Equatable {
    /// Start a pod; answer with `podStarted`, `podProgressed` and in the end `podFinished`.
    case runPod(PodRequest)
    /// End a pod that runs; it still answers with `podFinished`.
    case stopPod(nodeID: String)
    /// Wait, then answer with `resume`. Nanoseconds; nil: until somebody says so.
    case suspend(nodeID: String, nodeName: String, duration: Int64?)
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

/// A pod to be run.
package struct PodRequest: Sendable, Equatable {
    /// `<workflow>-<FNV-1a of the node's name>`, or the workflow's name for a workflow of one pod.
    package let nodeID: String
    package let nodeName: String
    /// `<workflow>-<template>-<hash>`.
    package let podName: String
    /// The template with its defaults, its inputs' values and locations, and every tag replaced; no archive location of the
    /// repository's is added yet.
    package let template: JSONValue
    /// Whether another step refers to its result, so that standard output is captured.
    package let includesScriptOutput: Bool
    /// The workflow's volumes, tags of the workflow and of earlier steps replaced.
    package let volumes: [JSONValue]
    /// What tags may still be replaced with in a pod made of this: the workflow's variables, the input parameters, `pod.name`.
    package let variables: [String: String]
    /// When the workflow must have ended (`ARGO_DEADLINE`); nil: never.
    package let deadline: Timestamp?
    /// How long the pod may run, of the template's and the workflow's limits the shorter one.
    package let activeDeadlineSeconds: Int64?
}

/// How a pod ended.
package struct PodResult: Sendable, Equatable {
    /// Succeeded, Failed or Error.
    package var phase: NodeResult.Phase
    package var message: String
    /// As reported by the pod, with locations complete or key-only.
    package var outputs: Outputs?
    /// The main container's, when it ended.
    package var exitCode: Int?
    /// How each member of a container set ended, by name.
    package var containers: [ContainerResult]

    package init(
        phase: NodeResult.Phase, message: String = "", outputs: Outputs? = nil, exitCode: Int? = nil,
        containers: [ContainerResult] = []
    ) {
        self.phase = phase
        self.message = message
        self.outputs = outputs
        self.exitCode = exitCode
        self.containers = containers
    }
}

/// How a container ended.
package struct ContainerResult: Sendable, Equatable {
    package let name: String
    /// Nil: it never started, or never ended.
    package let exitCode: Int?
    /// `Completed`, `Error`, `OOMKilled`…
    package let reason: String
    /// Its termination message.
    package let message: String

    package init(name: String, exitCode: Int?, reason: String, message: String = "") {
        self.name = name
        self.exitCode = exitCode
        self.reason = reason
        self.message = message
    }
}
