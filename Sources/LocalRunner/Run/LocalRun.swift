import Artifacts
import Documents
import FileTrees
import Glibc
import HTTPTransport
import PodBuilding
import PodSandbox
import RunDirectory
import SystemSupport
import WorkflowEngine
import WorkflowModel
import WorkflowPlanning

/// Runs a workflow's pods on this machine: asks the engine what is to be done, does it, and tells the engine what became of it.
/// Everything is decided on the thread that calls `run`.
final class LocalRun {
    private let workflow: PreparedWorkflow
    private let settings: LocalRunSettings
    private let folder: RunFolder
    private let store: EmbeddedStore?
    private let factory: PodFactory
    private let workers: PodWorkers
    private let mailbox: RunMailbox
    private let display: any RunDisplay
    private let keyboard: KeyboardInput

    private enum Question {
        /// A node, with the values given so far.
        case suspended(nodeID: String, outputs: [String: String])
        /// A container, which goes on when this file of its run directory is there.
        case paused(nodeID: String, release: BytePath)
    }

    private var run: WorkflowRun
    /// Nodes that wait for a time of `monotonicNanoseconds`.
    private var timers: [String: Int64] = [:]
    /// When the engine wants to look again.
    private var wakes: [Timestamp] = []
    /// What waits for the user, in its order.
    private var questions: [Question] = []
    /// The containers of each pod that may come to a pause, by node.
    private var pausable: [String: [ContainerDirectory]] = [:]
    /// The pauses that were told of.
    private var told: Set<String> = []
    /// How often pauses are looked for, in nanoseconds.
    private static let pauseInterval: Int64 = 100_000_000
    private var ends: [String: PodEnd] = [:]
    private var interruptions = 0
    private var isOver = false
    private var nextProgressTime: Int64 = 0
    private let deadlineTime: Int64?

    init(
        _ workflow: PreparedWorkflow, _ factory: PodFactory, settings: LocalRunSettings, folder: RunFolder,
        store: EmbeddedStore?,
        podRuntime: PodRuntime, mailbox: RunMailbox, display: any RunDisplay, width: Int, isShared: Bool
    ) {
        self.workflow = workflow
        self.settings = settings
        self.folder = folder
        self.store = store
        self.mailbox = mailbox
        self.display = display
        self.factory = factory
        keyboard = KeyboardInput(mailbox)
        run = WorkflowRun(plan: workflow.plan, identity: workflow.identity)
        workers = PodWorkers(
            podRuntime: podRuntime, mailbox: mailbox, width: width, keepsFolders: settings.keepsFolders, isShared: isShared,
            executorImage: factory.settings.executorImage, log: display.log)
        deadlineTime = run.spec["activeDeadlineSeconds"]?.int.map {
            monotonicNanoseconds() + max(0, min($0, 1 << 32)) * 1_000_000_000
        }
    }

    /// Runs the workflow to its end.
    func runToEnd() -> (run: WorkflowRun, ends: [String: PodEnd], isInterrupted: Bool) {
        display.begin(name: workflow.identity.name, folder: folder.path)
        perform(run.start(at: Timestamp.now))
        while !isOver {
            readProgress()
            readPauses()
            display.show(run)
            for event in mailbox.take(until: wakeTime) { handle(event) }
            let now = monotonicNanoseconds()
            for (node, time) in timers where time <= now {
                timers[node] = nil
                perform(run.resume(node, at: Timestamp.now))
            }
            let time = Timestamp.now
            if wakes.contains(where: { $0 <= time }) {
                wakes.removeAll { $0 <= time }
                perform(run.wake(at: time))
            }
            if let deadlineTime, now >= deadlineTime, !isOver { perform(run.deadlineReached(at: Timestamp.now)) }
        }
        workers.waitForEnd()
        display.show(run)
        return (run, ends, interruptions > 0)
    }

    /// At a terminal, how far the steps are.
    private func readProgress() {
        guard let next = display.nextRefresh, next > nextProgressTime else { return }
        nextProgressTime = monotonicNanoseconds() + 1_000_000_000
        for node in run.allNodes where node.type == .pod && node.phase == .running {
            guard let report = try? PodReport.read(folder.node(node.id).taskResult) else { continue }
            if !report.result.progress.isEmpty { run.podProgressed(node.id, report.result.progress) }
        }
    }

    /// Which containers have come to a pause since they were looked at last.
    private func readPauses() {
        if settings.pauses.isEmpty { return }
        for node in run.allNodes where node.type == .pod && !node.phase.isFulfilled {
            for container in pausable[node.id] ?? [] {
                guard let pause = container.readPause() else { continue }
                if told.insert("\(node.id) \(container.name) \(pause)").inserted { tell(of: pause, in: container, node) }
            }
        }
    }

    private var wakeTime: Int64? {
        var times = Array(timers.values)
        let now = Timestamp.now
        for wake in wakes {
            let seconds = min(max(0, wake.seconds - now.seconds), 1 << 32)
            let nanoseconds = seconds * 1_000_000_000 + Int64(wake.nanoseconds) - Int64(now.nanoseconds)
            times.append(monotonicNanoseconds(after: max(0, nanoseconds) + 1_000_000))
        }
        if !settings.pauses.isEmpty { times.append(monotonicNanoseconds(after: Self.pauseInterval)) }
        if let deadlineTime, deadlineTime > monotonicNanoseconds() { times.append(deadlineTime) }
        if let next = display.nextRefresh { times.append(next) }
        return times.min()
    }

