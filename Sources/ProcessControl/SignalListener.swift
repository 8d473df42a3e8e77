package import SystemSupport

/// Hears signals on a thread of its own, for programs with several threads. Process 1 of a container looks at them in its loop instead.
package enum SignalListener {
    /// Begins to listen.
    ///
    /// - Parameters:
    ///   - signals: made before any thread was started, so that they are blocked in all of them.
    ///   - hear: is given what has come since the last call; false ends the listening.
    /// - Throws: `SystemError` where no thread can be started.
    package static func start(_ signals: SignalDescriptor, _ hear: @escaping @Sendable ([Int32]) -> Bool) throws(SystemError) {
        try WorkerThread {
            while true {
                var set = PollSet()
                signals.addInterests(to: &set)
                guard (try? set.wait(until: nil)) != nil else { return }
                let numbers = signals.take()
                if !numbers.isEmpty, !hear(numbers) { return }
            }
        }.detach()
    }
}
