import SystemSupport

/// What all transfers of a process may use together, however many artifacts move side by side.
package final class TransferBudget: Sendable {
    /// Requests at a time.
    package let connections: Int
    /// Requests for small objects at a time: they need little more memory than their connections.
    package let smallRequests: Int
    /// Bytes of memory for parts waiting to be sent.
    package let partMemory: Int

    /// Up to this size in bytes an object is small.
    package static let smallObject: Int64 = 1 << 20

    private struct State {
        /// Each a request for a small object.
        var shares: Int
        /// Large objects of directories that may still begin.
        var largeObjects: Int
        var partMemory: Int
    }
    private let free: Monitor<State>

    /// - Parameter memoryLimit: bytes that the process may use at all; nil for no limit.
    package convenience init(memoryLimit: Int64? = MemoryLimit.current()) {
        let limit = memoryLimit ?? .max
        // A quarter of a small limit; the rest is for the program, its archives, and the pages of files that are being written.
        let partMemory = Int(min(16 << 20, max(0, limit / 4)))
        if limit < 48 << 20 {
            self.init(connections: 8, partMemory: partMemory)
        } else {
            self.init(connections: 32, smallRequests: 96, partMemory: partMemory)
        }
    }

    /// - Parameter smallRequests: nil for as many as there are connections.
    package init(connections: Int, smallRequests: Int? = nil, partMemory: Int) {
        self.connections = connections
        self.smallRequests = max(smallRequests ?? connections, connections)
        self.partMemory = partMemory
        free = Monitor(State(shares: self.smallRequests, largeObjects: connections, partMemory: partMemory))
    }

    /// Runs `body` when one more request may run. Never nested.
    ///
    /// - Parameter length: bytes of the object or the part, where known.
    package func withConnection<R>(for length: Int64? = nil, _ body: () throws -> R) rethrows -> R {
        let isSmall = length.map { $0 <= Self.smallObject } ?? false
        let shares = isSmall ? 1 : smallRequests / connections
        take(shares, of: \.shares)
        defer { free.update { $0.shares += shares } }
        return try body()
    }

    /// Runs `body`, which moves one of many objects; of large ones, which may take several requests and threads each, there are
    /// no more than connections.
    package func withObject<R>(of length: Int64?, _ body: () throws -> R) rethrows -> R {
        if let length, length <= Self.smallObject { return try body() }
        take(1, of: \.largeObjects)
        defer { free.update { $0.largeObjects += 1 } }
        return try body()
    }

    /// How many small objects should be under way at a time, so that the way to the store costs little: the longer it is, the more.
    ///
    /// - Parameter latency: nanoseconds of the quickest request so far; nil before the first.
    package func usefulRequests(_ latency: Int64?) -> Int {
        min(smallRequests, max(connections, Int(min(latency ?? 0, 1 << 40) / Self.requestsApart)))
    }

    /// Nanoseconds from one request to the next that this machine and a store can keep up with.
    private static let requestsApart: Int64 = 250_000

    /// Takes memory for a part if it is free now.
    package func takePartMemory(_ bytes: Int) -> Bool {
        free.update { state in
            guard state.partMemory >= bytes else { return false }
            state.partMemory -= bytes
            return true
        }
    }

    /// Waits for memory for a part, which must not be more than `partMemory`.
    package func waitForPartMemory(_ bytes: Int) { take(bytes, of: \.partMemory) }

    package func returnPartMemory(_ bytes: Int) { free.update { $0.partMemory += bytes } }

    /// Waits until there is so much of a stock, and takes it.
    private func take(_ amount: Int, of stock: WritableKeyPath<State, Int>) {
        free.wait { state -> Void? in
            guard state[keyPath: stock] >= amount else { return nil }
            state[keyPath: stock] -= amount
            return ()
        }
    }
}
