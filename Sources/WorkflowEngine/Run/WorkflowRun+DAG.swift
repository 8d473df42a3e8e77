import Documents
import SystemSupport
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// Tasks: each as soon as those it depends on have ended, if they have ended as it asks.
extension WorkflowRun {
    private func makeTasksFrame(_ execution: Execution) throws(StepError) -> Frame {
        let order = try TaskOrder(execution.template)
        let part = execution.site?.part(DocumentPath(members: "dag", "tasks"))
        let sites = (execution.template["dag"]?["tasks"]?.array ?? []).enumerated().map { index, task in
            CallSite(task, part?.part(DocumentPath([.element(index)])))
        }
        var frame = Frame(
            execution: execution, own: id(of: execution.name), sites: sites,
            scope: Scope(execution.template, word: "tasks"), order: .tasks(order))
        frame.awaited = order.dependencies.map(\.count)
        frame.ready = order.order.filter { frame.awaited[$0] == 0 }.reversed()
        return frame
    }

    mutating func runDAG(_ execution: Execution) throws(StepError) {
        let own = id(of: execution.name)
        var frame = if let known = frames.removeValue(forKey: own) { known } else { try makeTasksFrame(execution) }
        defer { if store[own]?.phase.isFulfilled == false { frames[own] = frame } }
        guard case .tasks(let order) = frame.order, !endsAfterFailure(frame, group: nil) else { return }
        for child in store.takeTouched(below: own) {
            guard let place = frame.places[child] else { continue }
            do throws(StepError) { try visit(child) } catch { report(error, of: child) }
            settle(place.site, place.call, &frame, order)
        }
        let deferred = frame.deferred
        frame.deferred = []
        for task in deferred { startCalls(task, &frame, order) }
        while let task = frame.ready.popLast() { reach(task, &frame, order) }
        if frame.deferred.isEmpty {
            deferring.remove(own)
        } else {
            deferring.insert(own)
            if endsAfterFailure(frame, group: nil) { return }
        }
        guard let verdict = verdict(frame, order) else { return }
        deferring.remove(own)
        let ends = order.targets.compactMap { frame.nodeID($0) }.flatMap { outbound($0) }
        store.edit(own) { $0.outboundNodes = ends }
        if verdict != .succeeded { return mark(own, verdict) }
        let outputs = try templateOutputs(execution.template, frame.scope)
        if outputs != nil { store.edit(own) { $0.outputs = outputs } }
        raiseOutputs(of: own)
        mark(own, .succeeded)
    }

    // MARK: Reaching a task

    /// Decides about a task all of whose dependencies are over.
    private mutating func reach(_ task: Int, _ frame: inout Frame, _ order: TaskOrder) {
        let site = frame.sites[task]
        let call = TemplateCall(site.document)
        let name = "\(frame.execution.name).\(site.name)"
        let own = id(of: name)
        /// A task whose own node ends at once.
        func end(_ run: inout WorkflowRun, _ phase: NodePhase, _ message: String) {
            run.skip(name, call, frame.entry(site), frame, phase, message)
            run.attach(own, task, frame, order)
            run.branchPhases[own] = run.branchPhase(of: run.parents(of: task, frame, order))
            frame.sites[task].groupID = own
            frame.scope.add(site.name, .node(own))
            frame.finish(task, order)
        }
        do throws(StepError) {
            guard try dependsHolds(task, frame, order) else {
                return end(&self, .omitted, "omitted: depends condition not met")
            }
            substituteVolumes(frame.scope)
            try expand(&frame.sites[task], frame, prefix: "\(frame.execution.name).")
        } catch {
            return end(&self, .error, error.message)
        }
        guard let calls = frame.sites[task].calls, let first = calls.first else {
            return end(&self, .skipped, "Skipped, empty params")
        }
        if Loop.isLoop(site.document) {
            var entry = frame.entry(site)
            entry.flag = NodeFlag()
            make(name, .taskGroup, call, in: frame.execution.space, entry, phase: .running)
            attach(own, task, frame, order)
            frame.sites[task].groupID = own
            frame.places[own] = (task, -1)
            frame.scope.add(site.name, .loop(own, calls: calls.map(\.nodeID)))
        } else {
            frame.scope.add(site.name, .node(first.nodeID))
        }
        for (number, call) in calls.enumerated() { frame.places[call.nodeID] = (task, number) }
        startCalls(task, &frame, order)
    }

    /// Whether the dependencies of a task have ended as it asks.
    private func dependsHolds(_ task: Int, _ frame: Frame, _ order: TaskOrder) throws(StepError) -> Bool {
        let depends = order.depends[task]
        if depends.names.isEmpty || isDry && frame.execution.entry.isUncertain { return true }
        var ends: [Depends.Ends] = []
        for other in order.dependencies[task] {
            let node = frame.nodeID(other).flatMap { store[$0] }
            let children = node?.type == .taskGroup ? (node?.children ?? []).compactMap { store[$0]?.phase } : []
            ends.append(.init(node, children: children, endsWell: Depends.endsWell(frame.sites[other].document)))
        }
        let holds = try depends.holds(ends)
        // In a dry run nothing fails, and what is only run after a failure is to be seen as well.
        return holds || isDry
    }

