import Artifacts
import Documents
import ExecutorCore
import WorkflowEngine
import WorkflowModel

/// What is told when a run is over.
struct RunSummary {
    let run: WorkflowRun
    let ends: [String: PodEnd]
    /// Nil where artifacts are in a repository.
    let store: EmbeddedStore?
    let repository: ArtifactRepository
    let folder: RunFolder

    /// The workflow's results, a line each.
    var results: [String] {
        var lines: [String] = []
        func add(_ outputs: JSONObject, _ prefix: String) {
            if let result = outputs["result"]?.string { lines.append("\(prefix)result: \(result)") }
            for parameter in outputs["parameters"]?.array ?? [] {
                lines.append("\(prefix)parameter \(parameter["name"]?.string ?? ""): \(parameter["value"]?.string ?? "")")
            }
            for artifact in outputs["artifacts"]?.array ?? [] {
                lines.append("\(prefix)artifact \(artifact["name"]?.string ?? ""): \(place(of: artifact))")
            }
        }
        if let outputs = run.node(run.identity.name)?.outputs { add(outputs, "") }
        add(run.outputs, "global ")
        return lines
    }

    /// What else a person wants to know.
    var told: [String] {
        var lines: [String] = []
        for node in run.allNodes {
            guard let end = ends[node.id], node.phase.isFailure else { continue }
            lines.append("\(node.displayName) failed: \(node.message)")
            if let failure = end.failure {
                lines += failure.lines.map { "    \(failure.container) | \($0)" }
                lines.append("    exit code \(failure.exitCode)")
            }
            if let folder = end.folder { lines.append("    kept in \(folder); run it again: argoexec run --from \(folder)") }
        }
        var time = ""
        if let start = run.startedAt, let end = run.finishedAt {
            time = " in \(durationText(nanoseconds(from: start, to: end)))"
        }
        let message = run.message.isEmpty ? "" : ": \(run.message)"
        lines.append("\(run.identity.name): \(run.phase.rawValue)\(time)\(message)")
        return lines
    }

    /// Whether a pod's folder was kept.
    var keepsSomething: Bool { ends.values.contains { $0.folder != nil } }

    /// Where an artifact is kept: a path in the embedded store, or its place in a repository.
    private func place(of artifact: JSONValue) -> String {
        guard let location = try? ArtifactLocation(document: artifact) else { return "" }
        guard let complete = try? location.relocated(to: repository.location) else { return "" }
        if let store, !location.hasLocation, let key = try? complete.key() { return store.path(ofKey: key).text }
        if let place = LocalStore.place(of: complete) {
            return "\(complete.driverKind?.rawValue ?? "")://\(place.bucket)/\(place.key)"
        }
        return (try? complete.key()) ?? ""
    }

    /// The finished workflow, what is local in annotations.
    var document: JSONValue {
        var document = run.workflowDocument()
        var annotations = document["metadata"]?["annotations"] ?? [:]
        if let store { annotations["argoexec.local/artifacts"] = .string(store.folder.text) }
        let kept = run.allNodes.compactMap { node in ends[node.id]?.folder.map { (node.id, JSONValue.string($0.text)) } }
        if !kept.isEmpty {
            annotations["argoexec.local/run"] = .string(folder.path.text)
            annotations["argoexec.local/kept"] = .string(JSONValue.object(JSONObject(kept)).serializedText())
        }
        var metadata = document["metadata"] ?? [:]
        metadata["annotations"] = annotations
        document["metadata"] = metadata
        return document
    }
}
