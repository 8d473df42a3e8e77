import Documents
import ExpressionValues
import Expressions
import SystemSupport
import WorkflowModel
import WorkflowPlanning

/// What templates that call others put out, and what is put out to the whole workflow.
extension WorkflowRun {
    /// An artifact with its reference (`from`) followed; itself where it has none.
    ///
    /// - Returns: nil for an optional one that is not there, and for an output without a reference.
    func referenced(_ artifact: JSONValue, _ scope: Scope, isArgument: Bool) throws(StepError) -> JSONValue? {
        let from = artifact["from"]?.string ?? ""
        let expression = artifact["fromExpression"]?.string ?? ""
        if from.isEmpty, expression.isEmpty { return isArgument ? artifact : nil }
        let name = Self.reference(from)
        var found: JSONObject
        do throws(StepError) {
            found = try expression.isEmpty ? self.artifact(named: name, scope) : self.artifact(of: expression, scope)
        } catch {
            if artifact["optional"]?.bool == true { return nil }
            let context = isArgument ? "unable to resolve references" : "unable to resolve outputs from scope"
            throw .text("\(context): \(error.message)")
        }
        if let subPath = artifact["subPath"]?.string, !subPath.isEmpty { found = try descended(found, subPath, scope) }
        found["name"] = artifact["name"]
        return .object(found)
    }

    /// The name in a reference, which may stand in braces.
    private static func reference(_ text: String) -> String {
        var name = text
        if name.hasPrefix("{{") { name.removeFirst(2) }
        if name.hasSuffix("}}") { name.removeLast(2) }
        return name.trimmed
    }

    private func artifact(named name: String, _ scope: Scope) throws(StepError) -> JSONObject {
        guard let found = self.artifact(name, in: scope) else { throw .text("Unable to resolve: \"\(name)\"") }
        return found
    }

    /// The artifact that an expression gives.
    private func artifact(of expression: String, _ scope: Scope) throws(StepError) -> JSONObject {
        let environment = expressionScope(scope, globals, text: expression, artifacts: true)
        switch try environment.value(of: expression) {
        case .unknown: return ["s3": ["key": .string(UnknownValue(of: "expression", expression).text)]]
        case .value(let value):
            guard case .map = value, let artifact = (try? value.json())?.object else {
                throw .text("the value of '\(expression)' is no artifact")
            }
            return artifact
        }
    }

    /// The artifact at a path inside another.
    private func descended(_ artifact: JSONObject, _ subPath: String, _ scope: Scope) throws(StepError) -> JSONObject {
        do {
            let path = try replaced(.string(subPath), scope, VariableTable([:]), strict: []).string ?? subPath
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
                parameter["value"] = .string(try outputValue(of: parameter["name"]?.string ?? "", source, scope))
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

    private func outputValue(
        of parameter: String, _ source: JSONValue, _ scope: Scope
    ) throws(StepError) -> String {
        let fallback = source["default"].flatMap { AnyString.text(of: $0) }
        if let expression = source["expression"]?.string, !expression.isEmpty {
            do throws(StepError) {
                switch try expressionScope(scope, globals, text: expression).value(of: expression) {
                case .unknown: return UnknownValue(of: "expression", expression).text
                case .value(let value):
                    if case .null = value { throw .text("failed to evaluate expression \"\(expression)\"") }
                    return value.shown
                }
            } catch {
                if let fallback { return fallback }
                throw error
            }
        }
        let name = Self.reference(source["parameter"]?.string ?? "")
        switch variable(name, in: scope) {
        case .text(let text)?, .unknown(let text)?: return text
        case .absent?:
            if let fallback { return fallback }
            throw .text(
                "output parameter \"\(parameter)\": \"{{\(name)}}\" is an absent optional (skipped/omitted node output with no default)"
            )
        case nil:
            if let fallback { return fallback }
            throw .text("Unable to resolve: \"\(name)\"")
        }
    }

    /// Adds a node's outputs that have a global name to the workflow's.
    mutating func raiseOutputs(of id: String) {
        guard let outputs = store[id]?.outputs else { return }
        for parameter in outputs["parameters"]?.array ?? [] {
            guard let name = parameter["globalName"]?.string, !name.isEmpty else { continue }
            var raised: JSONObject = ["name": .string(name)]
            raised["value"] = parameter["value"]
            raise(.object(raised), to: "parameters")
            if let value = parameter["value"]?.string { changing["workflow.outputs.parameters.\(name)"] = value }
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
