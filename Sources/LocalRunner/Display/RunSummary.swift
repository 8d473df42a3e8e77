import Artifacts
import Documents
import PodBuilding
import SystemSupport
import WorkflowEngine
import WorkflowModel
import WorkflowPlanning

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
        let lines = OutputLines(store: store, home: repository.location)
        let own = run.node(run.identity.name)?.outputs.map { lines.lines($0) } ?? []
        return own + lines.lines(run.outputs, prefix: "global ")
    }

    /// What else a person wants to know.
    var told: [String] {
        var lines: [String] = []
        for node in run.allNodes {
            guard let end = ends[node.id], node.phase.isFailure else { continue }
            if let failure = end.failure, failure.isExecutor {
                let command = failure.commandExitCode.map { "its command ended with exit code \($0), but then" }
                lines.append("\(node.displayName) failed: \(command ?? "its command was not run:")")
                lines += failure.lines.map { "    \($0)" }
            } else {
                lines.append("\(node.displayName) failed: \(node.message)")
                if let failure = end.failure {
                    lines += failure.lines.map { "    \(failure.container) | \($0)" }
                    lines.append("    exit code \(failure.exitCode)")
                }
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
