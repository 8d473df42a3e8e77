import ProcessControl
import RunDirectory
import SystemSupport
import WorkflowModel

/// The wrapper around the server of an artifact plugin (contract 02 §9): it outlives the SIGTERM that the pod's containers get at
/// the end, so that outputs can still be saved, and goes when the executor says so through the signal file.
package struct PluginSidecarRun {
    private let settings: EmissarySettings
    private let directory: ContainerDirectory
    private let log: Log
    private let output = StreamForwarder(1)
    private let error = StreamForwarder(2)

    /// - Parameter settings: those about templates, captures and pauses are not looked at.
    package init(_ settings: EmissarySettings) {
        self.settings = settings
        directory = settings.runDirectory.container(settings.containerName)
        let error = error
        log = Log(level: settings.log.level, format: settings.log.format) { line in error.send(line.span) }
    }

    /// Runs the server to its end. Its own code goes to the exit code file; this process itself ends with 0.
    package func run() -> EmissaryOutcome {
        ProcessAttributes.clearUmask()
        ProcessAttributes.reserveStandardDescriptors()
        do {
            try directory.create()
            let life = Liveness(directory, log: log)
            let loop = try EventLoop(streams: [output, error])
            loop.watcher.watch(directory)
            guard !settings.command.isEmpty else { throw ExecutorError.badRequest("no command was given after --") }
            var run = CommandRun(
                spawner: try settings.spawner(settings.command, span: nil), loop: loop, directory: directory,
                mainContainers: [],
                gracePeriod: settings.gracePeriod, captureFiles: nil, output: output, error: error, log: log)
            run.passesTermination = { nobodyWillEndIt }
            let end = run.run()
            switch end {
            case .ended(let status): log.info("plugin server exited", ["exitCode": .integer(Int64(status.code))])
            case .notStarted(let cause): throw ExecutorError.wrapping("failed to start command", cause)
            case .lost(let cause): throw ExecutorError.wrapping("failed to wait for command", cause)
            }
            try directory.writeExitCode(end.code)
            return withExtendedLifetime(life) { .command(ExitCode.success) }
        } catch { return .failed(errorText(error)) }
    }

    /// Pods without an executor container beside `main` have no process that writes the signal file: there SIGTERM counts. A supervisor
    /// has left its marker by the time that anybody is terminated.
    private var nobodyWillEndIt: Bool {
        if settings.runDirectory.exists(settings.runDirectory.status) { return false }
        guard let template = try? settings.readTemplate() else { return false }
        return !template.hasExecutorBesideMain
    }
}

extension Template {
    /// Whether the pod has a `wait` or a supervisor.
    var hasExecutorBesideMain: Bool { kind != .data && !(kind == .resource && !archivesLogs) }
}
