import Documents
import SystemSupport
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// Reaching a node: making it the first time, going on with it later. Between a call and its pod there are gates, always in the same
/// order: how many may run (which `CallSite` asks before it comes here), locks, what is remembered, attempts.
extension WorkflowRun {
    /// Begins a node.
    ///
    /// - Throws: `StepError` where the node cannot be run; it is marked.
    mutating func enter(
        _ call: TemplateCall, named name: String, in space: TemplateSpace, _ entry: Entry
    ) throws(StepError) {
        depth += 1
        defer { depth -= 1 }
        let execution: Execution
        do throws(StepError) {
            if max(depth, nesting(of: entry) + 1) >= WorkflowPlan.maximumDepth { throw .tooDeep }
            try requireRoom()
            execution = try prepare(call, named: name, in: space, entry)
        } catch {
            make(name, .skipped, call, in: space, entry, phase: .error, message: error.message)
            throw error
        }
        executions[id(of: name)] = execution
        try passGates(execution)
    }

    /// - Throws: the run has as many nodes as it may have.
    func requireRoom() throws(StepError) {
        guard store.order.count >= plan.settings.maximumNodes else { return }
        throw .text("the run has \(store.order.count) nodes, and may have no more (--max-nodes N sets the limit)")
    }

    /// How many nodes a node is in. The calls of one look do not tell: a look may reach one level more than the one before.
    private func nesting(of entry: Entry) -> Int {
        var count = 0
        var boundary = entry.boundary
        while !boundary.isEmpty, let around = executions[boundary] {
            count += 1
            boundary = around.entry.boundary
        }
        return count
    }

    /// Goes on with a node that has been begun.
    mutating func visit(_ id: String) throws(StepError) {
        guard let node = store[id], !node.phase.isFulfilled, let execution = executions[id] else { return }
        if !node.awaitedLock.isEmpty { return try passGates(execution) }
        if retries[id] != nil { return try runAttempts(execution) }
        try proceed(with: execution)
    }

    /// Everything between a call and what it runs.
    private mutating func passGates(_ execution: Execution) throws(StepError) {
        let id = id(of: execution.name)
        do throws(StepError) {
            guard try acquireLocks(of: execution), try !isRemembered(execution) else { return }
        } catch {
            fail(execution, error)
            throw error
        }
        if execution.retry == nil { return try runBody(execution) }
        ensure(execution, .retry, .running)
        retries[id] = Attempts()
        try runAttempts(execution)
    }

    /// Marks a node that could not be begun.
    private mutating func fail(_ execution: Execution, _ error: StepError) {
        let id = id(of: execution.name)
        guard store[id] == nil else { return mark(id, .error, error.message) }
        make(
            execution.name, .skipped, execution.call, in: execution.callSpace, execution.entry, phase: .error,
            message: error.message)
    }

    /// Runs what a template does.
    mutating func runBody(_ execution: Execution) throws(StepError) {
        let id = id(of: execution.name)
        do throws(StepError) {
            switch execution.kind {
            case .container, .script, .containerSet:
                ensure(execution, .pod, .pending)
                if execution.kind == .containerSet { makeContainers(of: id, execution) }
                try launch(execution)
            case .suspend:
                ensure(execution, .suspend, .running)
                try suspend(id)
            case .steps, .dag:
                let type: NodeType = execution.kind == .steps ? .steps : .dag
                if isLeftOut(execution) {
                    ensure(execution, type, .running)
                    store.edit(id) { $0.outputs = abridgement?.outputs(of: execution.template, named: execution.name) }
                    raiseOutputs(of: id)
                    return mark(id, .succeeded)
                }
                ensure(execution, type, .running)
                try proceed(with: execution)
            case .resource, .data, .http, .plugin, .unknown:
                throw .text("templates of this type are not supported in a local run")
            }
        } catch {
            fail(execution, error)
            throw error
        }
    }

    /// Whether a dry run leaves out what a template calls: since it was run with the same arguments, or since nobody knows how often
    /// it calls itself.
    private mutating func isLeftOut(_ execution: Execution) -> Bool {
        guard isDry else { return false }
        if execution.entry.isUncertain {
            let name = execution.template["name"]?.string ?? ""
            var next = execution.entry.boundary
            while !name.isEmpty, let outer = executions[next] {
                if outer.template["name"]?.string == name, outer.space.libraryScope == execution.space.libraryScope {
                    return true
                }
                next = outer.entry.boundary
            }
        }
        let arguments = execution.call.arguments
        return abridgement?.runs(execution, arguments: arguments, nodeCount: store.order.count) == false
    }

