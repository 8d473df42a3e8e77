import Documents
import Executor
import ExecutorCore
import WorkflowModel

/// A pod of a step as its executor sees it: the template, and the variables that the controller has set.
struct StepPod {
    let template: Template
    /// Of the executor's own containers.
    let environment: Environment

    /// - Throws: `ExecutorError` for a pod without a template, `ModelError` or `JSONError` for a template that cannot be read.
    init(_ pod: JSONValue) throws {
        let containers = ["initContainers", "containers"].flatMap { pod["spec"]?[$0]?.array ?? [] }
        let executors = containers.filter { ["init", "wait", "supervisor"].contains($0["name"]?.string) }
        var values: [String: String] = [:]
        for container in executors + containers {
            for variable in container["env"]?.array ?? [] {
                guard let name = variable["name"]?.string, let value = variable["value"]?.string else { continue }
                if values[name] == nil { values[name] = value }
            }
        }
        if values[EnvironmentVariable.podName.rawValue] == nil {
            values[EnvironmentVariable.podName.rawValue] = pod["metadata"]?["name"]?.string ?? "pod"
        }
        guard let text = values[EnvironmentVariable.template.rawValue] else {
            throw ExecutorError.badRequest("read the pod: no container has the variable ARGO_TEMPLATE")
        }
        if text == "offloaded" {
            throw ExecutorError.badRequest("read the pod: its template is in a config map; put it into ARGO_TEMPLATE")
        }
        template = try Template.load(from: Array(text.utf8))
        environment = Environment(values)
    }
}
