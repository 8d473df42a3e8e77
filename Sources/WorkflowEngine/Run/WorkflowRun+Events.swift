import Documents
package import SystemSupport
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// What a run is told. Each answers with what is to be done now.
extension WorkflowRun {
    /// Begins the run.
    package mutating func start(at now: Timestamp) -> [Action] {
        guard startedAt == nil else { return [] }
        startedAt = now
        phase = .running
        // The controller's first look at a workflow is before it calls it running.
        changing["workflow.status"] = ""
        changing["workflow.duration"] = "0.000000"
        if let synchronization = spec["synchronization"], !synchronization.isNull, !isDry {
            do throws(StepError) {
                _ = locks.acquire(try lockRequests(of: synchronization), for: "the workflow")
            } catch { failure = error.message }
        }
        return look(at: now)
    }

    /// A pod's containers run.
    ///
    /// - Parameter address: of the pod, for those that talk to it while it runs.
    @discardableResult
    package mutating func podStarted(_ nodeID: String, address: String = "127.0.0.1", at now: Timestamp) -> [Action] {
        guard store[nodeID]?.phase == .pending else { return [] }
        self.now = now
        mark(nodeID, .running)
        for id in store[nodeID]?.containerNodes(in: store) ?? [] where store[id]?.phase == .pending { mark(id, .running) }
        if executions[nodeID]?.template["daemon"]?.bool == true {
            daemons.append(nodeID)
            store.edit(nodeID) { node in
                node.isDaemoned = true
                node.address = address
            }
        }
        guard plan.looksAtStarts else { return [] }
        store.touch(nodeID)
        return look(at: now)
    }

    /// A pod reported progress (`N/M`).
    package mutating func podProgressed(_ nodeID: String, _ progress: String) {
        if Progress(progress) != nil { store.edit(nodeID) { $0.progress = progress } }
    }

    /// A pod has ended.
    package mutating func podFinished(_ nodeID: String, _ result: PodResult, at now: Timestamp) -> [Action] {
        guard activePods.remove(nodeID) != nil, let node = store[nodeID] else { return [] }
        // A daemon that was told to end has ended as it should.
        if node.phase.isFulfilled { return look(at: now) }
        self.now = now
        var outputs = result.outputs?.document.object ?? [:]
        if let code = result.exitCode { outputs["exitCode"] = .string(String(code)) }
        store.edit(nodeID) { node in
            node.outputs = outputs.isEmpty ? nil : outputs
            node.isDaemoned = false
            node.address = ""
        }
        // A daemon that ends by itself has not done its duty.
        let isDaemon = executions[nodeID]?.template["daemon"]?.bool == true
        mark(nodeID, isDaemon && result.phase == .succeeded ? .failed : result.phase, result.message)
        daemons.removeAll { $0 == nodeID }
        raiseOutputs(of: nodeID)
        finishContainers(of: node, result)
        store.touch(nodeID)
        for id in deferring { store.touch(id) }
        return look(at: now)
    }

    /// A suspended node may go on, with values for the outputs that were to be supplied.
    package mutating func resume(_ nodeID: String, outputs: [String: String] = [:], at now: Timestamp) -> [Action] {
        guard store[nodeID]?.type == .suspend, store[nodeID]?.phase == .running else { return [] }
        self.now = now
        do throws(StepError) {
            try supply(outputs, to: nodeID)
            raiseOutputs(of: nodeID)
            mark(nodeID, .succeeded)
        } catch {
            mark(nodeID, .error, error.message)
        }
        store.touch(nodeID)
        return look(at: now)
    }

    /// A time has come for which something waits.
    package mutating func wake(at now: Timestamp) -> [Action] {
        for (id, time) in alarms where time <= now {
            alarms[id] = nil
            store.touch(id)
        }
        return look(at: now)
    }

    /// The workflow's deadline has come: what waits fails, pods end by their own.
    package mutating func deadlineReached(at now: Timestamp) -> [Action] {
        guard let deadline, now >= deadline, finishedAt == nil else { return [] }
        self.now = now
        for id in store.order {
            guard let node = store[id], !node.phase.isFulfilled, executions[id]?.isOnExit != true else { continue }
            guard node.type == .suspend || !node.awaitedLock.isEmpty else { continue }
            mark(id, .failed, Self.deadlineMessage)
            store.touch(id)
        }
        store.touchAll()
        return look(at: now)
    }

