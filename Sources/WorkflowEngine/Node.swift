package import Documents
package import SystemSupport

/// The kinds of nodes, in the CRD's words.
package enum NodeType: String, Sendable {
    case pod = "Pod"
    case container = "Container"
    case steps = "Steps"
    case stepGroup = "StepGroup"
    case dag = "DAG"
    case taskGroup = "TaskGroup"
    case retry = "Retry"
    case skipped = "Skipped"
    case suspend = "Suspend"
}

/// How a node stands, in the CRD's words.
package enum NodePhase: String, Sendable {
    case pending = "Pending"
    case running = "Running"
    case succeeded = "Succeeded"
    case skipped = "Skipped"
    case failed = "Failed"
    case error = "Error"
    case omitted = "Omitted"

    /// Whether nothing more becomes of it.
    package var isFulfilled: Bool { self != .pending && self != .running }

    /// Whether it ran and has ended.
    package var isCompleted: Bool { self == .succeeded || isFailure }

    package var isFailure: Bool { self == .failed || self == .error }
}

/// A part of a run: a step, a group of steps, a container of a set, the whole.
package struct Node: Sendable, Equatable {
    package let id: String
    package let name: String
    package internal(set) var displayName: String
    package let type: NodeType
    package let templateName: String
    package let templateReference: JSONValue?
    /// Where the template's name was looked up.
    package let templateScope: String
    /// Where the template is written that stands in its step or task; nil for one that has a name.
    package let inlinePath: DocumentPath?
    package internal(set) var phase: NodePhase
    /// The node whose steps or tasks this is one of; empty for the root.
    package let boundaryID: String
    package internal(set) var message = ""
    package let startedAt: Timestamp
    package internal(set) var finishedAt: Timestamp?
    /// `N/M`; empty for none.
    package internal(set) var progress = ""
    /// `parameters` and `artifacts`.
    package internal(set) var inputs: JSONObject?
    /// `parameters`, `artifacts`, `result` and `exitCode`.
    package internal(set) var outputs: JSONObject?
    package internal(set) var children: [String] = []
    /// Set for steps and dags once they have ended: the nodes that what follows is attached to.
    package internal(set) var outboundNodes: [String]?

    /// What tells its template from others.
    package var templateKey: String { "\(templateScope) \(templateName) \(inlinePath?.description ?? "")" }

    /// The node in the CRD's shape.
    package var document: JSONValue {
        var object: JSONObject = ["id": .string(id), "name": .string(name)]
        func put(_ name: String, _ text: String) { if !text.isEmpty { object[name] = .string(text) } }
        put("displayName", displayName)
        put("type", type.rawValue)
        put("templateName", templateName)
        object["templateRef"] = templateReference
        put("templateScope", templateScope)
        put("phase", phase.rawValue)
        put("boundaryID", boundaryID)
        put("message", message)
        put("startedAt", startedAt.rfc3339())
        object["finishedAt"] = finishedAt.map { .string($0.rfc3339()) } ?? .null
        put("progress", progress)
        if type == .stepGroup || type == .skipped { object["nodeFlag"] = [:] }
        object["inputs"] = inputs.map { .object($0) }
        object["outputs"] = outputs.map { .object($0) }
        if !children.isEmpty { object["children"] = .array(children.map { .string($0) }) }
        if let outboundNodes, !outboundNodes.isEmpty { object["outboundNodes"] = .array(outboundNodes.map { .string($0) }) }
        return .object(object)
    }
}
