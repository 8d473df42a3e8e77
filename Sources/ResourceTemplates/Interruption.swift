package import ProcessControl
import SystemSupport

/// SIGTERM as what ends the work on an object: kubectl, requests and pauses are cut short, and nothing new is begun.
package final class Interruption: Sendable {
    private let owner: any AnyObject & Sendable
    /// Readable once the signal has come, and from then on: it is never consumed.
    let descriptors: [Int32]

    /// - Parameter signals: gives SIGTERM, and was made before any thread was started.
    package init(_ signals: SignalDescriptor) {
        owner = signals
        descriptors = signals.descriptors
    }

    /// - Parameter event: stands for the signal.
    init(_ event: EventDescriptor) {
        owner = event
        descriptors = [event.raw]
    }

    /// Whether the signal has come.
    var hasCome: Bool { !sleep(0) }

    /// Waits that many nanoseconds.
    ///
    /// - Returns: false where the signal cut it short.
    func sleep(_ duration: Int64) -> Bool {
        var set = PollSet()
        let indices = descriptors.map { set.add($0, .readable) }
        let (end, isForEver) = monotonicNanoseconds().addingReportingOverflow(max(0, duration))
        // A signal's handler ends the wait early, of which there is none that returns.
        guard (try? set.wait(until: isForEver ? nil : end)) == true else { return true }
        return indices.allSatisfy { set[$0].isEmpty }
    }

    /// Runs `body` on a thread of its own, which is abandoned when the signal comes: a request to a silent server would outlast the
    /// grace period.
    ///
    /// - Throws: what `body` throws; `ExecutorError` where the signal came first.
    func abandoning<R: Sendable>(_ operation: String, _ body: @escaping @Sendable () throws -> R) throws -> R {
        let outcome = Monitor(Result<R, any Error>?.none)
        let done = try EventDescriptor()
        try WorkerThread {
            let result = Result { try body() }
            outcome.update { $0 = result }
            done.signal()
        }.detach()
        var set = PollSet()
        set.add(done.raw, .readable)
        for descriptor in descriptors { set.add(descriptor, .readable) }
        while try !set.wait(until: nil) {}
        guard let result = outcome.current else { throw Self.error(operation) }
        return try result.get()
    }

    static func error(_ operation: String) -> ExecutorError { .failed("\(operation): ended by SIGTERM") }
}
