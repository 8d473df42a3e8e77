package import Documents
import SystemSupport
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// The workflow object, as a cluster would hold it.
extension WorkflowRun {
    /// The workflow with its status so far, in the CRD's own shape.
    package func workflowDocument() -> JSONValue {
        [
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata, "spec": .object(plan.spec),
            "status": status,
        ]
    }

    private var metadata: JSONValue {
        var labels = labels
        labels["workflows.argoproj.io/completed"] = finishedAt == nil ? "false" : "true"
        labels["workflows.argoproj.io/phase"] = .string(phase.rawValue)
        var annotations = annotations
        annotations["workflows.argoproj.io/pod-name-format"] = "v2"
        var object: JSONObject = ["name": .string(identity.name)]
        if plan.document.kind == .workflow, !plan.document.generateName.isEmpty {
            object["generateName"] = .string(plan.document.generateName)
        }
        object["namespace"] = .string(identity.namespace)
        object["uid"] = .string(identity.uid)
        object["creationTimestamp"] = .string(identity.creationTimestamp.rfc3339())
        object["labels"] = .object(labels)
        object["annotations"] = .object(annotations)
        return .object(object)
    }

    /// The status alone.
    package var status: JSONValue {
        let progress = progresses()
        var object: JSONObject = ["phase": .string(phase.rawValue)]
        object["startedAt"] = startedAt.map { .string($0.rfc3339()) } ?? .null
        object["finishedAt"] = finishedAt.map { .string($0.rfc3339()) } ?? .null
        object["progress"] = .string((progress.values.reduce(Progress.none) { $0 + $1.own }).description)
        if !message.isEmpty { object["message"] = .string(message) }
        var documents = JSONObject()
        for id in store.order.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            guard var node = store[id] else { continue }
            if let entry = progress[id] {
                node.progress = entry.own == .none ? "" : entry.own.description
            } else if let sum = sum(below: id, progress) {
                node.progress = sum.description
            }
            documents[id] = node.document
        }
        if !documents.isEmpty { object["nodes"] = .object(documents) }
        if !outputs.isEmpty { object["outputs"] = .object(outputs) }
        var conditions: [JSONValue] = [["type": "PodRunning", "status": activePods.isEmpty ? "False" : "True"]]
        if finishedAt != nil { conditions.append(["type": "Completed", "status": "True"]) }
        object["conditions"] = .array(conditions)
        return .object(object)
    }

    /// The progress of the nodes that do something themselves.
    private func progresses() -> [String: (own: Progress, type: NodeType)] {
        var result: [String: (own: Progress, type: NodeType)] = [:]
        for node in store.all where [.pod, .container, .suspend].contains(node.type) {
            var progress = Progress(node.progress) ?? Progress(done: 0, total: 1)
            if [.succeeded, .skipped, .omitted].contains(node.phase) { progress.done = progress.total }
            result[node.id] = (progress, node.type)
        }
        return result
    }

    /// The progress of all that comes after a node; nil for nothing.
    private func sum(below id: String, _ progress: [String: (own: Progress, type: NodeType)]) -> Progress? {
        var total = Progress.none
        var seen: Set<String> = []
        var open = store[id]?.children ?? []
        while let next = open.popLast() {
            guard seen.insert(next).inserted else { continue }
            if let own = progress[next]?.own { total = total + own }
            open += store[next]?.children ?? []
        }
        return total == .none ? nil : total
    }
}
