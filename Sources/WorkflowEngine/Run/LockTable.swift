import WorkflowPlanning

/// Which nodes hold what excludes others, and which wait for it.
struct LockTable: Sendable {
    /// What a node must have before it runs.
    struct Request: Sendable, Equatable {
        /// `NAMESPACE/Mutex/NAME` or `NAMESPACE/ConfigMap/NAME/KEY`.
        let name: String
        /// How many may hold it at a time.
        let limit: Int
    }

    private struct Lock: Sendable {
        var limit: Int
        var holders: Set<String> = []
        /// In the order of their coming.
        var waiting: [String] = []
    }

    private var locks: [String: Lock] = [:]
    private var held: [String: [String]] = [:]

    /// Takes all that a node asks for, or nothing.
    ///
    /// - Returns: the first that it must wait for, with how many are free; nil where it has them all.
    mutating func acquire(_ requests: [Request], for node: String) -> (name: String, free: Int, limit: Int)? {
        if held[node] != nil { return nil }
        var blocked: (name: String, free: Int, limit: Int)?
        for request in requests {
            var lock = locks[request.name] ?? Lock(limit: request.limit)
            lock.limit = request.limit
            let free = max(0, lock.limit - lock.holders.count)
            // Those who came first go first.
            let before = lock.waiting.firstIndex(of: node) ?? lock.waiting.count
            if before >= free, blocked == nil { blocked = (request.name, free, lock.limit) }
            if !lock.waiting.contains(node) { lock.waiting.append(node) }
            locks[request.name] = lock
        }
        if let blocked { return blocked }
        for request in requests {
            locks[request.name]?.waiting.removeAll { $0 == node }
            locks[request.name]?.holders.insert(node)
        }
        held[node] = requests.map(\.name)
        return nil
    }

    /// Gives back what a node holds and waits for.
    ///
    /// - Returns: the nodes that may have a chance now.
    mutating func release(_ node: String) -> [String] {
        if locks.isEmpty { return [] }
        var chances: [String] = []
        let names = held.removeValue(forKey: node) ?? []
        for name in locks.keys.sorted() {
            guard var lock = locks[name] else { continue }
            let wasWaiting = lock.waiting.contains(node)
            guard wasWaiting || names.contains(name) else { continue }
            lock.waiting.removeAll { $0 == node }
            lock.holders.remove(node)
            chances += lock.waiting.prefix(max(0, lock.limit - lock.holders.count))
            locks[name] = lock
        }
        return chances
    }

    /// All that wait.
    var waiting: [String] { locks.keys.sorted().flatMap { locks[$0]?.waiting ?? [] } }

    /// The nodes that hold a lock.
    func holders(of name: String) -> Set<String> { locks[name]?.holders ?? [] }
}
