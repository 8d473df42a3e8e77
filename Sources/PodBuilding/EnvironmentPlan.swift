import Documents
import SystemSupport
import WorkflowEngine
import WorkflowPlanning

/// The variables of each container, in the controller's order (contract 01 §5).
struct EnvironmentPlan: Sendable {
    let request: PodRequest
    let settings: PodSettings

    /// The variables of an executor's container.
    ///
    /// - Parameter template: the template's text; nil for containers that read it from the run directory.
    func executor(of name: String, isRegular: Bool, template: String?) -> [JSONValue] {
        var list: [JSONValue] = [
            Self.field("ARGO_POD_NAME", "metadata.name"), Self.field("ARGO_POD_UID", "metadata.uid"),
            Self.value("ARGO_WORKFLOW_NAME", settings.workflowName), Self.value("ARGO_WORKFLOW_UID", settings.workflowUID),
        ]
        for (name, value) in settings.executorEnvironment { list.append(Self.value(name, value)) }
        if isRegular { list.append(["name": "ARGO_ARTIFACT_PLUGIN_NAMES"]) }
        return list + common(name, template: template)
    }

    /// The variables of a user's container: its own first.
    ///
    /// - Parameter template: the template's text, which init containers get too.
    func user(_ container: UserContainer, template: String?) -> [JSONValue] {
        let own = container.document.field("env")?.array ?? []
        return own + common(container.name, template: template)
    }

    /// The variables of a main container.
    func main(_ container: UserContainer) -> [JSONValue] {
        user(container, template: nil) + settings.mainEnvironment.map { Self.value($0.name, $0.value) }
    }

    private func common(_ name: String, template: String?) -> [JSONValue] {
        var list = [Self.value("ARGO_CONTAINER_NAME", name)]
        if let template { list.append(Self.value("ARGO_TEMPLATE", template)) }
        list += [
            Self.value("ARGO_NODE_ID", request.nodeID),
            Self.value("ARGO_INCLUDE_SCRIPT_OUTPUT", String(request.includesScriptOutput)),
            Self.value("ARGO_DEADLINE", (request.deadline ?? .zero).rfc3339()),
            Self.value("ARGO_WORKFLOW_NAME", settings.workflowName),
        ]
        if let ticks = settings.progressTicks {
            list += [
                Self.value("ARGO_PROGRESS_FILE", "/var/run/argo/progress"),
                Self.value("ARGO_PROGRESS_PATCH_TICK_DURATION", ticks.patch),
                Self.value("ARGO_PROGRESS_FILE_TICK_DURATION", ticks.file),
            ]
        }
        return list
    }

    private static func value(_ name: String, _ value: String) -> JSONValue {
        ["name": .string(name), "value": .string(value)]
    }

    private static func field(_ name: String, _ path: String) -> JSONValue {
        ["name": .string(name), "valueFrom": ["fieldRef": ["apiVersion": "v1", "fieldPath": .string(path)]]]
    }
}
