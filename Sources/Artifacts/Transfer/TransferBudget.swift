import ExecutorCore

/// What all transfers of a process may use together, however many artifacts move side by side.
package final class TransferBudget: Sendable {
    /// Requests at a time.
    package let connections: Int
    /// Bytes of memory for parts waiting to be sent.
    package let partMemory: Int

    private struct State {
        var connections: Int
        var partMemory: Int
    }
    private let free: Monitor<State>

    /// - Parameter memoryLimit: bytes that the process may use at all; nil for no limit.
    package convenience init(memoryLimit: Int64? = MemoryLimit.current()) {
        let limit = memoryLimit ?? .max
        // A quarter of a small limit; the rest is for the program, its archives, and the pages of files that are being written.
        let partMemory = Int(min(16 << 20, max(0, limit / 4)))
        self.init(connections: limit < 48 << 20 ? 8 : 32, partMemory: partMemory)
    }

    package init(connections: Int, partMemory: Int) {
        self.connections = connections
        self.partMemory = partMemory
        free = Monitor(State(connections: connections, partMemory: partMemory))
    }

    /// Runs `body` when one more request may run. Never nested.
    package func withConnection<R>(_ body: () throws -> R) rethrows -> R {
        free.wait { state -> Void? in
            guard state.connections > 0 else { return nil }
            state.connections -= 1
            return ()
        }
        defer { free.update { $0.connections += 1 } }
        return try body()
    }

    /// Takes memory for a part if it is free now.
    package func takePartMemory(_ bytes: Int) -> Bool {
        free.update { state in
            guard state.partMemory >= bytes else { return false }
            state.partMemory -= bytes
            return true
        }
    }

    /// Waits for memory for a part, which must not be more than `partMemory`.
    package func waitForPartMemory(_ bytes: Int) {
        free.wait { state -> Void? in
            guard state.partMemory >= bytes else { return nil }
            state.partMemory -= bytes
            return ()
        }
    }

    package func returnPartMemory(_ bytes: Int) { free.update { $0.partMemory += bytes } }
}
