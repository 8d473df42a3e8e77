package import Artifacts
package import KubernetesAPI
package import ProcessControl
import RunDirectory
package import SystemSupport
import WorkflowModel

/// The `supervisor` mode of pods without an init container (contract 02 §3): prepares the pod while the emissaries wait, lets them start,
/// and then does what `wait` does.
package struct SupervisorRun: Sendable {
    /// Its drivers are for what is collected.
    package let step: StepContext
    /// The template's own text: handed on unchanged, so that fields which we do not know survive.
    package let templateText: [UInt8]
    package let environment: Environment
    /// Makes the drivers for what is loaded: others than the step's, since SIGTERM ends the loading and never the collecting.
    package let makeLoading: @Sendable () -> DriverContext
    package let sink: any TaskResultSink

    /// How long the API server may take to forbid the task result before main starts anyway, in nanoseconds.
    private static let refusalPatience: Int64 = 2_000_000_000

    package init(
        _ step: StepContext, templateText: [UInt8], environment: Environment,
        loading: @escaping @Sendable () -> DriverContext, sink: any TaskResultSink
    ) {
        self.step = step
        self.templateText = templateText
        self.environment = environment
        makeLoading = loading
        self.sink = sink
    }

    private var log: Log { step.log }

    /// Runs to the end; whatever fails on the way, what had been produced is still reported.
    ///
    /// - Parameter signals: gives SIGTERM; made before any thread was started.
    /// - Throws: the first error recorded; each has been told in the log.
    package func run(signals: SignalDescriptor) throws {
        let directory = step.directory
        let failures = Failures(log: log)
        let former = formerOutcome(directory)
        let life = try? LifeLock(of: directory.container(Self.name))
        let heartbeat = former == nil ? failures.record { try StatusHeartbeat(in: directory, log: log) } : nil

        let reporter = TaskResultReporter(sink, log: log)
        let preparation = Preparation(step, templateText: templateText, environment: environment, drivers: makeLoading())
        let (creation, monitor) = try failures.telling { () -> (TaskResultCreation, PodMonitor) in
            let creation = try TaskResultCreation(reporter, failures) { error in preparation.breakOff(error) }
            let monitor = try PodMonitor(step, signals: signals) { reason in preparation.breakOff(reason) }
            try monitor.start()
            return (creation, monitor)
        }
        defer { monitor.end() }

        let isPrepared: Bool
        switch former {
        case nil: isPrepared = prepare(preparation, heartbeat, creation, directory, failures)
        case .failed(let text)?:
            failures.add(ExecutorError.failed(text))
            isPrepared = false
        default: isPrepared = true
        }
        try PostMain(step: step, reporter: reporter, creation: creation, monitor: monitor, failures: failures).run(
            isPrepared: isPrepared)
        withExtendedLifetime(life) {}
    }

    /// The name of our own container.
    private static let name = "supervisor"

    /// What an earlier process of this container has already told the emissaries, who act on it: nil where there was none, or it did not
    /// come so far.
    private func formerOutcome(_ directory: RunDirectory) -> StatusMarker? {
        let own = directory.container(Self.name)
        defer { try? own.create() }
        guard own.exists(own.alive), let bytes = try? directory.readIfPresent(directory.status, limit: 1 << 20) else {
            return nil
        }
        let marker = StatusMarker(bytes)
        switch marker {
        case .ready, .failed:
            log.warn("the pod was prepared by an earlier supervisor, going on after it")
            return marker
        case .running, .other: return nil
        }
    }

    /// Prepares the pod and tells the emissaries how that went.
    ///
    /// - Returns: whether the main containers may start.
    private func prepare(
        _ preparation: Preparation, _ heartbeat: StatusHeartbeat?, _ creation: TaskResultCreation, _ directory: RunDirectory,
        _ failures: Failures
    ) -> Bool {
        // Without a first marker the error is recorded already.
        guard let heartbeat else { return false }
        let start = monotonicNanoseconds()
        do {
            do {
                defer { heartbeat.end() }
                directory.sweep()
                try preparation.run()
                // Where the server forbids the reports, the step shall fail before it has done anything.
                creation.waitForFirstAnswer(atMost: Self.refusalPatience)
                try preparation.end()
            }
            try ready(directory)
            let elapsed = (monotonicNanoseconds() - start) / 1_000_000
            log.info("the pod is prepared, the main containers may start", ["milliseconds": .integer(elapsed)])
            return true
        } catch {
            failures.add(error)
            try? preparation.end()
            failures.note { try StatusMarker.failed(errorText(error)).write(in: directory) }
            return false
        }
    }

    private func ready(_ directory: RunDirectory) throws {
        do throws(SystemError) { try StatusMarker.ready.write(in: directory) } catch {
            throw ExecutorError.wrapping("failed to write the status marker", error)
        }
    }
}
