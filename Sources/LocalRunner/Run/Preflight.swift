import ArtifactRegistry
import Artifacts
import Documents
import FileTrees
import PodSandbox
import SystemSupport
import WorkflowEngine
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// Everything about the pods to come that would keep them from being run, or has no effect here.
struct Preflight {
    let workflow: PreparedWorkflow
    let podRuntime: PodRuntime
    let store: EmbeddedStore?

    /// What is to be told before anything runs, errors included.
    func findings(_ dryRun: PodDryRun) -> (findings: [Finding], notes: [String]) {
        var findings: [Finding] = []
        var notes: [String] = []
        var known: Set<Finding> = []
        func add(_ finding: Finding) { if known.insert(finding).inserted { findings.append(finding) } }
        for (node, cause) in dryRun.failures where !UnknownValue.affects(cause) { add(finding(.error, node, cause)) }
        // Pods of one template with the same images and programs have the same problems.
        var seen: Set<String> = []
        var nodes: [String: Node] = [:]
        var pods: [JSONValue] = []
        for entry in dryRun.entries {
            let images = (entry.pod["spec"]?["containers"]?.array ?? []).compactMap { $0["image"]?.string }
            let programs = (entry.pod["spec"]?["containers"]?.array ?? []).map { container in
                ProgramSurvey.program(of: (container["command"]?.array ?? []).compactMap(\.string)) ?? ""
            }
            let key = "\(entry.node.templateKey) \(entry.template.name) \(images) \(programs)"
            guard seen.insert(key).inserted, let name = entry.pod["metadata"]?["name"]?.string else { continue }
            nodes[name] = entry.node
            pods.append(entry.pod)
        }
        for problem in podRuntime.preflight(pods) {
            // Fields without effect have been told with their lines.
            if UnknownValue.affects(problem.text) || problem.kind == .withoutEffect { continue }
            guard problem.severity != .note || !problem.pod.isEmpty else {
                notes.append(problem.message)
                continue
            }
            let severity: Finding.Severity = problem.severity == .note ? .warning : problem.severity
            let text = problem.subject.isEmpty ? problem.text : "\(problem.subject): \(problem.text)"
            if let node = nodes[problem.pod] {
                add(finding(problem, severity, node, text))
            } else {
                notes.append(problem.message)
            }
        }
        for finding in unreachableArtifacts(dryRun) { add(finding) }
        for finding in missingArtifacts(dryRun) { add(finding) }
        for finding in dryRun.unresolvedVariables(workflow.plan) { add(finding) }
        return (findings, notes)
    }

    /// Artifacts in stores that a local run cannot reach.
    private func unreachableArtifacts(_ dryRun: PodDryRun) -> [Finding] {
        var findings: [Finding] = []
        for entry in dryRun.entries {
            let site = workflow.plan.site(of: entry.node)
            let lists = [("inputs", entry.template.inputArtifacts), ("outputs", entry.template.outputs.artifacts)]
            for (list, artifacts) in lists {
                for artifact in artifacts {
                    let location = artifact.location.hasLocation ? artifact.location : entry.template.archiveLocation
                    let used = location?.driverKind
                    let isKept = used.map(ArtifactDrivers.canReach) ?? true
                    // A plugin that is only named would get its settings from the repository, which is another one here.
                    let isNamed = store != nil && !(artifact.location.plugin?.name ?? "").isEmpty
                    guard let kind = isNamed ? .plugin : used, isNamed || !isKept else { continue }
                    let text =
                        isKept
                        ? "artifact '\(artifact.name)' names a plugin; it is kept in the local store instead"
                        : "artifact '\(artifact.name)' is in a store of the kind \(kind.rawValue), which a local run cannot reach"
                    let part = site?.member(list).member("artifacts").elements.first { $0.name == artifact.name }
                    let field = part?.member(kind.rawValue)
                    let place = field?.value.isNull == false ? field : part ?? site
                    let severity: Finding.Severity = isKept ? .warning : .error
                    findings.append(
                        place?.finding(severity, text) ?? Finding(severity, place: nil, "\(entry.node.name): \(text)"))
                }
            }
        }
        return findings
    }

    /// Artifacts of the local store that no step produces and that are not there.
    private func missingArtifacts(_ dryRun: PodDryRun) -> [Finding] {
        guard let store, dryRun.isComplete else { return [] }
        var findings: [Finding] = []
        var produced = KeySet(workflow.argumentKeys)
        for entry in dryRun.entries {
            for artifact in entry.template.inputArtifacts where !artifact.optional && !artifact.location.hasLocation {
                guard let key = try? artifact.location.key(), !key.isEmpty, !UnknownValue.affects(key) else { continue }
                if produced.meets(key) || (try? FileStatus.of(store.path(ofKey: key), followingLinks: false)) != nil {
                    continue
                }
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

    /// About the command of the container whose program is the problem, else about the template.
    private func finding(_ problem: Finding, _ severity: Finding.Severity, _ node: Node, _ text: String) -> Finding {
        guard problem.kind == .program, let site = workflow.plan.site(of: node) else { return finding(severity, node, text) }
        let lists = [site.member("containerSet").member("containers"), site.member("initContainers"), site.member("sidecars")]
        let named = lists.flatMap(\.elements).first { problem.subject == "container '\($0.name)'" }
        let container = named ?? (site.value["script"] == nil ? site.member("container") : site.member("script"))
        let command = container.member("command")
        if let word = command.elements.first { return word.finding(severity, text, atValue: true) }
        return container.value.isNull ? finding(severity, node, text) : container.finding(severity, text)
    }

    private func finding(_ severity: Finding.Severity, _ node: Node, _ text: String) -> Finding {
        workflow.plan.site(of: node)?.finding(severity, text) ?? Finding(severity, place: nil, "\(node.name): \(text)")
    }
}

/// Keys of a store, of which one may be a directory above another.
private struct KeySet {
    private var keys: Set<String> = []
    /// Everything that lies above a key.
    private var directories: Set<String> = []

    init(_ keys: [String]) { for key in keys { insert(key) } }

    mutating func insert(_ key: String) {
        keys.insert(key)
        for directory in Self.directories(above: key) where !directories.insert(directory).inserted { break }
    }

    /// Whether a key is among these, above or below one.
    func meets(_ key: String) -> Bool {
        keys.contains(key) || directories.contains(key) || Self.directories(above: key).contains { keys.contains($0) }
    }

    /// From the innermost on.
    private static func directories(above key: String) -> [String] {
        var found: [String] = []
        var rest = key[...]
        while let slash = rest.lastIndex(of: "/") {
            rest = rest[..<slash]
            found.append(String(rest))
        }
        return found
    }
}