    private mutating func proceed(with execution: Execution) throws(StepError) {
        let id = id(of: execution.name)
        do throws(StepError) {
            switch execution.kind {
            case .steps: try runSteps(execution)
            case .dag: try runDAG(execution)
            default: return
            }
        } catch {
            mark(id, .error, error.message)
            stopDaemons(below: id)
            throw error
        }
        if store[id]?.phase.isFulfilled == true { stopDaemons(below: id) }
    }

    /// Finds the template of a call and gives it its arguments.
    private func prepare(
        _ call: TemplateCall, named name: String, in space: TemplateSpace, _ entry: Entry
    ) throws(StepError) -> Execution {
        let resolved: ResolvedTemplate
        do throws(ResolutionFault) {
            resolved = try plan.resolve(call, in: space, at: entry.site)
        } catch { throw .text(error.text) }
        let retry = retryStrategy(of: resolved.template)
        var own: [String: String] = ["node.name": name]
        if resolved.kind.isPod, retry == nil {
            own["pod.name"] = NodeNames.podName(workflow: identity.name, nodeName: name, template: resolved.name)
        }
        if !entry.stepVariable.isEmpty { own[entry.stepVariable] = call.name }
        let arguments = TemplateArguments(variables: globals.with(own), settings: plan.settings)
        let template = try arguments.applied(call.arguments, to: resolved.template)
        return Execution(
            name: name, call: call, callSpace: space, entry: entry, template: template, kind: resolved.kind,
            space: resolved.space, usedResults: resolved.usedResults, site: resolved.entry,
            retry: retry == nil ? nil : retryStrategy(of: template))
    }

    /// How a template is tried again: its own way, else the workflow's.
    private func retryStrategy(of template: JSONObject) -> JSONValue? {
        for strategy in [template["retryStrategy"], spec["retryStrategy"]] {
            if let strategy, !strategy.isNull { return strategy }
        }
        return nil
    }

    /// Asks for a pod.
    private mutating func launch(_ execution: Execution) throws(StepError) {
        let id = id(of: execution.name)
        guard let node = store[id] else { return }
        if isShuttingDown { return mark(id, .failed, "workflow shutdown with strategy: Terminate") }
        var limit = execution.template["activeDeadlineSeconds"].flatMap { IntOrString($0)?.int }
        let deadline = execution.isOnExit ? nil : deadline
        if let deadline {
            let left = max(0, deadline.seconds - now.seconds)
            if left == 0 { return mark(id, .failed, Self.deadlineMessage) }
            limit = min(limit ?? left, left)
        }
        if let end = execution.limit {
            let left = end.seconds - now.seconds
            if left <= 0 { return mark(id, .failed, Self.deadlineMessage) }
            limit = min(limit ?? left, left)
        }
        if let timeout = execution.template["timeout"]?.string, !timeout.isEmpty {
            guard let nanoseconds = Durations.nanoseconds(timeout) else { throw .text("invalid timeout '\(timeout)'") }
            let seconds = nanoseconds / 1_000_000_000
            if seconds <= 1 { throw .text("\(node.name) exceeded its deadline") }
            limit = min(limit ?? seconds, seconds)
        }
        var variables = globals.flattened
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
                    activeDeadlineSeconds: limit, isOnExit: execution.isOnExit)))
    }

    /// Ends the daemons of a node whose steps or tasks are over; nil: all.
    mutating func stopDaemons(below boundary: String?) {
        let ended = daemons.filter { boundary == nil || store[$0]?.boundaryID == boundary }
        if ended.isEmpty { return }
        daemons.removeAll { ended.contains($0) }
        for id in ended where store[id]?.isDaemoned == true {
            store.edit(id) { node in
                node.isDaemoned = false
                node.address = ""
            }
            mark(id, .succeeded)
            if activePods.contains(id) { actions.append(.stopPod(nodeID: id)) }
        }
    }
}
