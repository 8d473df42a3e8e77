package import Documents
package import ExecutorCore

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
