import Documents
import SystemSupport
import WorkflowFiles
import WorkflowModel

/// Tasks: each as soon as those it depends on have succeeded.
extension WorkflowRun {
    mutating func runDAG(_ execution: Execution, named name: String) throws(StepError) {
        let own = id(of: name)
        var state =
            tasksStates.removeValue(forKey: own)
            ?? TasksState(execution.template, boundaryName: name, boundary: own)
        for task in state.order { run(task, &state, execution) }
        tasksStates[own] = state
        let failsFast = execution.template["dag"]?["failFast"]?.bool ?? true
        guard let verdict = isShuttingDown ? .failed : state.verdict(branchPhases, failsFast: failsFast) else { return }
        let ends = state.targets.compactMap { state.nodeID($0) }.flatMap { outbound($0) }
        nodes[own]?.outboundNodes = ends
        if verdict != .succeeded { return mark(own, verdict) }
        let outputs = try templateOutputs(execution.template, state.scope)
        nodes[own]?.outputs = outputs
        raiseOutputs(of: own)
        mark(own, .succeeded)
    }

    /// Runs a task, where what it depends on allows it.
    private mutating func run(_ task: Int, _ state: inout TasksState, _ parent: Execution) {
        if let id = state.nodeID(task) {
            guard state.phases[task]?.isFulfilled != true, isTouched(id) else { return }
            do throws(StepError) { try goOn(id) } catch { report(error, of: id) }
            state.phases[task] = nodes[id]?.phase
            return
        }
        let before = state.dependencies[task]
        guard before.allSatisfy({ state.phases[$0]?.isFulfilled ?? false }) else { return }
        let name = state.nodeName(task)
        let child = id(of: name)
        let parents = before.compactMap { state.nodeID($0) }.flatMap { outbound($0) }
        if before.allSatisfy({ state.phases[$0] == .succeeded || state.phases[$0] == .skipped }) {
            begin(task, named: name, state, parent)
        } else {
            make(
                name, .skipped, TemplateCall(state.documents[task]), in: parent.space, boundary: state.boundary,
                phase: .omitted, message: "omitted: depends condition not met")
            branchPhases[child] = branchPhase(of: parents)
        }
        if before.isEmpty { addChild(child, to: state.boundary) }
        for parent in parents { addChild(child, to: parent) }
        state.scope.members[state.names[task]] = child
        state.phases[task] = nodes[child]?.phase
    }

    private mutating func begin(_ task: Int, named name: String, _ state: TasksState, _ parent: Execution) {
        substituteVolumes(state.scope)
        let document = state.documents[task]
        let call: TemplateCall
        do throws(StepError) { call = TemplateCall(try resolved(document, state.scope)) } catch {
            make(
                name, .skipped, TemplateCall(document), in: parent.space, boundary: state.boundary, phase: .error,
                message: error.message)
            return
        }
        do throws(StepError) {
            let tasks = parent.site?.part(DocumentPath(members: "dag", "tasks"))
            try execute(
                call, named: name, in: parent.space, boundary: state.boundary, stepVariable: "tasks.name",
                site: tasks?.part(DocumentPath([.element(task)])))
        } catch {
            report(error, of: id(of: name))
        }
    }

    private mutating func report(_ error: StepError, of id: String) {
        mark(id, .error, "task '\(nodes[id]?.name ?? id)' errored: \(error.message)")
    }

    /// How the branches stand that an omitted task ends: a failure of one of them counts.
    private func branchPhase(of parents: [String]) -> NodePhase {
        for parent in parents {
            guard let phase = nodes[parent]?.phase else { continue }
            let branch = phase.isCompleted ? phase : branchPhases[parent] ?? .succeeded
            if branch.isFailure { return branch }
        }
        return .succeeded
    }
}
