import Artifacts
import Documents
import ExecutorCore
import FileTrees
import WorkflowEngine
import WorkflowModel

/// Everything about the pods to come that would keep them from being played, or has no effect here.
struct Preflight {
    let workflow: PreparedWorkflow
    let player: PodPlayer
    let store: EmbeddedStore?

    /// What is to be told before anything runs, errors included.
    func findings(_ forecast: PodForecast) -> (findings: [Finding], notes: [String]) {
        var findings: [Finding] = []
        var notes: [String] = []
        func add(_ finding: Finding) { if !findings.contains(finding) { findings.append(finding) } }
        for (node, cause) in forecast.failures where !PodForecast.isVague(cause) { add(finding(.error, node, cause)) }
        // Pods of one template with the same images have the same problems.
        var seen: Set<String> = []
        var nodes: [String: Node] = [:]
        var pods: [JSONValue] = []
        for entry in forecast.entries {
            let images = (entry.pod["spec"]?["containers"]?.array ?? []).compactMap { $0["image"]?.string }
            let key = "\(entry.node.templateScope) \(entry.node.templateName) \(entry.template.name) \(images)"
            guard seen.insert(key).inserted, let name = entry.pod["metadata"]?["name"]?.string else { continue }
            nodes[name] = entry.node
            pods.append(entry.pod)
        }
        for problem in player.preflight(pods) {
            // Fields without effect have been told with their lines.
            if PodForecast.isVague(problem.cause) || problem.isAboutField { continue }
            guard problem.severity != .note || !problem.pod.isEmpty else {
                notes.append(problem.message)
                continue
            }
            let severity: Finding.Severity = problem.severity == .refusal ? .error : .warning
            let text = problem.subject.isEmpty ? problem.cause : "\(problem.subject): \(problem.cause)"
            if let node = nodes[problem.pod] { add(finding(severity, node, text)) } else { notes.append(problem.message) }
        }
        for finding in missingArtifacts(forecast) { add(finding) }
        return (findings, notes)
    }

    /// Artifacts of the local store that no step brings forth and that are not there.
    private func missingArtifacts(_ forecast: PodForecast) -> [Finding] {
        guard let store else { return [] }
        var findings: [Finding] = []
        var produced = Set(workflow.argumentKeys)
        for entry in forecast.entries {
            for artifact in entry.template.inputArtifacts where !artifact.optional && !artifact.location.hasLocation {
                guard let key = try? artifact.location.key(), !key.isEmpty, !PodForecast.isVague(key) else { continue }
                let isProduced = produced.contains { key == $0 || key.hasPrefix($0 + "/") || $0.hasPrefix(key + "/") }
                if isProduced || (try? FileStatus.of(store.path(ofKey: key), followingLinks: false)) != nil { continue }
                let site = workflow.plan.site(of: entry.node)
                let part = site?.member("inputs").member("artifacts").elements.first { $0.name == artifact.name } ?? site
                let text = "artifact '\(artifact.name)' is not in the local store: there is no \(store.path(ofKey: key))"
                findings.append(part?.finding(.error, text) ?? Finding(.error, place: nil, text))
            }
            for artifact in entry.template.outputs.artifacts {
                let origin = PathRules.origin(ofOutput: artifact.path, in: entry.template, isInitless: false)
                let name = OutputFileName.of(
                    artifactName: artifact.name, path: (try? PathRules.cleanPath(artifact.path)) ?? artifact.path,
                    archive: artifact.archive, origin: origin)
                let location = try? artifact.location.withDefaultKey(in: entry.template.archiveLocation, fileName: name)
                if let key = try? location?.key() { produced.insert(key) }
            }
        }
        return findings
    }

    private func finding(_ severity: Finding.Severity, _ node: Node, _ text: String) -> Finding {
        workflow.plan.site(of: node)?.finding(severity, text) ?? Finding(severity, place: nil, "\(node.name): \(text)")
    }
}

extension PodProblem {
    /// Whether it is a field that nothing here obeys.
    var isAboutField: Bool { severity == .warning && cause.hasSuffix("has no effect in a local run") }
}
