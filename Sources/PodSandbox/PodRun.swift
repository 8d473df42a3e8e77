import Glibc
import ProcessControl
import SystemSupport

/// The life of one pod, in one loop on one thread: init containers in order, then the others side by side, and the end of those that
/// are left once the main containers are done.
final class PodRun {
    private let pod: PodManifest
    private let folder: PodFolder
    private let planner: ContainerPlanner
    private let stops: [PodStop]
    private let observer: ((PodEvent) -> Void)?
    private let keeper: SandboxKeeper

    /// In the order of their start.
    private var runs: [ContainerRun] = []
    private var restarts: [ObjectIdentifier: Restart] = [:]
    private var ending = PodOutcome.Ending.completed
    /// When what still runs is killed; nil while nothing is being stopped.
    private var killTime: Int64?
    /// Whether the kill spares the executor's own containers: theirs is an end that they find by themselves.
    private var sparesExecutor = true
    private let deadline: Int64?

    /// A sidecar that ended and is started again.
    private struct Restart {
        var next: Int64?
        var delay: Int64
    }

    /// The first and the longest pause before a sidecar is started again, in nanoseconds.
    private static let restartDelays: (first: Int64, longest: Int64) = (1_000_000_000, 300_000_000_000)

    init(planner: ContainerPlanner, keeper: SandboxKeeper, stops: [PodStop], observer: ((PodEvent) -> Void)?) {
        self.keeper = keeper
        pod = planner.pod
        folder = planner.folder
        self.planner = planner
        self.stops = stops
        self.observer = observer
        deadline = planner.pod.activeDeadline.map { monotonicNanoseconds() + $0 }
    }

    /// Runs the pod to its end.
    ///
    /// - Throws: `SystemError` where waiting itself fails; all containers have been ended then.
    func run() throws -> PodOutcome {
        do {
            if try playInitContainers() {
                for container in pod.containers { begin(container, role: .regular) }
                try playContainers()
            }
            try endSidecars()
        } catch {
            for run in runs { run.signal(SIGKILL) }
            try? wait { self.runs.allSatisfy { !$0.isRunning } }
            throw error
        }
        return PodOutcome(ending: ending, containers: runs.compactMap(\.outcome))
    }

    // MARK: Phases

    /// - Returns: whether the pod goes on.
    private func playInitContainers() throws -> Bool {
        for container in pod.initContainers {
            if isEnding { return false }
            let run = begin(container, role: container.isSidecar ? .sidecar : .initial)
            if container.isSidecar {
                if let outcome = run.outcome, outcome.reason == "StartError" { return false }
                continue
            }
            try wait { !run.isRunning }
            if run.outcome?.isSuccess != true { return false }
        }
        return !isEnding
    }

    private func playContainers() throws {
        let mains = pod.mainNames(planner.settings.objects)
        let regular = runs.filter { $0.role == .regular }
        var isOver = false
        try wait {
            let done = regular.filter { mains.contains($0.name) && !$0.isRunning }
            // The controller's routine: what is left has no more reason to run.
            if !isOver, done.count == mains.count || done.contains(where: { $0.outcome?.isSuccess == false }) {
                isOver = true
                if !self.isEnding { self.terminate(regular) }
            }
            return regular.allSatisfy { !$0.isRunning }
        }
    }

    /// Ends the sidecars, the last one first.
    private func endSidecars() throws {
        restarts = [:]
        if !isEnding { killTime = nil }
        for run in runs.reversed() where run.isRunning {
            if !isEnding { run.signal(SIGTERM) }
            killTime = killTime ?? later(pod.gracePeriod)
            sparesExecutor = false
            try wait { !run.isRunning }
        }
    }

    // MARK: Ending

    private var isEnding: Bool { ending != .completed }

    private func terminate(_ runs: [ContainerRun]) {
        for run in runs { run.signal(SIGTERM) }
        killTime = killTime ?? later(pod.gracePeriod)
    }

    private func later(_ duration: Int64) -> Int64 { monotonicNanoseconds().addingReportingOverflow(duration).partialValue }

    /// Ends the whole pod, from outside or by its deadline.
    private func end(_ reason: PodOutcome.Ending) {
        if isEnding { return }
        ending = reason
        restarts = [:]
        sparesExecutor = false
        killTime = later(pod.gracePeriod)
        for run in runs { run.signal(SIGTERM) }
    }

    // MARK: The loop

    @discardableResult
    private func begin(_ container: ContainerManifest, role: ContainerOutcome.Role) -> ContainerRun {
        let observer = observer
        let name = container.name
        let run = ContainerRun(
            container, role: role, isExecutor: planner.isExecutor(container), folder: folder.container(name),
            runtime: planner.settings.runtime, log: planner.settings.log,
            onLine: observer.map { observer in { observer(.line(container: name, bytes: $0)) } })
        runs.append(run)
        start(run)
        return run
    }

    private func start(_ run: ContainerRun) {
        run.start(planner, group: keeper.group())
        if run.isRunning { observer?(.started(container: run.name)) } else { report(run) }
    }

    private func report(_ run: ContainerRun) {
        guard let outcome = run.outcome else { return }
        observer?(.ended(outcome))
        guard run.role == .sidecar, !isEnding else { return }
        var restart = restarts[ObjectIdentifier(run)] ?? Restart(next: nil, delay: Self.restartDelays.first)
        restart.next = later(restart.delay)
        restart.delay = min(restart.delay * 2, Self.restartDelays.longest)
        restarts[ObjectIdentifier(run)] = restart
    }

    /// Waits until a condition holds, which is asked after everything that happens.
    private func wait(until isMet: () -> Bool) throws {
        while !isMet() {
            var set = PollSet()
            for run in runs { run.addInterests(to: &set) }
            for stop in stops {
                if !isEnding { set.add(stop.gentle.raw, .readable) }
                if killTime != .min { set.add(stop.immediate.raw, .readable) }
            }
            try set.wait(until: wakeTime)
            obeyStops()
            let now = monotonicNanoseconds()
            if let deadline, now >= deadline { end(.deadlineExceeded) }
            for run in runs where run.isRunning {
                run.advance()
                if !run.isRunning { report(run) }
            }
            if let killTime, now >= killTime {
                for run in runs where run.isRunning && !(sparesExecutor && run.isExecutor) { run.signal(SIGKILL) }
            }
            for run in runs where !run.isRunning {
                if let next = restarts[ObjectIdentifier(run)]?.next, now >= next {
                    restarts[ObjectIdentifier(run)]?.next = nil
                    start(run)
                }
            }
        }
    }

    private func obeyStops() {
        for stop in stops where stop.isRequested {
            end(.stopped)
            if stop.isUrgent {
                killTime = .min
                sparesExecutor = false
            }
        }
    }

    private var wakeTime: Int64? {
        let now = monotonicNanoseconds()
        var times = runs.compactMap(\.wakeTime) + restarts.values.compactMap(\.next)
        if let deadline, !isEnding { times.append(deadline) }
        // What has been told to die needs no waking for that.
        if let killTime, killTime > now { times.append(killTime) }
        return times.min()
    }
}
