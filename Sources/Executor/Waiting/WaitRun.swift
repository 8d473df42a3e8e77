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
    /// - Throws: the first error recorded; each has been told in the log.
    package func run(signals: SignalDescriptor) throws {
        let directory = RunDirectory(root: settings.paths.runDirectory)
        let reporter = TaskResultReporter(sink, log: log)
        let failures = Failures(log: log)
        let (creation, monitor) = try failures.telling { () -> (TaskResultCreation, PodMonitor) in
            let creation = try TaskResultCreation(reporter, failures)
            let monitor = try PodMonitor(
                directory: directory, containers: template.mainContainerNames, settings: settings, signals: signals, log: log)
            try monitor.start()
            return (creation, monitor)
        }
        defer { monitor.end() }
        try PostMain(
            settings: settings, template: template, drivers: drivers, directory: directory, reporter: reporter,
            creation: creation, monitor: monitor, failures: failures, log: log
        ).run()
    }
}
