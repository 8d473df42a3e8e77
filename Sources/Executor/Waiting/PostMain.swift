import Artifacts
import RunDirectory
import SystemSupport
import Tracing
import WorkflowModel

/// What `wait` and the second half of the supervisor do: wait for the main containers, collect what they leave and report it
/// (contract 02 §6).
struct PostMain: Sendable {
    let step: StepContext
    let reporter: TaskResultReporter
    let creation: TaskResultCreation
    /// Runs already.
    let monitor: PodMonitor
    let failures: Failures
    private var settings: ExecutorSettings { step.settings }
    private var log: Log { step.log }

    /// Runs to the end; whatever fails on the way, what had been produced is still reported.
    ///
    /// - Parameter isPrepared: whether the main containers were let start; where not, only their logs are collected.
    /// - Throws: the first error recorded; each has been told in the log.
    func run(isPrepared: Bool = true) throws {
        let progress = settings.progress.map { ProgressReporter(monitor, reporter, tick: $0.patchTick, log: log) }
        failures.record { try progress?.start { creation.wait() } }
        waitForMain()
        let outputs = OutputCollector(step).collect(failures, logsOnly: !isPrepared)
        if !creation.isOver { log.info("outputs are collected, waiting for the API server to report them") }
        creation.wait()
        report(outputs, progress: progress?.end())
        if let first = failures.first { throw first }
    }

    private func waitForMain() {
        log.info(
            "waiting for the main containers", ["containers": .text(step.template.mainContainerNames.joined(separator: ","))])
        let waiting = Trace.begin("waitWorkload")
        defer { waiting?.end() }
        if let failure = monitor.observation.wait({ observation in observation.isOver ? .some(observation.failure) : nil }) {
            waiting?.fail(errorText(failure))
            failures.record { throw ExecutorError.wrapping("failed to wait for main container to complete", failure) }
        }
        for name in step.template.mainContainerNames {
            let code = step.directory.container(name).readExitCode()
            log.info(
                "main container ended",
                ["container": .text(name), "exitCode": code.map { .integer(Int64($0)) } ?? .text("unknown")])
        }
    }

    /// Outputs and the completion label go out in one request where nothing has to happen between the two (contract 05 P22).
    private func report(_ outputs: Outputs, progress: String?) {
        if settings.artifactPluginContainers.isEmpty {
            if failures.record({ try reporter.finalize(outputs, progress: progress) }) != nil {
                tell(outputs)
                return
            }
            // Outputs that the server will not take must not hold the node back too.
            failures.note { try reporter.finalize() }
            return
        }
        if failures.record({ try reporter.report(outputs, progress: progress) }) != nil { tell(outputs) }
        failures.note {
            var kill = KillProcedure(
                settings.artifactPluginContainers.map { step.directory.container($0) }, grace: settings.gracePeriod)
            try kill.run(watcher: FileWatcher())
        }
        failures.note { try reporter.finalize() }
    }

    private func tell(_ outputs: Outputs) {
        log.info(
            "outputs reported",
            [
                "taskResult": .text(settings.nodeID),
                "parameters": .text(outputs.parameters.map(\.name).joined(separator: ",")),
                "artifacts": .text(outputs.artifacts.map(\.name).joined(separator: ",")),
                "resultBytes": outputs.result.map { .count($0.utf8.count) } ?? "none",
            ])
    }
}
