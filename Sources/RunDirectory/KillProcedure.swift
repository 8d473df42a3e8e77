package import SystemSupport

/// Ends containers by their `signal` files: 15, then 9 after the grace period, then ten more seconds (contract 02 §9).
///
/// A step at a time, so that one loop can do it beside other work; `run` is the loop for callers that have none.
package struct KillProcedure: Sendable {
    package enum Progress: Sendable, Equatable {
        /// Look again when an exit code appears, at the latest at this time of `monotonicNanoseconds`.
        case waiting(until: Int64)
        /// All containers are done, or their emissaries dead.
        case done
        /// These containers outlived even the last wait.
        case overdue([String])
    }

    /// How long the containers may take to go after the second signal, in nanoseconds.
    package static let lastWait: Int64 = 10_000_000_000
    /// Time between the signals where none is configured, in nanoseconds.
    package static let defaultGrace: Int64 = 30_000_000_000

    private enum Phase: Sendable { case terminate, kill(at: Int64), giveUp(at: Int64) }

    private let containers: [ContainerDirectory]
    private let grace: Int64
    private var phase = Phase.terminate

    /// - Parameter grace: nanoseconds between SIGTERM and SIGKILL; not positive means the default.
    package init(_ containers: [ContainerDirectory], grace: Int64) {
        self.containers = containers
        self.grace = grace > 0 ? grace : Self.defaultGrace
    }

    /// Does what is due. The first call writes the first signal.
    ///
    /// - Parameter cutShort: ends the grace period at once; the last wait stays.
    /// - Throws: a signal file could not be written; the procedure has gone on all the same and can be continued.
    package mutating func advance(
        now: Int64 = monotonicNanoseconds(), cutShort: Bool = false
    ) throws(SystemError) -> Progress {
        var failure: SystemError?
        if case .terminate = phase {
            phase = .kill(at: now.addingReportingOverflow(grace).partialValue)
            failure = signalAll(15)
        }
        let left = containers.filter { !Self.hasEnded($0) }
        if case .kill(let at) = phase, !left.isEmpty, cutShort || now >= at {
            phase = .giveUp(at: now + Self.lastWait)
            failure = failure ?? signalAll(9)
        }
        if let failure { throw failure }
        if left.isEmpty { return .done }
        switch phase {
        case .kill(let at): return .waiting(until: at)
        case .giveUp(let at): return now >= at ? .overdue(left.map(\.name)) : .waiting(until: at)
        case .terminate: return .waiting(until: now)
        }
    }

    /// Runs the whole procedure.
    ///
    /// - Parameters:
    ///   - descriptors: readable ones wake the loop, after which `cutShort` is asked; who owns them empties them there.
    ///   - cutShort: whether the grace period shall end at once.
    /// - Throws: a signal file could not be written, or containers outlived the last wait.
    package mutating func run(
        watcher: FileWatcher, wakingOn descriptors: [Int32] = [], cutShort: () -> Bool = { false }
    ) throws {
        var failure: SystemError?
        for container in containers {
            try? container.create()
            watcher.watch(container)
        }
        while true {
            let progress: Progress
            do throws(SystemError) { progress = try advance(cutShort: cutShort()) } catch {
                failure = failure ?? error
                continue
            }
            switch progress {
            case .done:
                if let failure { throw failure }
                return
            case .overdue(let names):
                throw ExecutorError.failed("kill containers \(names.joined(separator: ", ")): still running after SIGKILL")
            case .waiting(let until):
                var others = PollSet()
                for descriptor in descriptors { others.add(descriptor, .readable) }
                try watcher.wait(until: until, also: &others)
            }
        }
    }

    private func signalAll(_ number: Int32) -> SystemError? {
        var failure: SystemError?
        for container in containers {
            do throws(SystemError) { try container.writeSignal(number) } catch { failure = failure ?? error }
        }
        return failure
    }

    private static func hasEnded(_ container: ContainerDirectory) -> Bool {
        let standing = container.standing()
        return standing == .done || standing == .died
    }
}
