import Documents
import SystemSupport
import WorkflowModel
import WorkflowPlanning

/// Locks, and what is remembered of earlier runs.
extension WorkflowRun {
    // MARK: Locks

    /// - Returns: whether the node has all its locks; else it waits, and says for which.
    mutating func acquireLocks(of execution: Execution) throws(StepError) -> Bool {
        guard let synchronization = execution.template["synchronization"], !synchronization.isNull, !isDry else { return true }
        let id = id(of: execution.name)
        let requests = try lockRequests(of: synchronization)
        guard let blocked = locks.acquire(requests, for: id) else {
            store.edit(id) { node in
                if !node.awaitedLock.isEmpty { node.message = "" }
                node.awaitedLock = ""
            }
            return true
        }
        if isShuttingDown {
            ensure(execution, execution.nodeType, .failed)
            mark(id, .failed, Self.stopMessage)
            return false
        }
        ensure(execution, execution.nodeType, .pending)
        store.edit(id) { node in
            node.awaitedLock = blocked.name
            node.message = "Waiting for \(blocked.name) lock. Lock status: \(blocked.free)/\(blocked.limit)"
        }
        return false
    }

    /// What a template or a workflow asks for.
    func lockRequests(of synchronization: JSONValue) throws(StepError) -> [LockTable.Request] {
        var requests: [LockTable.Request] = []
        func space(_ lock: JSONValue) -> String {
            let name = lock["namespace"]?.string ?? ""
            return name.isEmpty ? identity.namespace : name
        }
        let mutexes = [synchronization["mutex"] ?? .null] + (synchronization["mutexes"]?.array ?? [])
        for mutex in mutexes where !mutex.isNull {
            requests.append(.init(name: "\(space(mutex))/Mutex/\(mutex["name"]?.string ?? "")", limit: 1))
        }
        let semaphores = [synchronization["semaphore"] ?? .null] + (synchronization["semaphores"]?.array ?? [])
        for semaphore in semaphores where !semaphore.isNull {
            let map = semaphore["configMapKeyRef"]?["name"]?.string ?? ""
            let key = semaphore["configMapKeyRef"]?["key"]?.string ?? ""
            guard let text = plan.settings.configMapValue(map, key) else {
                throw .text("semaphore: key '\(key)' of config map '\(map)' is not there")
            }
            guard let limit = Int(text.trimmed), limit > 0 else {
                throw .text("semaphore: key '\(key)' of config map '\(map)' is '\(text.trimmed)', not a positive number")
            }
            requests.append(.init(name: "\(space(semaphore))/ConfigMap/\(map)/\(key)", limit: limit))
        }
        return requests.sorted { $0.name < $1.name }
    }

    /// Where all that is left waits for locks that only those who wait could give back, one of them has to fail.
    mutating func breakDeadlock() {
        guard finishedAt == nil, activePods.isEmpty, alarms.isEmpty else { return }
        if store.all.contains(where: { $0.type == .suspend && $0.phase == .running }) { return }
        guard let first = locks.waiting.first(where: { store[$0]?.phase == .pending }) else {
            // It would wait for ever otherwise.
            if store[identity.name] != nil, failure == nil {
                failure = "nothing is left that could go on"
                store.touch(identity.name)
            }
            return
        }
        let name = store[first]?.awaitedLock ?? ""
        let holders = locks.holders(of: name).map { store[$0]?.name ?? $0 }.sorted().joined(separator: ", ")
        let message =
            "deadlock: lock \(name) is held by \(holders.isEmpty ? "nobody who runs" : holders), which waits for this node"
        mark(first, .error, message)
        store.touch(first)
    }

    // MARK: Memoization

    /// Whether the outputs of a template are known; its node has them then.
    mutating func isRemembered(_ execution: Execution) throws(StepError) -> Bool {
        guard let memoize = execution.template["memoize"], !memoize.isNull, !isDry else { return false }
        let id = id(of: execution.name)
        let cache = memoize["cache"]?["configMap"]?["name"]?.string ?? ""
        let key = memoize["key"]?.string ?? ""
        var found = remembered[Self.memory(cache, key)] ?? plan.settings.recall(cache, key)
        if let text = memoize["maxAge"]?.string, !text.isEmpty {
            guard let age = GoDuration.nanoseconds(text) else { throw .text("invalid maxAge: '\(text)' is no duration") }
            if let time = found?.time, time.adding(age) < now { found = nil }
        }
        let status = Memoization(isHit: found != nil, key: key, cache: cache)
        guard let found else {
            memoized[id] = status
            return false
        }
        ensure(execution, execution.nodeType, .running)
        store.edit(id) { node in
            node.memoization = status
            node.outputs = found.outputs.isEmpty ? nil : found.outputs
        }
        raiseOutputs(of: id)
        mark(id, .succeeded, "")
        return true
    }

    /// Keeps the outputs of a node that has succeeded, where its template says so.
    mutating func remember(_ id: String) {
        guard let status = memoized.removeValue(forKey: id) else { return }
        let outputs = store[id]?.outputs ?? [:]
        store.edit(id) { $0.memoization = status }
        remembered[Self.memory(status.cache, status.key)] = (outputs, now)
        actions.append(.remember(cache: status.cache, key: status.key, nodeID: id, outputs: outputs))
    }

    /// The name of what is remembered under a key of a cache: no two pairs have the same.
    private static func memory(_ cache: String, _ key: String) -> String { "\(cache.utf8.count) \(cache) \(key)" }
}
