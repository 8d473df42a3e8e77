import Documents
import SystemSupport
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// Running hooks and exit handlers.
extension WorkflowRun {
    /// Runs a hook, where it is due; goes on with one that was begun.
    ///
    /// - Parameters:
    ///   - id: the node whose hook it is.
    ///   - scope: what its expression and its arguments can use; nil: the workflow's variables alone.
    /// - Returns: whether it is over, or not due.
    mutating func run(
        _ hook: Hook, named name: String, of id: String, _ scope: Scope?, _ space: TemplateSpace, _ entry: Entry,
        isChild: Bool = true
    ) throws(StepError) -> Bool {
        let own = self.id(of: name)
        if store[own] != nil {
            try visit(own)
            return store[own]?.isFulfilled ?? true
        }
        var entry = entry
        if !hook.expression.isEmpty {
            let holds = try expressionScope(scope, globals, text: hook.expression).holds(hook.expression)
            if holds == nil { entry.isUncertain = true }
            // A dry run sees every hook.
            if isDry { entry.isUncertain = true } else if holds == false { return true }
        }
        var document = hook.document
        document["name"] = nil
        if hook.isExit, !hook.hasArguments { document["arguments"] = spec["arguments"] }
        if let scope, document["arguments"] != nil {
            markAbsentArguments(of: &document, scope)
            let arguments = try replaced(document["arguments"] ?? [:], scope, globals, strict: nil)
            document["arguments"] = try withArtifacts(arguments, scope)
        }
        defer { if isChild { addChild(own, to: id) } }
        try enter(TemplateCall(document), named: name, in: space, entry)
        return store[own]?.isFulfilled ?? true
    }

    var exitName: String { id(of: "\(identity.name).onExit") }

    /// Runs the workflow's hooks.
    ///
    /// - Returns: whether all that were due are over.
    mutating func runHooks() throws(StepError) -> Bool {
        var isOver = true
        for hook in Hook.all(of: .object(spec)) where !hook.isExit {
            if isShuttingDown, store[id(of: "\(identity.name).hooks.\(hook.name)")] == nil { continue }
            if changing["workflow.failures"] == nil { setFailures() }
            var entry = Entry()
            entry.flag = NodeFlag(isHooked: true)
            if try !run(
                hook, named: "\(identity.name).hooks.\(hook.name)", of: identity.name, nil, plan.local, entry)
            {
                isOver = false
            }
        }
        return isOver
    }

    /// Runs the workflow's exit handler.
    ///
    /// - Returns: whether it is over, or there is none.
    mutating func runExitHandler() throws(StepError) -> Bool {
        guard let hook = Hook.all(of: .object(spec)).first(where: \.isExit) else { return true }
        let name = "\(identity.name).onExit"
        if isShuttingDown, store[id(of: name)] == nil { return true }
        setFailures()
        var entry = Entry()
        entry.flag = NodeFlag(isHooked: true)
        entry.isOnExit = true
        do throws(StepError) {
            return try run(hook, named: name, of: identity.name, nil, plan.local, entry, isChild: false)
        } catch {
            throw .text("error in exit template execution : \(error.message)")
        }
    }

    /// What has failed, for those who are to be told: JSON, in quotes as the controller has it.
    private mutating func setFailures() {
        let failures = store.all.filter(\.phase.isFailure).map { node -> JSONValue in
            let template = node.templateReference?["template"]?.string ?? node.templateName
            return [
                "displayName": .string(node.displayName), "message": .string(node.message),
                "templateName": .string(template), "phase": .string(node.phase.rawValue),
                "podName": .string(NodeNames.podName(workflow: identity.name, nodeName: node.name, template: template)),
                "finishedAt": node.finishedAt.map { .string($0.rfc3339()) } ?? .null,
            ]
        }
        let text = failures.isEmpty ? "null" : JSONValue.array(failures).serializedText()
        changing["workflow.failures"] = JSONValue.string(text).serializedText()
    }
}