    /// Begins the calls of a task that have not begun, as far as may be.
    private mutating func startCalls(_ task: Int, _ frame: inout Frame, _ order: TaskOrder) {
        for number in (frame.sites[task].calls ?? []).indices where frame.sites[task].calls?[number].state == .waiting {
            guard let call = frame.sites[task].calls?[number] else { return }
            var isUncertain = frame.sites[task].isUncertain
            var isBegun = true
            do throws(StepError) {
                if case .deferred = try start(call, of: frame.sites[task], frame, &isUncertain) { isBegun = false }
            } catch {
                if error.kind == .timeout {
                    mark(call.nodeID, .failed, error.message)
                } else if error.kind == .general {
                    report(error, of: call.nodeID)
                }
            }
            guard isBegun else { return frame.deferred.append(task) }
            frame.sites[task].isUncertain = isUncertain
            frame.sites[task].calls?[number].state = .begun
            frame.open += 1
            if let group = frame.sites[task].groupID {
                addChild(call.nodeID, to: group)
            } else {
                attach(call.nodeID, task, frame, order)
            }
            settle(task, number, &frame, order)
        }
    }

    private mutating func attach(_ child: String, _ task: Int, _ frame: Frame, _ order: TaskOrder) {
        if order.dependencies[task].isEmpty { addChild(child, to: frame.own) }
        for parent in parents(of: task, frame, order) { addChild(child, to: parent) }
    }

    /// The nodes with which the tasks end that a task depends on.
    private func parents(of task: Int, _ frame: Frame, _ order: TaskOrder) -> [String] {
        order.dependencies[task].compactMap { frame.nodeID($0) }.flatMap { outbound($0) }
    }

    private mutating func report(_ error: StepError, of id: String) {
        mark(id, .error, "task '\(store[id]?.name ?? id)' errored: \(error.message)")
    }

    // MARK: Settling

    /// Goes on with the hooks of a call, and with what follows when all calls of a task are over.
    ///
    /// - Parameter number: -1 for the node that stands for all calls of a loop.
    private mutating func settle(_ task: Int, _ number: Int, _ frame: inout Frame, _ order: TaskOrder) {
        do throws(StepError) {
            if number >= 0, let call = frame.sites[task].calls?[number], call.state == .begun {
                guard try settle(call.nodeID, of: frame.sites[task], frame) else { return }
                frame.sites[task].calls?[number].state = .settled
                frame.open -= 1
                if let phase = store[call.nodeID]?.phase, !phase.isCompleted {
                    branchPhases[call.nodeID] = branchPhase(of: parents(of: task, frame, order))
                }
            }
            guard let calls = frame.sites[task].calls, !frame.settled.contains(task),
                calls.allSatisfy({ $0.state == .settled })
            else { return }
            if let group = frame.sites[task].groupID {
                if store[group]?.phase == .running {
                    let failed = calls.compactMap { store[$0.nodeID]?.phase }.last(where: \.isFailure)
                    mark(group, failed ?? .succeeded)
                }
                guard try settle(group, of: frame.sites[task], frame) else { return }
            }
            frame.finish(task, order)
        } catch {
            // A hook that cannot be run is an error of its task.
            if let id = frame.nodeID(task) { mark(id, .error, error.message) }
            frame.finish(task, order)
        }
    }

    /// How the branches stand that end with a node which was not run: a failure of one of them counts.
    private func branchPhase(of parents: [String]) -> NodePhase {
        for parent in parents {
            guard let phase = store[parent]?.phase else { continue }
            let branch = phase.isCompleted ? phase : branchPhases[parent] ?? .succeeded
            if branch.isFailure { return branch }
        }
        return .succeeded
    }

    /// How the whole stands: nil while something runs or may still begin.
    private func verdict(_ frame: Frame, _ order: TaskOrder) -> NodePhase? {
        if isShuttingDown, !frame.execution.isOnExit { return .failed }
        if frame.open > 0 { return nil }
        let isWhole = order.order.allSatisfy { frame.settled.contains($0) }
        if !isWhole, !order.failsFast { return nil }
        var verdict: NodePhase? = isWhole ? .succeeded : nil
        for target in order.targets where frame.settled.contains(target) {
            guard let id = frame.nodeID(target), let phase = store[id]?.phase else { continue }
            let branch = phase.isCompleted ? phase : branchPhases[id] ?? .succeeded
            guard branch.isFailure, !frame.sites[target].continues(after: branch) else { continue }
            verdict = branch
            if order.failsFast { break }
        }
        return verdict
    }
}

extension Frame {
    /// The node of a task that has one.
    func nodeID(_ task: Int) -> String? {
        sites[task].groupID ?? sites[task].calls.flatMap { $0.count == 1 ? $0[0].nodeID : nil }
    }

    /// Has what depends on a task decided about, where that was the last it waited for.
    mutating func finish(_ task: Int, _ order: TaskOrder) {
        guard settled.insert(task).inserted else { return }
        for dependent in order.dependents[task] {
            awaited[dependent] -= 1
            guard awaited[dependent] == 0, let rank = order.ranks[dependent] else { continue }
            // Those that are reached first come last in the list.
            let place = ready.firstIndex { (order.ranks[$0] ?? 0) < rank } ?? ready.endIndex
            ready.insert(dependent, at: place)
        }
    }
}
