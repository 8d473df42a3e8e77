import Documents
import SystemSupport
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// Steps: groups one after the other, the steps of a group side by side.
extension WorkflowRun {
    private func makeStepsFrame(_ execution: Execution) -> Frame {
        let groups = (execution.template["steps"]?.array ?? []).map { $0.array ?? [] }
        var sites: [CallSite] = []
        var ranges: [Range<Int>] = []
        for (number, group) in groups.enumerated() {
            let part = execution.site?.part(DocumentPath(members: "steps").element(number))
            let start = sites.count
            for (index, step) in group.enumerated() {
                sites.append(CallSite(step, part?.part(DocumentPath([.element(index)]))))
            }
            ranges.append(start..<sites.count)
        }
        return Frame(
            execution: execution, own: id(of: execution.name), sites: sites,
            scope: Scope(execution.template, word: "steps"), order: .steps(groups: ranges))
    }

    mutating func runSteps(_ execution: Execution) throws(StepError) {
        let own = id(of: execution.name)
        var frame = frames.removeValue(forKey: own) ?? makeStepsFrame(execution)
        guard case .steps(let groups) = frame.order else { return }
        if endsAfterFailure(frame, group: groups.isEmpty ? nil : id(of: "\(execution.name)[\(frame.current)]")) {
            frames[own] = frame
            return
        }
        while frame.current < groups.count {
            let groupName = "\(execution.name)[\(frame.current)]"
            let group = id(of: groupName)
            substituteVolumes(frame.scope)
            if store[group] == nil {
                var entry = Entry()
                entry.boundary = own
                make(groupName, .stepGroup, nil, in: execution.space, entry, phase: .running)
                attach(group, number: frame.current, of: execution.name)
                begin(group, groups[frame.current], &frame)
            } else if store[group]?.phase.isFulfilled == false {
                goOn(with: group, &frame)
            }
            if store[group]?.phase.isFulfilled == false { assess(group, frame) }
            guard let node = store[group], node.phase.isFulfilled, frame.open == 0 || node.phase.isFailure else {
                if !frame.deferred.isEmpty { _ = endsAfterFailure(frame, group: group) }
                frames[own] = frame
                return
            }
            frame.deferred = []
            deferring.remove(own)
            if node.phase.isFailure {
                setOutbound(of: own, from: group)
                frames[own] = frame
                return mark(own, .failed, node.message)
            }
            for site in groups[frame.current] { addToScope(frame.sites[site], group: group, &frame.scope) }
            frame.current += 1
        }
        if !groups.isEmpty { setOutbound(of: own, from: id(of: "\(execution.name)[\(groups.count - 1)]")) }
        frames[own] = nil
        let outputs = try templateOutputs(execution.template, frame.scope)
        if outputs != nil { store.edit(own) { $0.outputs = outputs } }
        raiseOutputs(of: own)
        mark(own, .succeeded)
    }

    private func addToScope(_ site: CallSite, group: String, _ scope: inout Scope) {
        guard let calls = site.calls else { return }
        if calls.count == 1, calls[0].nodeName.hasSuffix(".\(site.name)") {
            scope.add(site.name, .node(calls[0].nodeID))
        } else {
            scope.add(site.name, .loop(group, calls: calls.map(\.nodeID)))
        }
    }

    /// Whether a template that ends with its first failure has had one: nothing new begins then.
    mutating func endsAfterFailure(_ frame: Frame, group: String?) -> Bool {
        let tally = store.tally(below: frame.own)
        guard frame.execution.failsFast, tally.failed > 0 else { return false }
        if tally.activePods == 0 {
            let message = "template has failed or errored children and failFast enabled"
            if let group, store[group]?.phase.isFulfilled == false { mark(group, .failed, message) }
            mark(frame.own, .failed, message)
        }
        return true
    }

    /// Puts a group behind the one before it, the first behind the steps' own node.
    private mutating func attach(_ group: String, number: Int, of name: String) {
        guard number > 0, let previous = store[id(of: "\(name)[\(number - 1)]")] else {
            return addChild(group, to: id(of: name))
        }
        if previous.children.isEmpty { addChild(group, to: previous.id) }
        connect(group, behind: previous.children)
    }

    private mutating func setOutbound(of own: String, from group: String) {
        let ends = (store[group]?.children ?? []).flatMap { outbound($0) }
        store.edit(own) { $0.outboundNodes = ends }
    }

