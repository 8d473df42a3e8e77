import Documents
import SystemSupport
import WorkflowModel
import WorkflowPlanning

/// Nodes that wait.
extension WorkflowRun {
    mutating func suspend(_ id: String) throws(StepError) {
        guard let node = store[id], let execution = executions[id] else { return }
        if isShuttingDown { return mark(id, .failed, "Stopped with strategy 'Terminate'") }
        var duration: Int64?
        if let text = execution.template["suspend"]?["duration"]?.string, !text.isEmpty {
            guard let nanoseconds = Durations.nanoseconds(text) else { throw .text("unable to parse \(text) as a duration") }
            duration = max(0, nanoseconds)
        }
        let awaited = awaitedOutputs(of: execution.template)
        if !awaited.isEmpty { store.edit(id) { $0.outputs = ["parameters": .array(awaited)] } }
        actions.append(.suspend(nodeID: id, nodeName: node.name, duration: duration))
    }

    /// The outputs that somebody is to supply. The default of an input of the same name is theirs too.
    private func awaitedOutputs(of template: JSONObject) -> [JSONValue] {
        let inputs = template["inputs"]?["parameters"]?.array ?? []
        return (template["outputs"]?["parameters"]?.array ?? []).compactMap { parameter in
            guard var source = parameter["valueFrom"], source["supplied"] != nil else { return nil }
            if source["default"] == nil, let input = inputs.first(where: { $0["name"] == parameter["name"] }) {
                source["default"] = input["default"]
            }
            var parameter = parameter
            parameter["valueFrom"] = source
            return parameter
        }
    }

    /// Gives a node the outputs it waits for: those given, else their defaults.
    mutating func supply(_ values: [String: String], to id: String) throws(StepError) {
        guard var outputs = store[id]?.outputs, var parameters = outputs["parameters"]?.array else { return }
        for index in parameters.indices {
            guard let source = parameters[index]["valueFrom"], source["supplied"] != nil else { continue }
            let name = parameters[index]["name"]?.string ?? ""
            guard let value = values[name] ?? source["default"].flatMap({ AnyString.text(of: $0) }) else {
                throw .text("raw output parameter '\(name)' has not been set and does not have a default value")
            }
            parameters[index]["value"] = .string(value)
            parameters[index]["valueFrom"] = nil
        }
        outputs["parameters"] = .array(parameters)
        store.edit(id) { $0.outputs = outputs }
    }
}
