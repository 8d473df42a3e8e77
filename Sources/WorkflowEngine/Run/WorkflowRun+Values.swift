import Documents
import ExpressionValues
import Expressions
import SystemSupport
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// What tags, references and expressions stand for while the run goes on.
extension WorkflowRun {
    /// What a tag stands for in a scope; nil for what is none of the scope's.
    func variable(_ tag: String, in scope: Scope) -> Variable? {
        if let text = scope.inputs[tag] { return Variable(text) }
        if let name = tag.dropping("workflow.outputs.parameters.") {
            return outputs.output("parameters", name)?["value"]?.string.map { Variable($0) }
        }
        guard let (member, _, rest) = scope.member(of: tag) else { return nil }
        switch member {
        case .node(let id): return nodeVariable(rest, of: id)
        case .loop(let group, let calls):
            switch rest {
            case "outputs.result": return aggregate(calls).result.map { Variable($0) }
            case "outputs.parameters": return aggregate(calls).parameters.map { Variable($0) }
            default:
                if let name = rest.dropping("outputs.parameters.") {
                    return aggregate(calls).byName.first { $0.0 == name }.map { Variable($0.1) }
                }
                return nodeVariable(rest, of: group)
            }
        }
    }

    private func nodeVariable(_ rest: Substring, of id: String) -> Variable? {
        guard let node = lastAttempt(of: id) else { return nil }
        if let field = NodeField(rawValue: String(rest)) { return field.text(of: node).map { .text($0) } }
        if rest == "outputs.result" {
            if let result = node.outputs?["result"]?.string { return Variable(result) }
            return absentOutputs(of: node)?.hasResult == true ? .absent : nil
        }
        guard let name = rest.dropping("outputs.parameters.") else { return nil }
        if let value = node.outputs?.output("parameters", name)?["value"]?.string { return Variable(value) }
        return absentOutputs(of: node)?.parameters.first { $0.0 == name }?.1
    }

    /// The node itself; of one that is tried again and again its last attempt.
    func lastAttempt(of id: String) -> Node? {
        guard let node = store[id] else { return nil }
        guard node.type == .retry, node.memoization?.isHit != true, let last = retries[id]?.attempts.last else { return node }
        return store[last] ?? node
    }

    /// The outputs that a node which was not run would have had: their defaults, else nothing.
    private func absentOutputs(of node: Node) -> (parameters: [(String, Variable)], hasResult: Bool)? {
        guard node.phase == .skipped || node.phase == .omitted, node.outputs == nil, let template = skipped[node.id] else {
            return nil
        }
        let outputs = template["outputs"]
        let parameters = (outputs?["parameters"]?.array ?? []).map { parameter -> (String, Variable) in
            let fallback = parameter["valueFrom"]?["default"].flatMap { AnyString.text(of: $0) }
            return (parameter["name"]?.string ?? "", fallback.map { .text($0) } ?? .absent)
        }
        return (parameters, outputs?["result"] != nil)
    }

    /// The artifact that a reference leads to.
    func artifact(_ tag: String, in scope: Scope) -> JSONObject? {
        if let artifact = scope.artifacts[tag] { return artifact }
        if let name = tag.dropping("workflow.outputs.artifacts.") { return outputs.output("artifacts", name)?.object }
        guard let (member, _, rest) = scope.member(of: tag), let name = rest.dropping("outputs.artifacts."),
            case .node(let id) = member
        else { return nil }
        return lastAttempt(of: id)?.outputs?.output("artifacts", name)?.object
    }

    // MARK: Expressions

