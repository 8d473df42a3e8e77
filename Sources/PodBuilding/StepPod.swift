package import Documents
package import PodSandbox
package import SystemSupport
package import WorkflowEngine
package import WorkflowModel
import WorkflowPlanning

/// A step as the executor in its pod would see it: the template, and the variables that the controller sets.
package struct StepPod {
    package let template: Template
    /// Of the executor's own containers, the template left out.
    package let variables: [String: String]

    package var environment: Environment { Environment(variables) }

    package init(template: Template, variables: [String: String]) {
        self.template = template
        var variables = variables.filter { name, _ in
            EnvironmentVariable(rawValue: name) != nil && name != EnvironmentVariable.template.rawValue
        }
        // What the executor cannot do without.
        for (variable, value) in [(EnvironmentVariable.podName, "pod"), (.deadline, Timestamp.zero.rfc3339())]
        where variables[variable.rawValue] == nil {
            variables[variable.rawValue] = value
        }
        self.variables = variables
    }

    /// Reads a pod.
    ///
    /// - Parameter objects: holds the config map of a template that was too large for the pod.
    /// - Throws: `ExecutorError` for a pod without a template, `ModelError` or `JSONError` for a template that cannot be read.
    package init(_ pod: JSONValue, objects: ObjectFolders) throws {
        let containers = ["initContainers", "containers"].flatMap { pod["spec"]?[$0]?.array ?? [] }
        let executors = containers.filter { ["init", "wait", "supervisor"].contains($0["name"]?.string) }
        var values: [String: String] = [:]
        for container in executors + containers {
            for variable in container["env"]?.array ?? [] {
                guard let name = variable["name"]?.string, let value = variable["value"]?.string else { continue }
                if values[name] == nil { values[name] = value }
            }
        }
        let name = EnvironmentVariable.podName.rawValue
        values[name] = values[name] ?? pod["metadata"]?["name"]?.string
        guard values[EnvironmentVariable.template.rawValue] != nil else {
            throw ExecutorError.badRequest("read the pod: no container has the variable ARGO_TEMPLATE")
        }
        guard let text = try PodTemplate.text(of: pod, objects: objects) else {
            throw ExecutorError.badRequest("read the pod: its template is in a config map; give its folder with --configmaps")
        }
        self.init(template: try Template.load(from: text), variables: values)
    }

    /// The step that a node would be.
    package init(_ request: PodRequest, template: Template, identity: WorkflowRun.Identity) {
        let variables: [(EnvironmentVariable, String)] = [
            (.podName, request.podName), (.workflowName, identity.name), (.workflowUID, identity.uid),
            (.nodeID, request.nodeID),
            (.includeScriptOutput, String(request.includesScriptOutput)),
        ]
        self.init(
            template: template,
            variables: Dictionary(variables.map { ($0.0.rawValue, $0.1) }, uniquingKeysWith: { $1 }))
    }

    /// The same step with its artifacts in another repository than the one that it was made for.
    ///
    /// - Throws: `ExecutorError` where the repository's key format has tags that nothing here has a value for.
    package func moved(to repository: ArtifactRepository) throws -> StepPod {
        let known: [String: EnvironmentVariable] = [
            "workflow.name": .workflowName, "workflow.uid": .workflowUID, "pod.name": .podName,
        ]
        var unknown: [String] = []
        var location = repository.location.document
        location["archiveLogs"] = template.archiveLocation?.archiveLogs.map { .bool($0) } ?? location["archiveLogs"]
        let replaced = try TagText.replace(.object(location)) { tag in
            if let value = known[tag].flatMap({ variables[$0.rawValue] }) { return value }
            unknown.append(tag)
            return nil
        }
        if let tag = unknown.first {
            throw ExecutorError.badRequest(
                "use \(repository.source): its key format has {{\(tag)}}, whose value only the workflow's file tells: name that too"
            )
        }
        return StepPod(template: try template.settingArchiveLocation(replaced), variables: variables)
    }
}
