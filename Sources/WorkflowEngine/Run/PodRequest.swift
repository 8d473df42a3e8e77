package import Documents
package import SystemSupport
import WorkflowPlanning

/// A pod to be run: one node of a workflow, with everything already decided.
package struct PodRequest: Sendable, Equatable {
    /// `<workflow>-<FNV-1a of the node's name>`, or the workflow's name for a workflow of one pod; the name of its task result.
    package let nodeID: String
    /// E.g. `hello[0].print`.
    package let nodeName: String
    /// `<workflow>-<template>-<hash>`.
    package let podName: String
    /// The template with its defaults, its inputs' values and locations, and every tag replaced; no archive location of the
    /// repository's is added yet.
    package var template: JSONValue
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
    /// Whether it belongs to an exit handler.
    package let isOnExit: Bool

    package init(
        nodeID: String, nodeName: String, podName: String, template: JSONValue, includesScriptOutput: Bool,
        volumes: [JSONValue] = [], variables: [String: String] = [:], deadline: Timestamp? = nil,
        activeDeadlineSeconds: Int64? = nil, isOnExit: Bool = false
    ) {
        self.nodeID = nodeID
        self.nodeName = nodeName
        self.podName = podName
        self.template = template
        self.includesScriptOutput = includesScriptOutput
        self.volumes = volumes
        self.variables = variables
        self.deadline = deadline
        self.activeDeadlineSeconds = activeDeadlineSeconds
        self.isOnExit = isOnExit
    }
}
