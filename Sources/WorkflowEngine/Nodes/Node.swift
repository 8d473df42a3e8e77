package import Documents
package import SystemSupport
import WorkflowPlanning

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

/// Why a node is there that no step or task asks for by itself, in the CRD's words.
package struct NodeFlag: Sendable, Equatable {
    /// It is run by a hook or an exit handler.
    package var isHooked = false
    /// It is an attempt of a node that may be tried again.
    package var isRetried = false

    var document: JSONValue {
        var object = JSONObject()
        if isHooked { object["hooked"] = true }
        if isRetried { object["retried"] = true }
        return .object(object)
    }
}

/// What a node that is remembered has to do with the cache.
package struct Memoization: Sendable, Equatable {
    package let isHit: Bool
    package let key: String
    package let cache: String
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
    package internal(set) var flag: NodeFlag?
    /// The node whose steps or tasks this is one of; empty for the root.
    package let boundaryID: String
    package internal(set) var message = ""
    package internal(set) var startedAt: Timestamp
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

    /// Whether it runs on beside what comes after it, until the steps or tasks around it have ended.
    package internal(set) var isDaemoned = false
    /// Of a daemon that runs; else empty.
    package internal(set) var address = ""
    /// The lock that it waits for; empty for none.
    package internal(set) var awaitedLock = ""
    package internal(set) var memoization: Memoization?

    /// Whether what comes after it may begin: it has ended, or is a daemon that runs.
    package var isFulfilled: Bool { phase.isFulfilled || isDaemoned && phase != .pending }

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
        object["nodeFlag"] = flag?.document
        if isDaemoned { object["daemoned"] = true }
        put("podIP", address)
        if !awaitedLock.isEmpty { object["synchronizationStatus"] = ["waiting": .string(awaitedLock)] }
        if let memoization {
            object["memoizationStatus"] = [
                "hit": .bool(memoization.isHit), "key": .string(memoization.key), "cacheName": .string(memoization.cache),
            ]
        }
        object["inputs"] = inputs.map { .object($0) }
        object["outputs"] = outputs.map { .object($0) }
        if !children.isEmpty { object["children"] = .array(children.map { .string($0) }) }
        if let outboundNodes, !outboundNodes.isEmpty { object["outboundNodes"] = .array(outboundNodes.map { .string($0) }) }
        return .object(object)
    }
}
