package import Artifacts
package import KubernetesAPI
package import ProcessControl
import RunDirectory
package import SystemSupport
import Tracing
package import WorkflowModel

/// The `wait` mode: waits for the main containers, collects what they leave and reports it (contract 02 §6).
package struct WaitRun: Sendable {
    package let settings: ExecutorSettings
    package let template: Template
    package let drivers: DriverContext
    package let sink: any TaskResultSink
    package let log: Log

    package init(
        settings: ExecutorSettings, template: Template, drivers: DriverContext, sink: any TaskResultSink, log: Log
    ) {
        self.settings = settings
        self.template = template
        self.drivers = drivers
        self.sink = sink
        self.log = log
    }

    /// Runs to the end; whatever fails on the way, what had been produced is still reported.
    ///
    /// - Parameter signals: gives SIGTERM; made before any thread was started.
    /// - Throws: the first error recorded.
    package func run(signals: SignalDescriptor) throws {
        let directory = RunDirectory(root: settings.paths.runDirectory)
        let reporter = TaskResultReporter(sink, log: log)
        let failures = Failures(log: log)

        // Nothing but reports needs the task result: outputs are collected and stored while the API server is away too.
        let creation = Monitor(Bool?.none)
        try WorkerThread {
            let created = failures.record { try reporter.initialize() } != nil
            creation.update { $0 = created }
        }.detach()
        let monitor = try PodMonitor(
            directory: directory, containers: template.mainContainerNames, settings: settings, signals: signals, log: log)
        try monitor.start()
        defer { monitor.end() }
        let progress = settings.progress.map { ProgressReporter(monitor, reporter, tick: $0.patchTick, log: log) }
        failures.record { try progress?.start { creation.wait { $0 } } }

        log.info("waiting for the main containers", ["containers": .text(template.mainContainerNames.joined(separator: ","))])
        let waiting = Trace.begin("waitWorkload")
        if let failure = monitor.observation.wait({ observation in observation.isOver ? .some(observation.failure) : nil }) {
            waiting?.fail(errorText(failure))
            failures.record { throw ExecutorError.wrapping("failed to wait for main container to complete", failure) }
        }
        waiting?.end()
        for name in template.mainContainerNames {
            let code = directory.container(name).readExitCode()
            log.info(
                "main container ended",
                ["container": .text(name), "exitCode": code.map { .integer(Int64($0)) } ?? .text("unknown")])
        }
        let outputs = OutputCollector(
            template: template, settings: settings, directory: directory, drivers: drivers, log: log
        ).collect(failures)
        if creation.current == nil { log.info("outputs are collected, waiting for the API server to report them") }
        creation.wait { $0 }
        report(outputs, progress: progress?.end(), reporter, directory, failures)
        if let first = failures.first { throw first }
    }

    /// Outputs and the completion label go out in one request where nothing has to happen between the two (contract 05 P22).
    private func report(
        _ outputs: Outputs, progress: String?, _ reporter: TaskResultReporter, _ directory: RunDirectory, _ failures: Failures
    ) {
        if settings.artifactPluginContainers.isEmpty {
            if failures.record({ try reporter.finalize(outputs, progress: progress) }) != nil {
                log.info("outputs reported")
                return
            }
            // Outputs that the server will not take must not hold the node back too.
            failures.note { try reporter.finalize() }
            return
        }
        if failures.record({ try reporter.report(outputs, progress: progress) }) != nil { log.info("outputs reported") }
        failures.note {
            var kill = KillProcedure(
                settings.artifactPluginContainers.map { directory.container($0) }, grace: settings.gracePeriod)
            try kill.run(watcher: FileWatcher())
        }
        failures.note { try reporter.finalize() }
    }
}