    static let deadlineMessage = "Step exceeded its deadline"
    static let stopMessage = "Stopped with strategy 'Terminate'"

    /// Somebody wants it to end: pods are stopped, what waits fails, nothing new begins.
    package mutating func interrupted(at now: Timestamp) -> [Action] {
        guard startedAt != nil, finishedAt == nil, !isShuttingDown else { return [] }
        self.now = now
        isShuttingDown = true
        for id in store.order {
            guard let node = store[id], !node.phase.isFulfilled else { continue }
            guard node.type == .suspend || !node.awaitedLock.isEmpty else { continue }
            mark(id, .failed, Self.stopMessage)
            store.touch(id)
        }
        store.touchAll()
        let stops = store.order.filter { activePods.contains($0) }.map { Action.stopPod(nodeID: $0) }
        return stops + look(at: now)
    }

    // MARK: A look at the workflow

    /// Everything that can be done now is done.
    private mutating func look(at now: Timestamp) -> [Action] {
        self.now = now
        if finishedAt != nil { return [] }
        // What ends a workflow waits for the pods that are still being stopped.
        if isShuttingDown, !activePods.isEmpty { return [] }
        if isShuttingDown { store.touchAll() }
        repeat {
            store.beginLook()
            volumes = spec["volumes"]?.array ?? []
            lookFromTheTop()
            if !store.hasTouched { breakDeadlock() }
        } while store.hasTouched && finishedAt == nil
        changing["workflow.status"] = phase.rawValue
        if let startedAt { changing["workflow.duration"] = WorkflowVariables.seconds(from: startedAt, to: now) }
        defer { actions = [] }
        return actions
    }

    private mutating func lookFromTheTop() {
        if failure == nil {
            do throws(StepError) {
                if store[identity.name] == nil {
                    let root = TemplateCall(entrypoint: plan.entrypoint, arguments: spec["arguments"] ?? [:])
                    try enter(root, named: identity.name, in: plan.local, Entry())
                } else {
                    try visit(identity.name)
                }
            } catch {
                failure = "error in entry template execution: \(error.message)"
            }
        }
        guard failure == nil, let root = store[identity.name] else { return finish(nil) }
        changing["workflow.status"] = Self.workflowPhase(of: root).rawValue
        do throws(StepError) {
            guard try runHooks(), root.isFulfilled, try runExitHandler() else { return }
        } catch {
            failure = error.message
        }
        finish(store[exitName])
    }

    static func workflowPhase(of node: Node) -> WorkflowPhase {
        switch node.phase {
        case .pending: .pending
        case .running: .running
        case .succeeded, .skipped, .omitted: .succeeded
        case .failed: .failed
        case .error: .error
        }
    }

    private mutating func finish(_ exit: Node?) {
        if let failure, store[identity.name] == nil {
            let root = TemplateCall(entrypoint: plan.entrypoint, arguments: [:])
            make(identity.name, .skipped, root, in: plan.local, Entry(), phase: .error, message: failure)
        }
        guard let root = store[identity.name], root.isFulfilled || failure != nil else { return }
        stopDaemons(below: nil)
        guard activePods.isEmpty else { return }
        phase = Self.workflowPhase(of: root)
        message = root.message
        switch phase {
        case .succeeded where failure != nil: phase = .error
        case .succeeded:
            message = ""
            if let exit, exit.phase.isFailure {
                phase = exit.phase == .failed ? .failed : .error
                message = exit.message
            }
        case .pending, .running: phase = .error
        case .failed, .error: break
        }
        if root.phase.isFailure, isShuttingDown { message = Self.stopMessage }
        if let failure, !isShuttingDown {
            message = failure
            phase = .error
        }
        if phase == .error, root.phase == .running { mark(root.id, .error, "Workflow operation error") }
        // What a failure around it has left behind is never looked at again.
        for id in store.order where store[id]?.phase.isFulfilled == false {
            mark(id, .failed, "it ended with the steps or tasks around it")
        }
        finishedAt = now
        actions.append(.workflowFinished(phase: phase, message: message))
    }
}
