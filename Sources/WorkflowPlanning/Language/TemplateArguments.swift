package import Documents
import SystemSupport
import WorkflowModel

/// Gives a template its arguments: values and locations into its inputs, then every tag replaced.
package struct TemplateArguments {
    /// Variables of the workflow and of the node.
    package let variables: VariableTable
    package let settings: RunSettings

    package init(variables: VariableTable, settings: RunSettings) {
        self.variables = variables
        self.settings = settings
    }

    /// In an argument: it is nothing but the output of something that was not run, and so not given.
    package static let absent = "\u{0}absent"

    package func applied(_ arguments: JSONValue, to template: JSONObject) throws(StepError) -> JSONObject {
        var template = template
        var inputs = template["inputs"]?.object ?? [:]
        if let parameters = inputs["parameters"]?.array {
            let given = Dictionary((arguments["parameters"]?.array ?? []).map { ($0["name"]?.string ?? "", $0) }) { first, _ in
                first
            }
            var filled: [JSONValue] = []
            for input in parameters { filled.append(try parameter(input, given)) }
            inputs["parameters"] = .array(filled)
        }
        if let artifacts = inputs["artifacts"]?.array {
            let given = arguments["artifacts"]?.array ?? []
            var filled: [JSONValue] = []
            for input in artifacts { filled.append(try artifact(input, given)) }
            inputs["artifacts"] = .array(filled)
        }
        if template["inputs"] != nil { template["inputs"] = .object(inputs) }
        return try substituted(template)
    }

    private func parameter(_ input: JSONValue, _ given: [String: JSONValue]) throws(StepError) -> JSONValue {
        let name = input["name"]?.string ?? ""
        func text(_ value: JSONValue?) -> String? { value.flatMap { AnyString.text(of: $0) } }
        var value = text(input["value"]) ?? text(input["default"])
        var source = input["valueFrom"].flatMap { $0.isNull ? nil : $0 }
        if let argument = given[name] {
            if argument[Self.absent] != nil {
                if value == nil, source == nil {
                    throw .text(
                        "inputs.parameters.\(name): argument references an absent optional (skipped/omitted node output with no default)"
                    )
                }
            } else if let supplied = text(argument["value"]) {
                value = supplied
                source = nil
            } else {
                value = nil
                source = argument["valueFrom"].flatMap { $0.isNull ? nil : $0 }
            }
        }
        if let selector = source?["configMapKeyRef"], !selector.isNull {
            value = try configMapValue(selector, text(source?["default"]), of: name)
        } else if value == nil {
            throw .text("inputs.parameters.\(name) was not supplied")
        }
        var result = input
        result["value"] = value.map { .string($0) }
        result["valueFrom"] = source
        return WorkflowVariables.ordered(result)
    }

    private func configMapValue(_ selector: JSONValue, _ fallback: String?, of parameter: String) throws(StepError) -> String {
        var names: [String] = []
        for field in ["name", "key"] {
            names.append(try replaced(.string(selector[field]?.string ?? ""), variables).string ?? "")
        }
        guard let value = settings.configMapValue(names[0], names[1]) ?? fallback else {
            throw .text(
                "unable to retrieve inputs.parameters.\(parameter) from ConfigMap: key '\(names[1])' of '\(names[0])' is not there"
            )
        }
        return value
    }

    private func artifact(_ input: JSONValue, _ given: [JSONValue]) throws(StepError) -> JSONValue {
        let name = input["name"]?.string ?? ""
        let argument = given.first { $0["name"]?.string == name }
        if input["optional"]?.bool != true, !ArgumentRules.hasLocationOrKey(input) {
            guard let argument else { throw .text("inputs.artifacts.\(name) was not supplied") }
            if !ArgumentRules.hasLocationOrKey(argument) {
                throw .text("inputs.artifacts.\(name) missing location information")
            }
        }
        guard var result = argument else { return input }
        for field in ["path", "mode", "recurseMode"] { result[field] = input[field] }
        return result
    }

    /// Tags are replaced in two rounds: the workflow's and the node's first, since they may stand in inputs, then the inputs.
    package func substituted(_ template: JSONObject) throws(StepError) -> JSONObject {
        let first = try replaced(.object(template), variables)
        var names: [String: String] = [:]
        let parameters = first["inputs"]?["parameters"]?.array ?? []
        for parameter in parameters {
            names["inputs.parameters.\(parameter["name"]?.string ?? "")"] = parameter["value"]?.string
        }
        names["inputs.parameters"] = WorkflowVariables.json(parameters)
        for kind in ["inputs", "outputs"] {
            for artifact in first[kind]?["artifacts"]?.array ?? [] {
                guard let path = artifact["path"]?.string, !path.isEmpty else { continue }
                names["\(kind).artifacts.\(artifact["name"]?.string ?? "").path"] = path
            }
        }
        for parameter in first["outputs"]?["parameters"]?.array ?? [] {
            guard let path = parameter["valueFrom"]?["path"]?.string, !path.isEmpty else { continue }
            names["outputs.parameters.\(parameter["name"]?.string ?? "").path"] = path
        }
        return try replaced(first, variables.with(names)).object ?? template
    }

    private func replaced(_ value: JSONValue, _ table: VariableTable) throws(StepError) -> JSONValue {
        do throws(TagText.Fault) {
            return try TagText.replace(
                value,
                evaluate: { (text) throws(TagText.Fault) in
                    var scope = ExpressionScope()
                    scope.add(table)
                    return try scope.tag(text, strict: nil)
                },
                { (name) throws(TagText.Fault) in table[name] })
        } catch { throw .text(error.text) }
    }
}
