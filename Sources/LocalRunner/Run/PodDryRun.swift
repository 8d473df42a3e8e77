import Documents
import PodBuilding
import SystemSupport
import WorkflowEngine
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// The pods that a workflow will have, told before it runs: the engine runs it with pods that do nothing, whose outputs are
/// unknown values.
struct PodDryRun: Sendable {
    struct Entry: Sendable {
        let node: Node
        let pod: JSONValue
        /// What was too large for the pod; nil where all fits.
        let configMap: JSONValue?
        let template: Template
    }

    /// In the order of their start.
    private(set) var entries: [Entry] = []
    /// Nodes for which no pod can be built, and why.
    private(set) var failures: [(node: Node, cause: String)] = []

    /// Whether every different call of a template was run.
    let isComplete: Bool

    /// - Parameter isAbridged: leaves out calls that are like others, so that the dry run is as long as the file, not as the run.
    init(_ workflow: PreparedWorkflow, _ factory: PodFactory, isAbridged: Bool = false) {
        let abridgement = Abridgement(keepsAll: !isAbridged)
        var run = WorkflowRun(plan: workflow.plan, identity: workflow.identity, abridgement: abridgement)
        let now = workflow.identity.creationTimestamp
        var actions = run.start(at: now)[...]
        while let action = actions.popFirst() {
            switch action {
            case .runPod(var request):
                // Nobody can read a patch that is not known yet.
                if let patch = request.template["podSpecPatch"]?.string, UnknownValue.affects(patch) {
                    request.template["podSpecPatch"] = nil
                }
                guard let node = run.node(request.nodeID) else { continue }
                var outputs: Outputs?
                do {
                    let (built, template) = try factory.pod(for: request)
                    entries.append(Entry(node: node, pod: built.pod, configMap: built.configMap, template: template))
                    outputs = Self.outputs(of: template, node)
                } catch { failures.append((node, errorText(error))) }
                actions += run.podFinished(
                    request.nodeID, PodResult(phase: .succeeded, outputs: outputs, exitCode: 0), at: now)
            case .suspend(let nodeID, let name, _):
                var supplied: [String: String] = [:]
                for parameter in run.node(nodeID)?.outputs?["parameters"]?.array ?? [] {
                    guard let parameter = parameter["name"]?.string else { continue }
                    supplied[parameter] = UnknownValue(of: name, parameter).text
                }
                actions += run.resume(nodeID, outputs: supplied, at: now)
            case .stopPod, .wake, .remember, .workflowFinished: break
            }
        }
        isComplete = run.abridgement?.isComplete ?? true
    }

    /// Variables of the workflow language that are still there when everything has been put in: those in the values of parameters
    /// that refer to each other more often than the controller looks.
    func unresolvedVariables(_ plan: WorkflowPlan) -> [Finding] {
        var findings: [Finding] = []
        var seen: Set<String> = []
        for entry in entries where seen.insert(entry.node.templateKey).inserted {
            var document = entry.template.document
            document["inputs"] = nil
            let text = String(decoding: document.serialized(), as: UTF8.self)
            var unresolved: String?
            for prefix in ["workflow.parameters.", "inputs.parameters."] where unresolved == nil {
                guard let start = text.firstRange(of: "{{" + prefix) else { continue }
                let name = text[start.upperBound...].prefix { $0 != "}" && $0 != "\"" }
                unresolved = prefix + name
            }
            guard let unresolved else { continue }
            let message =
                "{{\(unresolved)}} stays as it is: parameters refer to each other more often than the controller looks"
            findings.append(
                plan.site(of: entry.node)?.finding(.warning, message)
                    ?? Finding(.warning, place: nil, "\(entry.node.name): \(message)"))
        }
        return findings
    }

    /// What a pod of a template would report.
    private static func outputs(of template: Template, _ node: Node) -> Outputs {
        func standIn(_ output: String) -> String { UnknownValue(of: node.displayName, output).text }
        var outputs = Outputs(result: template.capturesResult ? standIn("result") : nil)
        for parameter in template.outputs.parameters {
            var document = parameter.document
            document["valueFrom"] = nil
            document["value"] = .string(standIn(parameter.name))
            if let known = try? Parameter(document: document) { outputs.parameters.append(known) }
        }
        for artifact in template.outputs.artifacts {
            let origin = PathRules.origin(ofOutput: artifact.path, in: template, isInitless: false)
            let path = (try? PathRules.cleanPath(artifact.path)) ?? artifact.path
            let fileName = OutputFileName.of(artifactName: artifact.name, path: path, archive: artifact.archive, origin: origin)
            guard let location = try? artifact.location.withDefaultKey(in: template.archiveLocation, fileName: fileName) else {
                continue
            }
            outputs.artifacts.append(artifact.withLocation(location))
        }
        return outputs
    }
}
