import Documents
import SystemSupport
import WorkflowFiles
import WorkflowModel

/// Steps: groups one after the other, the steps of a group side by side.
extension WorkflowRun {
    mutating func runSteps(_ execution: Execution, named name: String) throws(StepError) {
        let own = id(of: name)
        var state = stepsStates[own] ?? StepsState(execution.template)
        while state.current < state.groups.count {
            let groupName = "\(name)[\(state.current)]"
            let group = id(of: groupName)
            if nodes[group] == nil {
                make(groupName, .stepGroup, nil, in: execution.space, boundary: own, phase: .running)
                attach(group, number: state.current, of: name)
                substituteVolumes(state.scope)
                try begin(group, state, execution)
            } else {
                substituteVolumes(state.scope)
                try goOn(with: group)
            }
            stepsStates[own] = state
            guard let node = nodes[group], node.phase.isFulfilled else { return }
            if node.phase.isFailure {
                setOutbound(of: own, from: group)
                return mark(own, .failed, node.message)
            }
            for (step, child) in zip(state.groups[state.current], node.children) {
                state.scope.members[step["name"]?.string ?? ""] = child
            }
            state.current += 1
        }
        setOutbound(of: own, from: id(of: "\(name)[\(state.groups.count - 1)]"))
        let outputs = try templateOutputs(execution.template, state.scope)
        nodes[own]?.outputs = outputs
        raiseOutputs(of: own)
        mark(own, .succeeded)
    }

    /// Puts a group behind the one before it, the first behind the steps' own node.
    private mutating func attach(_ group: String, number: Int, of name: String) {
        guard number > 0, let previous = nodes[id(of: "\(name)[\(number - 1)]")] else {
            return addChild(group, to: id(of: name))
        }
        if previous.children.isEmpty { addChild(group, to: previous.id) }
        connect(group, behind: previous.children)
    }

    private mutating func setOutbound(of own: String, from group: String) {
        let ends = (nodes[group]?.children ?? []).flatMap { outbound($0) }
        nodes[own]?.outboundNodes = ends
    }

    /// Begins all steps of a group; all are resolved before the first begins.
    private mutating func begin(_ group: String, _ state: StepsState, _ parent: Execution) throws(StepError) {
        guard let node = nodes[group] else { return }
        var calls: [TemplateCall] = []
        do throws(StepError) {
            for step in state.groups[state.current] { calls.append(TemplateCall(try resolved(step, state.scope))) }
        } catch {
            return mark(group, .error, "failed to resolve references: \(error.message)")
        }
        var children: [String] = []
        let steps = parent.site?.part(DocumentPath(members: "steps").element(state.current))
        for (index, call) in calls.enumerated() {
            let name = "\(node.name).\(call.name)"
            children.append(id(of: name))
            do throws(StepError) {
                try execute(
                    call, named: name, in: parent.space, boundary: node.boundaryID, stepVariable: "steps.name",
                    site: steps?.part(DocumentPath([.element(index)])))
            } catch {
                nodes[group]?.children = children
                return fail(group, because: name, error)
            }
        }
        nodes[group]?.children = children
        assess(group)
    }

    private mutating func goOn(with group: String) throws(StepError) {
        guard let node = nodes[group], !node.phase.isFulfilled else { return }
        for child in node.children where isTouched(child) {
            do throws(StepError) { try goOn(child) } catch {
                return fail(group, because: nodes[child]?.name ?? child, error)
            }
        }
        assess(group)
    }

    private mutating func fail(_ group: String, because name: String, _ error: StepError) {
        mark(group, .error, "step group deemed errored due to child \(name) error: \(error.message)")
    }

    private mutating func assess(_ group: String) {
        var failed: String?
        for child in nodes[group]?.children ?? [] {
            guard let phase = nodes[child]?.phase, phase.isFulfilled else { return }
            if failed == nil, phase.isFailure { failed = child }
        }
        if let failed { mark(group, .failed, "child '\(failed)' failed") } else { mark(group, .succeeded) }
    }

    /// A step or task with what it refers to put in: texts by their tags, artifacts as they are.
    func resolved(_ call: JSONValue, _ scope: Scope) throws(StepError) -> JSONValue {
        let variables = currentVariables
        var result: JSONValue
        do throws(TagText.Fault) {
            result = try TagText.replace(call, strict: ["steps", "tasks"]) { text($0, in: scope) ?? variables[$0] }
        } catch {
            throw .text(error.text)
        }
        guard var arguments = result["arguments"], let artifacts = arguments["artifacts"]?.array else { return result }
        var found: [JSONValue] = []
        for artifact in artifacts {
            if let value = try referenced(artifact, scope, isArgument: true) { found.append(value) }
        }
        arguments["artifacts"] = .array(found)
        result["arguments"] = arguments
        return result
    }

    mutating func substituteVolumes(_ scope: Scope) {
        if volumes.isEmpty { return }
        volumes = (try? TagText.replace(.array(volumes)) { text($0, in: scope) })?.array ?? volumes
    }
}
