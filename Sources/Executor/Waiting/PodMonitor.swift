import Glibc
import ProcessControl
import RunDirectory
import SystemSupport
import WorkflowModel

/// Watches the rest of the pod from one thread: the ends of the main containers, SIGTERM, the deadline and the progress file
/// (contract 02 §6). Between events it uses no processor time.
final class PodMonitor: Sendable {
    /// What has been seen so far.
    struct Observation: Sendable {
        /// Waiting for the main containers is over: all have ended, or SIGTERM came and those that live had their time.
        var isOver = false
        /// SIGTERM has come. It is routine: the controller sends it whenever a main container has ended.
        var isTerminated = false
        /// Why the containers could not be watched.
        var failure: (any Error)?
        /// The last valid line of the progress file.
        var progress: String?
        fileprivate var isStopped = false
    }

    let observation = Monitor(Observation())
    private let directory: RunDirectory
    private let containers: [ContainerDirectory]
    private let deadline: Timestamp?
    private let gracePeriod: Int64
    private let progressFile: BytePath?
    private let terminationLog: BytePath
    private let signals: SignalDescriptor
    private let stop: EventDescriptor
    private let log: Log
    private let onInterruption: @Sendable (String) -> Void

    /// What is left as the termination message where a step took too long.
    static let deadlineText = "Step exceeded its deadline"

    /// - Parameters:
    ///   - signals: must give SIGTERM, and have been made before any thread was started.
    ///   - onInterruption: is told, on the monitor's thread, why the step is to end: SIGTERM or the deadline.
    init(
        _ step: StepContext, signals: SignalDescriptor, onInterruption: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        let directory = step.directory
        self.directory = directory
        containers = step.template.mainContainerNames.map { directory.container($0) }
        deadline = step.settings.deadline
        gracePeriod = step.settings.gracePeriod
        progressFile = step.settings.progress?.file
        terminationLog = step.settings.paths.terminationLog
        self.signals = signals
        stop = try EventDescriptor()
        log = step.log
        self.onInterruption = onInterruption
    }

    /// Begins to watch. The monitor runs until SIGTERM or `end`.
    func start() throws {
        try WorkerThread { [self] in
            do { try watch() } catch {
                observation.update { observation in
                    observation.failure = error
                    observation.isOver = true
                }
            }
        }.detach()
    }

    /// Ends the watching, at the latest at its next event.
    func end() {
        observation.update { $0.isStopped = true }
        stop.signal()
    }

    private func watch() throws {
        let watcher = FileWatcher()
        for container in containers {
            try container.create()
            watcher.watch(container)
        }
        var progress = progressFile.flatMap { ProgressFile($0, in: directory, watcher: watcher, log: log) }
        var kill: KillProcedure?
        var terminatedAt: Int64?
        while !observation.current.isStopped {
            if signals.take().contains(SIGTERM), terminatedAt == nil {
                log.info("received SIGTERM: collecting the outputs that exist")
                terminatedAt = monotonicNanoseconds()
                observation.update { $0.isTerminated = true }
                onInterruption("received SIGTERM")
            }
            let standings = containers.map(standing)
            // What a dying main container still writes belongs to its outputs; it has three quarters of the grace period,
            // the rest is for the uploads.
            let patience = terminatedAt.map { $0 + gracePeriod / 4 * 3 }
            let isOver =
                standings.allSatisfy { $0 == .done }
                || patience.map { !standings.contains(.alive) || monotonicNanoseconds() >= $0 } ?? false
            if isOver {
                if !observation.current.isOver { observation.update { $0.isOver = true } }
                if terminatedAt != nil { return }
            }
            if let line = progress?.read(), line != observation.current.progress { observation.update { $0.progress = line } }
            var wake = observation.current.isOver ? nil : patience
            if let untilDeadline = nanosecondsToDeadline, terminatedAt == nil, kill == nil {
                if untilDeadline <= 0 {
                    log.warn("step exceeded its deadline")
                    TerminationMessage.write(Self.deadlineText, to: terminationLog, log)
                    onInterruption(Self.deadlineText)
                    kill = KillProcedure(containers.filter { !$0.name.hasPrefix("artifact-plugin-") }, grace: gracePeriod)
                } else {
                    wake = earlier(wake, monotonicNanoseconds() + untilDeadline)
                }
            }
            if kill != nil { wake = earlier(wake, advance(&kill, cutShort: terminatedAt != nil)) }
            var others = PollSet()
            signals.addInterests(to: &others)
            others.add(stop.raw, .readable)
            try watcher.wait(until: wake, also: &others)
        }
    }

    /// How a container stands. A dead emissary cannot write its exit code, so that we do it: 137, which also frees dependants in a
    /// container set.
    private func standing(_ container: ContainerDirectory) -> ContainerDirectory.Standing {
        let standing = container.standing()
        guard standing == .died else { return standing }
        log.warn("the container's emissary was killed", ["container": .text(container.name)])
        do { try container.writeExitCodeIfAbsent(ExitCode.signal(SIGKILL)) } catch {
            log.warn("cannot write the exit code of a killed emissary", ["error": .error(error)])
        }
        return .done
    }

    /// Nil where there is no deadline.
    private var nanosecondsToDeadline: Int64? {
        guard let deadline else { return nil }
        let now = Timestamp.now
        let (seconds, overflow) = deadline.seconds.subtractingReportingOverflow(now.seconds)
        if overflow || seconds > 1 << 32 { return nil }
        return max(seconds, -1 << 32) * 1_000_000_000 + Int64(deadline.nanoseconds) - Int64(now.nanoseconds)
    }

    /// Does the kill's next step.
    ///
    /// - Returns: when it wants to be called again; nil once it is over.
    private func advance(_ kill: inout KillProcedure?, cutShort: Bool) -> Int64? {
        do throws(SystemError) {
            switch try kill?.advance(cutShort: cutShort) {
            case .waiting(let until): return until
            case .done, nil: return nil
            case .overdue(let names):
                log.warn("containers outlived SIGKILL", ["containers": .text(names.joined(separator: ","))])
                return nil
            }
        } catch {
            log.warn("cannot signal a container", ["error": .error(error)])
            return monotonicNanoseconds() + 1_000_000_000
        }
    }

    private func earlier(_ one: Int64?, _ other: Int64?) -> Int64? {
        guard let one, let other else { return one ?? other }
        return min(one, other)
    }
}
