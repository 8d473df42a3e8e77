import Documents
import SystemSupport
import WorkflowFiles
import WorkflowModel

/// Reaching a node: making it the first time, going on with it later.
extension WorkflowRun {
    /// How deep templates may call each other.
    static let maximumDepth = 100

    /// Begins a node.
    ///
    /// - Parameter site: where the call is written, as far as that is known.
    /// - Throws: `StepError` where the node cannot be run; it is marked.
    mutating func execute(
        _ call: TemplateCall, named name: String, in space: TemplateSpace, boundary: String, stepVariable: String = "",
        site: DocumentPart? = nil
    ) throws(StepError) {
        depth += 1
        defer { depth -= 1 }
        let id = id(of: name)
        let execution: Execution
        do throws(StepError) {
            if depth >= Self.maximumDepth { throw .tooDeep }
            if order.count >= plan.settings.maximumNodes {
                throw .text("the run has \(order.count) nodes, and may have no more (--max-nodes N sets the limit)")
            }
            execution = try prepare(call, named: name, in: space, stepVariable: stepVariable, site: site)
        } catch {
            make(name, .skipped, call, in: space, boundary: boundary, phase: .error, message: error.message, site: site)
            throw error
        }
        executions[id] = execution
        switch execution.kind {
        case .container, .script, .containerSet:
            make(name, .pod, call, in: space, boundary: boundary, phase: .pending, template: execution.template, site: site)
            if execution.kind == .containerSet { makeContainers(of: id, call, space) }
            do throws(StepError) { try launch(id) } catch {
                mark(id, .error, error.message)
                throw error
            }
        case .suspend:
            make(name, .suspend, call, in: space, boundary: boundary, phase: .running, template: execution.template, site: site)
            do throws(StepError) { try suspend(id) } catch {
                mark(id, .error, error.message)
                throw error
            }
        case .steps, .dag:
            let type: NodeType = execution.kind == .steps ? .steps : .dag
            if abridgement?.runs(execution, arguments: call.arguments, nodeCount: order.count) == false {
                make(
                    name, type, call, in: space, boundary: boundary, phase: .succeeded, template: execution.template, site: site
                )
                nodes[id]?.outputs = abridgement?.outputs(of: execution.template, named: name)
                raiseOutputs(of: id)
                return
            }
            make(name, type, call, in: space, boundary: boundary, phase: .running, template: execution.template, site: site)
            try proceed(with: execution, named: name)
        case .resource, .data, .http, .plugin, .unknown:
            let error = StepError.text("templates of this type are not supported in a local run")
            make(name, .skipped, call, in: space, boundary: boundary, phase: .error, message: error.message, site: site)
            throw error
        }
    }

    /// Goes on with a node that has been begun.
    mutating func goOn(_ id: String) throws(StepError) {
        guard let node = nodes[id], !node.phase.isFulfilled, let execution = executions[id] else { return }
        try proceed(with: execution, named: node.name)
    }

    private mutating func proceed(with execution: Execution, named name: String) throws(StepError) {
        do throws(StepError) {
            switch execution.kind {
            case .steps: try runSteps(execution, named: name)
            case .dag: try runDAG(execution, named: name)
            default: break
            }
        } catch {
            mark(id(of: name), .error, error.message)
            throw error
        }
    }

    /// Finds the template of a call and gives it its arguments.
    private func prepare(
        _ call: TemplateCall, named name: String, in space: TemplateSpace, stepVariable: String, site: DocumentPart?
    ) throws(StepError) -> Execution {
        let resolved: ResolvedTemplate
        do throws(ResolutionFault) { resolved = try plan.resolve(call, in: space, at: site) } catch { throw .text(error.text) }
        var variables = currentVariables
        if resolved.kind.isPod {
            variables["pod.name"] = NodeNames.podName(workflow: identity.name, nodeName: name, template: resolved.name)
        }
        variables["node.name"] = name
        if !stepVariable.isEmpty { variables[stepVariable] = call.name }
        let arguments = TemplateArguments(variables: variables, settings: plan.settings)
        let template = try arguments.applied(call.arguments, to: resolved.template)
        return Execution(
            template: template, kind: resolved.kind, space: resolved.space, usedResults: resolved.usedResults,
            site: resolved.entry)
    }

    /// The workflow's variables as they are now.
    var currentVariables: [String: String] {
        var result = variables
        for parameter in outputs["parameters"]?.array ?? [] {
            result["workflow.outputs.parameters.\(parameter["name"]?.string ?? "")"] = parameter["value"]?.string
        }
        return result
    }

    /// Asks for a pod.
    private mutating func launch(_ id: String) throws(StepError) {
        guard let node = nodes[id], let execution = executions[id] else { return }
        if isShuttingDown { return mark(id, .failed, "workflow shutdown with strategy: Terminate") }
        var limit = execution.template["activeDeadlineSeconds"].flatMap { IntOrString($0)?.int }
        if let deadline {
            let left = max(0, deadline.seconds - now.seconds)
            if left == 0 { return mark(id, .failed, Self.deadlineMessage) }
            limit = min(limit ?? left, left)
        }
        if let timeout = execution.template["timeout"]?.string, !timeout.isEmpty {
            guard let nanoseconds = Durations.nanoseconds(timeout) else { throw .text("invalid timeout '\(timeout)'") }
            let seconds = nanoseconds / 1_000_000_000
            if seconds <= 1 { throw .text("\(node.name) exceeded its deadline") }
            limit = min(limit ?? seconds, seconds)
        }
        var variables = currentVariables
        for parameter in execution.template["inputs"]?["parameters"]?.array ?? [] {
            variables["inputs.parameters.\(parameter["name"]?.string ?? "")"] = parameter["value"]?.string
        }
        let templateName = execution.template["name"]?.string ?? ""
        let podName = NodeNames.podName(workflow: identity.name, nodeName: node.name, template: templateName)
        variables["pod.name"] = podName
        activePods.insert(id)
        let isUsed = executions[node.boundaryID]?.usedResults.contains(NodeNames.stepName(node.name)) ?? false
        actions.append(
            .runPod(
                PodRequest(
                    nodeID: id, nodeName: node.name, podName: podName, template: .object(execution.template),
                    includesScriptOutput: isUsed, volumes: volumes, variables: variables, deadline: deadline,
                    activeDeadlineSeconds: limit)))
    }
}
