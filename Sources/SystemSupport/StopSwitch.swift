/// Says once that work shall stop, and wakes those who wait meanwhile.
package final class StopSwitch: Sendable {
    private let state = Monitor(false)

    package init() {}

    package func stop() { state.update { $0 = true } }

    package var isStopped: Bool { state.current }

    /// Waits that many nanoseconds; false, at once, when stopped.
    package func sleep(_ nanoseconds: Int64) -> Bool {
        state.wait(atMost: nanoseconds) { $0 ? true : nil } == nil
    }
}
