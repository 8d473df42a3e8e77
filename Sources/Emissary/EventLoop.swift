import ProcessControl
import RunDirectory
import SystemSupport

/// The one loop of the emissary: signals, changes in the run directory, the child's end and output in one call of poll(2).
///
/// Each round waits for every child that has ended: as process 1 of the container we inherit the orphans.
final class EventLoop {
    struct Wakeup {
        /// Signals that came, but for SIGCHLD and SIGURG.
        var signals: [Int32]
        /// Whether something may have changed in the directories watched.
        var filesMayHaveChanged: Bool
        /// What the caller added, with answers.
        var set: PollSet
    }

    let watcher = FileWatcher(delay: 30_000_000)
    /// The process whose end counts.
    var child: ChildProcess?
    /// Whether our own SIGTERM has come, at any time.
    private(set) var isTerminating = false
    private let signals: SignalDescriptor
    private let streams: [StreamForwarder]

    /// - Parameter streams: our own standard streams, written to as they have room.
    init(streams: [StreamForwarder]) throws {
        signals = try SignalDescriptor()
        self.streams = streams
    }

    /// Waits for anything, at most until the clock of `monotonicNanoseconds` reaches `deadline`.
    func wait(until deadline: Int64? = nil, adding: (inout PollSet) -> Void = { _ in }) throws(SystemError) -> Wakeup {
        var set = PollSet()
        adding(&set)
        signals.addInterests(to: &set)
        for stream in streams { stream.addInterest(to: &set) }
        if let descriptor = child?.exitDescriptor { set.add(descriptor, .readable) }
        let changed = try watcher.wait(until: deadline, also: &set)
        for stream in streams { stream.proceed() }
        let numbers = signals.take().filter { $0 != Signal.childStatus && $0 != Signal.urgent }
        Reaper.reap(keeping: child)
        if numbers.contains(Signal.terminate) { isTerminating = true }
        return Wakeup(signals: numbers, filesMayHaveChanged: changed, set: set)
    }

    /// Looks at what has come so far without waiting.
    ///
    /// - Returns: the signals.
    func look() throws(SystemError) -> [Int32] { try wait(until: 0).signals }

    /// Asks again after each change until there is an answer; nil once SIGTERM has come. Other signals are ignored.
    ///
    /// - Parameter interval: asks at least this often, in nanoseconds.
    func waitFor<R>(atLeastEvery interval: Int64? = nil, _ condition: () throws -> R?) throws -> R? {
        while true {
            if let answer = try condition() { return answer }
            if isTerminating { return nil }
            _ = try wait(until: interval.map { monotonicNanoseconds() + $0 })
        }
    }
}

/// The numbers of signals that mean something to us.
enum Signal {
    static let kill: Int32 = 9
    static let terminate: Int32 = 15
    static let childStatus: Int32 = 17
    static let urgent: Int32 = 23
    static let windowChanged: Int32 = 28

    /// Whether a signal asks for the end, so that the command is not to be started again.
    static func isFinal(_ number: Int32) -> Bool { number == kill || number == terminate }
}
