import Documents
import ExecutorCore
import WorkflowModel

/// Steps: groups one after the other, the steps of a group side by side.
extension WorkflowRun {
    mutating func runSteps(_ execution: Execution, named name: String) throws(StepError) {
        let own = id(of: name)
        var scope = Scope(inputsOf: execution.template, workflowOutputs: outputs)
        let groups = (execution.template["steps"]?.array ?? []).map { $0.array ?? [] }
        for (index, steps) in groups.enumerated() {
            let groupName = "\(name)[\(index)]"
            let group = id(of: groupName)
            if nodes[group] == nil {
                make(groupName, .stepGroup, nil, in: execution.space, boundary: own, phase: .running)
                attach(group, number: index, of: name)
            }
            try runGroup(group, steps, execution, scope)
            guard let node = nodes[group], node.phase.isFulfilled else { return }
            if node.phase.isFailure {
                setOutboundOfSteps(own, named: name, last: index)
                return mark(own, .failed, node.message)
            }
            for step in steps {
                let stepName = step["name"]?.string ?? ""
                if let child = self.node(named: "\(groupName).\(stepName)") { scope.add(child, prefix: "steps.\(stepName)") }
            }
        }
        setOutboundOfSteps(own, named: name, last: groups.count - 1)
        let outputs = try templateOutputs(execution.template, scope)
        nodes[own]?.outputs = outputs
        raiseOutputs(of: own)
        mark(own, .succeeded)
    }

    /// Puts a group behind the one before it, the first behind the steps' own node.
    private mutating func attach(_ group: String, number: Int, of name: String) {
        guard number > 0, let previous = node(named: "\(name)[\(number - 1)]") else {
            return addChild(group, to: id(of: name))
        }
        if previous.children.isEmpty { addChild(group, to: previous.id) }
        connect(group, behind: previous.children)
    }

    private mutating func setOutboundOfSteps(_ own: String, named name: String, last: Int) {
        let children = node(named: "\(name)[\(last)]")?.children ?? []
        let ends = children.flatMap { outbound($0) }
        nodes[own]?.outboundNodes = ends
    }

    private mutating func runGroup(_ group: String, _ steps: [JSONValue], _ parent: Execution, _ scope: Scope) throws(StepError)
    {
        guard let node = nodes[group], !node.phase.isFulfilled else { return }
        substituteVolumes(scope)
        // All are resolved before the first begins.
        var calls: [(name: String, call: TemplateCall)] = []
        do throws(StepError) {
            for step in steps {
                let name = "\(node.name).\(step["name"]?.string ?? "")"
                let isKnown = nodes[id(of: name)] != nil
                calls.append((name, TemplateCall(isKnown ? step : try resolved(step, scope))))
            }
        } catch {
            return mark(group, .error, "failed to resolve references: \(error.message)")
        }
        for (name, call) in calls {
            do throws(StepError) {
                let child = try execute(
                    call, named: name, in: parent.space, boundary: node.boundaryID, stepVariable: "steps.name")
                addChild(child, to: group)
            } catch {
                addChild(id(of: name), to: group)
                return mark(group, .error, "step group deemed errored due to child \(name) error: \(error.message)")
            }
        }
        assess(group)
    }

    private mutating func assess(_ group: String) {
        let children = (nodes[group]?.children ?? []).compactMap { nodes[$0] }
        guard children.allSatisfy(\.phase.isFulfilled) else { return }
        if let failed = children.first(where: \.phase.isFailure) {
            mark(group, .failed, "child '\(failed.id)' failed")
        } else {
            mark(group, .succeeded)
        }
    }

    /// A step or task with what it refers to put in: texts by their tags, artifacts as they are.
    func resolved(_ call: JSONValue, _ scope: Scope) throws(StepError) -> JSONValue {
        let variables = currentVariables
        var result: JSONValue
        do throws(TagText.Fault) {
            result = try TagText.replace(call, strict: ["steps", "tasks"]) { scope.texts[$0] ?? variables[$0] }
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
        volumes = (try? TagText.replace(.array(volumes)) { scope.texts[$0] })?.array ?? volumes
    }
}