    /// Begins all steps of a group; all are expanded before the first begins.
    private mutating func begin(_ group: String, _ sites: Range<Int>, _ frame: inout Frame) {
        guard let node = store[group] else { return }
        let prefix = "\(node.name)."
        for index in sites {
            do throws(StepError) { try expand(&frame.sites[index], frame, prefix: prefix) } catch {
                return mark(group, .error, "failed to resolve references: \(error.message)")
            }
            let site = frame.sites[index]
            guard let calls = site.calls, !calls.isEmpty else {
                let name = prefix + site.name
                skip(name, TemplateCall(site.document), frame.entry(site), frame, .skipped, "Skipped, empty params")
                addChild(id(of: name), to: group)
                frame.sites[index].calls = [
                    CallSite.Call(nodeName: name, nodeID: id(of: name), document: site.document, state: .settled)
                ]
                continue
            }
            for (number, call) in calls.enumerated() { frame.places[call.nodeID] = (index, number) }
            frame.deferred.append(index)
        }
        startDeferred(group, &frame)
    }

    /// Begins what has waited for others to end.
    private mutating func startDeferred(_ group: String, _ frame: inout Frame) {
        var left: [Int] = []
        for (position, index) in frame.deferred.enumerated() {
            var isLeft = false
            for number in (frame.sites[index].calls ?? []).indices where frame.sites[index].calls?[number].state == .waiting {
                guard let isBegun = start(index, number, in: group, &frame) else { return }
                if !isBegun {
                    isLeft = true
                    break
                }
            }
            if isLeft {
                left = Array(frame.deferred[position...])
                break
            }
        }
        frame.deferred = left
        if left.isEmpty { deferring.remove(frame.own) } else { deferring.insert(frame.own) }
    }

    /// - Returns: whether it has begun, or must wait; nil where the group has failed with it.
    private mutating func start(_ index: Int, _ number: Int, in group: String, _ frame: inout Frame) -> Bool? {
        guard let call = frame.sites[index].calls?[number] else { return true }
        var isUncertain = frame.sites[index].isUncertain
        do throws(StepError) {
            switch try start(call, of: frame.sites[index], frame, &isUncertain) {
            case .deferred: return false
            case .undecided(let error):
                addChild(call.nodeID, to: group)
                mark(group, .error, error.message)
                return nil
            case .begun: addChild(call.nodeID, to: group)
            }
        } catch {
            addChild(call.nodeID, to: group)
            if error.kind != .depth {
                fail(group, because: call.nodeName, error)
                return nil
            }
        }
        frame.sites[index].isUncertain = isUncertain
        frame.sites[index].calls?[number].state = .begun
        frame.open += 1
        return settle(index, number, in: group, &frame) ? true : nil
    }

    /// Goes on with the steps that an event concerns.
    private mutating func goOn(with group: String, _ frame: inout Frame) {
        for child in store.takeTouched(below: frame.own) {
            guard let (index, number) = frame.places[child] else { continue }
            do throws(StepError) { try visit(child) } catch {
                return fail(group, because: store[child]?.name ?? child, error)
            }
            guard settle(index, number, in: group, &frame) else { return }
        }
        if !frame.deferred.isEmpty { startDeferred(group, &frame) }
    }

    /// - Returns: false where the group has failed with a hook.
    private mutating func settle(_ index: Int, _ number: Int, in group: String, _ frame: inout Frame) -> Bool {
        guard let call = frame.sites[index].calls?[number], call.state == .begun else { return true }
        do throws(StepError) {
            if try settle(call.nodeID, of: frame.sites[index], frame) {
                frame.sites[index].calls?[number].state = .settled
                frame.open -= 1
            }
            return true
        } catch {
            mark(group, .error, error.message)
            return false
        }
    }

    private mutating func fail(_ group: String, because name: String, _ error: StepError) {
        if error.kind == .timeout { return mark(group, .failed, error.message) }
        mark(group, .error, "step group deemed errored due to child \(name) error: \(error.message)")
    }

    /// How a group has ended, once all its steps have.
    private mutating func assess(_ group: String, _ frame: Frame) {
        guard frame.open == 0, frame.deferred.isEmpty else { return }
        for child in store[group]?.children ?? [] {
            guard let phase = store[child]?.phase, phase.isFailure else { continue }
            if let place = frame.places[child], frame.sites[place.site].continues(after: phase) { continue }
            return mark(group, .failed, "child '\(child)' failed")
        }
        mark(group, .succeeded)
    }

    mutating func substituteVolumes(_ scope: Scope) {
        if volumes.isEmpty { return }
        volumes = (try? replaced(.array(volumes), scope, VariableTable([:]), strict: nil))?.array ?? volumes
    }
}
