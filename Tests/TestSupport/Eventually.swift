import SystemSupport

/// What was waited for in vain.
package struct NeverHappened: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

/// Waits for something that another thread or process does, but not for ever: a failure must not hang the suite.
///
/// - Parameter seconds: far more than it takes on a busy machine.
package func eventually(_ what: String, within seconds: Int64 = 60, _ condition: () throws -> Bool) throws {
    let end = monotonicNanoseconds() + seconds * 1_000_000_000
    while try !condition() {
        if monotonicNanoseconds() > end { throw NeverHappened(description: "did not happen: \(what)") }
        sleepNanoseconds(2_000_000)
    }
}

/// The same for tests that are `async`: these share two threads, and one that is held while it waits keeps others from what they
/// are waited for.
///
/// - Parameter seconds: more than for `eventually`, since other tests may hold those threads.
package func happens(
    _ what: String, within seconds: Int = 300, _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while try await !condition() {
        if ContinuousClock.now > end { throw NeverHappened(description: "did not happen: \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}