    /// Everything that an expression in a scope can use.
    ///
    /// - Parameters:
    ///   - text: of the expression: where there are many steps or tasks, only those that it names are put in.
    ///   - artifacts: whether artifacts count too.
    func expressionScope(_ scope: Scope?, _ table: VariableTable, text: String, artifacts: Bool = false) -> ExpressionScope {
        var result = ExpressionScope()
        result.add(table)
        guard let scope else { return result }
        for (name, value) in scope.inputs { result.add(name, Variable(value)) }
        if artifacts {
            for (name, artifact) in scope.artifacts { result.add(name, ExpressionValue(.object(artifact))) }
            for artifact in outputs["artifacts"]?.array ?? [] {
                result.add("workflow.outputs.artifacts.\(artifact["name"]?.string ?? "")", ExpressionValue(artifact))
            }
        }
        let isLarge = scope.names.count > 50
        for name in scope.names where !isLarge || text.contains(name) {
            add(name, scope, artifacts: artifacts, to: &result)
        }
        return result
    }

    private func add(_ name: String, _ scope: Scope, artifacts: Bool, to result: inout ExpressionScope) {
        let prefix = "\(scope.word).\(name)."
        guard let member = scope.member(name) else { return }
        let id: String
        switch member {
        case .node(let node): id = node
        case .loop(let group, let calls):
            id = group
            let outputs = aggregate(calls)
            if let text = outputs.result { result.add(prefix + "outputs.result", Variable(text)) }
            if let text = outputs.parameters { result.add(prefix + "outputs.parameters", Variable(text)) }
            for (name, text) in outputs.byName { result.add(prefix + "outputs.parameters.\(name)", Variable(text)) }
        }
        guard let node = lastAttempt(of: id) else { return }
        for field in NodeField.allCases {
            if let text = field.text(of: node) { result.add(prefix + field.rawValue, .text(text)) }
        }
        guard case .node = member else { return }
        if let text = node.outputs?["result"]?.string { result.add(prefix + "outputs.result", Variable(text)) }
        for parameter in node.outputs?["parameters"]?.array ?? [] {
            guard let text = parameter["value"]?.string else { continue }
            result.add("\(prefix)outputs.parameters.\(parameter["name"]?.string ?? "")", Variable(text))
        }
        if let absent = absentOutputs(of: node) {
            for (name, value) in absent.parameters { result.add("\(prefix)outputs.parameters.\(name)", value) }
            if absent.hasResult { result.add(prefix + "outputs.result", .absent) }
        }
        if artifacts {
            for artifact in node.outputs?["artifacts"]?.array ?? [] {
                result.add("\(prefix)outputs.artifacts.\(artifact["name"]?.string ?? "")", ExpressionValue(artifact))
            }
        }
    }

    // MARK: Replacing

    /// A document with its tags replaced: those of a scope, of the workflow and of the table.
    ///
    /// - Parameter strict: first words of tags that must be known; nil: whatever is not known stays as it is.
    func replaced(
        _ document: JSONValue, _ scope: Scope?, _ table: VariableTable, strict: [String]?
    ) throws(StepError) -> JSONValue {
        do throws(TagText.Fault) {
            return try TagText.replace(
                document, strict: strict ?? [],
                evaluate: { (text) throws(TagText.Fault) in
                    try expressionScope(scope, table, text: text).tag(text, strict: strict)
                },
                { (name) throws(TagText.Fault) in try text(of: name, scope, table) })
        } catch { throw .text(error.text) }
    }

    private func text(of name: String, _ scope: Scope?, _ table: VariableTable) throws(TagText.Fault) -> String? {
        guard let value = scope.flatMap({ variable(name, in: $0) }) else { return table[name] }
        guard let text = value.text else {
            throw TagText.Fault(
                text: "unable to substitute {{\(name)}}: output is an absent optional (skipped/omitted node with no default)")
        }
        return text
    }

    /// The workflow's variables as they are now.
    var globals: VariableTable { VariableTable(constants, changing) }
}

extension StringProtocol {
    /// What follows a beginning; nil where it does not begin so.
    func dropping(_ prefix: String) -> String? { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil }
}

extension JSONObject {
    /// The output of a name among `parameters` or `artifacts`.
    func output(_ kind: String, _ name: String) -> JSONValue? {
        self[kind]?.array?.first { $0["name"]?.string == name }
    }
}
