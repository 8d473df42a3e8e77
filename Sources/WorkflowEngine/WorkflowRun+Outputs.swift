import Documents
import SystemSupport
import WorkflowModel

/// What templates that call others put out, and what is put out to the whole workflow.
extension WorkflowRun {
    /// An artifact with its reference (`from`) followed; itself where it has none.
    ///
    /// - Returns: nil for an optional one that is not there, and for an output without a reference.
    func referenced(_ artifact: JSONValue, _ scope: Scope, isArgument: Bool) throws(StepError) -> JSONValue? {
        guard let from = artifact["from"]?.string, !from.isEmpty else { return isArgument ? artifact : nil }
        var name = from
        if name.hasPrefix("{{") { name.removeFirst(2) }
        if name.hasSuffix("}}") { name.removeLast(2) }
        name = name.trimmed
        guard var found = self.artifact(name, in: scope) else {
            if artifact["optional"]?.bool == true { return nil }
            let problem = "Unable to resolve: \"\(name)\""
            throw .text(
                isArgument ? "unable to resolve references: \(problem)" : "unable to resolve outputs from scope: \(problem)")
        }
        if let subPath = artifact["subPath"]?.string, !subPath.isEmpty { found = try descended(found, subPath, scope) }
        found["name"] = artifact["name"]
        return .object(found)
    }

    /// The artifact at a path inside another.
    private func descended(_ artifact: JSONObject, _ subPath: String, _ scope: Scope) throws(StepError) -> JSONObject {
        do {
            let path = try TagText.replace(text: subPath) { text($0, in: scope) }
            let location = try ArtifactLocation(document: .object(artifact))
            let key = BytePath(try location.key()).appending(BytePath(path)).cleaned.text
            var result = artifact
            for member in try location.settingKey(key).document.members { result[member.name] = member.value }
            return result
        } catch {
            if artifact["optional"]?.bool == true { return artifact }
            throw .text("sub-path '\(subPath)': \(errorText(error))")
        }
    }

    /// The outputs of a template of steps or tasks; nil where it has none.
    func templateOutputs(_ template: JSONObject, _ scope: Scope) throws(StepError) -> JSONObject? {
        let declared = template["outputs"]
        let parameters = declared?["parameters"]?.array ?? []
        let artifacts = declared?["artifacts"]?.array ?? []
        if parameters.isEmpty, artifacts.isEmpty { return nil }
        var result = JSONObject()
        var values: [JSONValue] = []
        for parameter in parameters {
            var parameter = parameter
            if let source = parameter["valueFrom"], !source.isNull {
                parameter["value"] = .string(try outputValue(source, scope))
                parameter["valueFrom"] = nil
            }
            values.append(WorkflowVariables.ordered(parameter))
        }
        if !values.isEmpty { result["parameters"] = .array(values) }
        var found: [JSONValue] = []
        for artifact in artifacts {
            if let value = try referenced(artifact, scope, isArgument: false) { found.append(value) }
        }
        if !found.isEmpty { result["artifacts"] = .array(found) }
        return result
    }

    private func outputValue(_ source: JSONValue, _ scope: Scope) throws(StepError) -> String {
        var name = source["parameter"]?.string ?? ""
        if name.hasPrefix("{{") { name.removeFirst(2) }
        if name.hasSuffix("}}") { name.removeLast(2) }
        name = name.trimmed
        if let value = text(name, in: scope) { return value }
        if let fallback = source["default"].flatMap({ AnyString.text(of: $0) }) { return fallback }
        throw .text("Unable to resolve: \"\(name)\"")
    }

    /// Adds a node's outputs that have a global name to the workflow's.
    mutating func raiseOutputs(of id: String) {
        guard let outputs = nodes[id]?.outputs else { return }
        for parameter in outputs["parameters"]?.array ?? [] {
            guard let name = parameter["globalName"]?.string, !name.isEmpty else { continue }
            var raised: JSONObject = ["name": .string(name)]
            raised["value"] = parameter["value"]
            raise(.object(raised), to: "parameters")
        }
        for artifact in outputs["artifacts"]?.array ?? [] {
            guard let name = artifact["globalName"]?.string, !name.isEmpty else { continue }
            var raised = artifact
            raised["name"] = .string(name)
            for field in ["globalName", "path"] { raised[field] = nil }
            raise(raised, to: "artifacts")
        }
    }

    private mutating func raise(_ value: JSONValue, to kind: String) {
        var list = outputs[kind]?.array ?? []
        if let index = list.firstIndex(where: { $0["name"] == value["name"] }) {
            list[index] = value
        } else {
            list.append(value)
        }
        outputs[kind] = .array(list)
    }
}
