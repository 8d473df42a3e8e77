import SystemSupport

/// What was waited for in vain.
package struct NeverHappened: Error, CustomStringConvertible {
    package let description: String
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
