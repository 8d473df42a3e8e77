package import KubernetesAPI
package import ProcessControl

/// The `wait` mode: waits for the main containers, collects what they leave and reports it (contract 02 §6).
package struct WaitRun: Sendable {
    package let step: StepContext
    package let sink: any TaskResultSink

    package init(_ step: StepContext, sink: any TaskResultSink) {
        self.step = step
        self.sink = sink
    }

    /// Runs to the end; whatever fails on the way, what had been produced is still reported.
    ///
    /// - Parameter signals: gives SIGTERM; made before any thread was started.
    /// - Throws: the first error recorded; each has been told in the log.
    package func run(signals: SignalDescriptor) throws {
        let reporter = TaskResultReporter(sink, log: step.log)
        let failures = Failures(log: step.log)
        let (creation, monitor) = try failures.telling { () -> (TaskResultCreation, PodMonitor) in
            let creation = try TaskResultCreation(reporter, failures)
            let monitor = try PodMonitor(step, signals: signals)
            try monitor.start()
            return (creation, monitor)
        }
        defer { monitor.end() }
        try PostMain(step: step, reporter: reporter, creation: creation, monitor: monitor, failures: failures).run()
    }
}
