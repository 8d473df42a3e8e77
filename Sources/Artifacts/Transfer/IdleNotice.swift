import SystemSupport

/// Tells a person who waits that a store is silent: at each interval in which no byte has come.
package struct IdleNotice: Sendable {
    /// Nanoseconds.
    private let interval: Int64
    private let tell: @Sendable (String) -> Void

    /// - Parameter tell: takes one line, on a thread of its own.
    package init(interval: Int64 = 10_000_000_000, tell: @escaping @Sendable (String) -> Void) {
        self.interval = interval
        self.tell = tell
    }

    /// Runs `body` under watch.
    ///
    /// - Parameters:
    ///   - subject: what is waited for.
    ///   - bytes: how many have come until now.
    func run<R>(_ subject: String, bytes: @escaping @Sendable () -> Int64 = { 0 }, _ body: () throws -> R) rethrows -> R {
        let isDone = Monitor(false)
        // Without a thread to watch, the transfer itself goes on.
        try? WorkerThread { [self] in
            var known = bytes()
            var idle: Int64 = 0
            while isDone.wait(atMost: interval, { $0 ? true : nil }) == nil {
                let now = bytes()
                idle = now == known ? idle + interval : 0
                known = now
                if idle > 0 { tell("waiting for \(subject): no byte for \(idle / 1_000_000_000) s") }
            }
        }.detach()
        defer { isDone.update { $0 = true } }
        return try body()
    }
}