    private func perform(_ actions: [Action]) {
        for action in actions {
            switch action {
            case .runPod(let request): start(request)
            case .stopPod(let nodeID): workers.stop(nodeID)
            case .suspend(let nodeID, let name, let duration?):
                timers[nodeID] = monotonicNanoseconds(after: duration)
                display.note("\(name) waits for \(durationText(duration))")
            case .suspend(let nodeID, let name, nil):
                questions.append(.suspended(nodeID: nodeID, outputs: [:]))
                display.note("\(name) waits: press Enter to go on\(Self.wanted(run.node(nodeID)))")
                keyboard.start()
            case .wake(let time): wakes.append(time)
            case .remember(let cache, let key, _, let outputs):
                do { try MemoCache(in: settings.home).keep(outputs, cache, key, at: Timestamp.now) } catch {
                    display.note("cannot remember '\(key)': \(errorText(error))")
                }
            case .workflowFinished: isOver = true
            }
        }
    }

    private static func wanted(_ node: Node?) -> String {
        let names = (node?.outputs?["parameters"]?.array ?? []).filter { $0["valueFrom"]?["supplied"] != nil }.compactMap {
            $0["name"]?.string
        }
        return names.isEmpty ? "" : ", after a line NAME=VALUE for each of: \(names.joined(separator: ", "))"
    }

    private func start(_ request: PodRequest) {
        do {
            let (built, template) = try factory.pod(for: request)
            let folder = folder.node(request.nodeID)
            pausable[request.nodeID] = (template.mainContainerNames + template.sidecarNames).map {
                folder.runDirectory.container($0)
            }
            workers.start(
                PodJob(
                    nodeID: request.nodeID, pod: built.pod, mainNames: template.mainContainerNames, folder: folder,
                    attachment: attachment(template).adding(folder.attachment)))
        } catch {
            let result = PodResult(phase: .error, message: errorText(error))
            mailbox.post(.podFinished(nodeID: request.nodeID, PodEnd(result: result, folder: nil, failure: nil)))
        }
    }

    /// The embedded store takes the place of the repository, not that of a location which the template itself chose.
    private func attachment(_ template: Template) -> ExecutorAttachment {
        guard let store, let location = template.archiveLocation, let home = LocalStore.place(of: workflow.repository.location),
            let place = LocalStore.place(of: location), place.endpoint == home.endpoint, place.bucket == home.bucket
        else { return ExecutorAttachment() }
        return store.attachment(for: location) ?? ExecutorAttachment()
    }

    private func handle(_ event: RunEvent) {
        switch event {
        case .podStarted(let nodeID):
            perform(run.podStarted(nodeID, at: Timestamp.now))
            // Before what its containers print.
            display.show(run)
        case .line(let nodeID, let container, let isExecutor, let bytes):
            display.line(node: run.node(nodeID), container: container, isExecutor: isExecutor, bytes)
        case .podFinished(let nodeID, let end):
            questions.removeAll { if case .paused(nodeID, _) = $0 { true } else { false } }
            ends[nodeID] = end
            if !end.progress.isEmpty { run.podProgressed(nodeID, end.progress) }
            perform(run.podFinished(nodeID, end.result, at: Timestamp.now))
        case .interrupted: interrupt()
        case .typed(let line): answer(line)
        }
    }

    private func interrupt() {
        interruptions += 1
        if interruptions == 1 {
            display.note("stopping; once more to stop at once")
            timers = [:]
            questions = []
            perform(run.interrupted(at: Timestamp.now))
        } else {
            for node in run.allNodes where node.type == .pod && !node.phase.isFulfilled { workers.stop(node.id) }
        }
    }

    private func answer(_ line: String?) {
        guard !questions.isEmpty else { return }
        guard let line else {
            display.note("standard input was closed, so the run cannot be resumed: stopping it")
            questions = []
            return perform(run.interrupted(at: Timestamp.now))
        }
        switch questions.removeFirst() {
        case .suspended(let nodeID, var outputs):
            guard let equals = line.firstIndex(of: "=") else {
                return perform(run.resume(nodeID, outputs: outputs, at: Timestamp.now))
            }
            outputs[String(line[..<equals])] = String(line[line.index(after: equals)...])
            questions.insert(.suspended(nodeID: nodeID, outputs: outputs), at: 0)
        case .paused(let nodeID, let release):
            if line == "fail" { return workers.stop(nodeID) }
            do {
                // The container writes there too.
                try folder.node(nodeID).runDirectory.write(release, [], mode: 0o644)
            } catch {
                display.note("cannot let it go on: \(errorText(error))")
            }
        }
    }

    /// Tells where to look into a step that waits for the user.
    private func tell(of pause: ContainerDirectory.Pause, in container: ContainerDirectory, _ node: Node) {
        let pod = folder.node(node.id)
        questions.append(.paused(nodeID: node.id, release: container.release(of: pause)))
        display.note(
            "\(node.displayName) is paused \(pause) the command of \(container.name): press Enter to go on, type 'fail' to end it; "
                + "its root is \(pod.container(container.name).root), its volumes are in \(pod.volumes)")
        keyboard.start()
    }
}
