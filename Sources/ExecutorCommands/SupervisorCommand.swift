import CommandLineInterface
import Executor
import Glibc
import ProcessControl
import SystemSupport

extension Command<GlobalSettings> {
    /// `supervisor`: stages the inputs of a pod without init container, then does what `wait` does (contract 02 §3).
    static let supervisor = Command(
        "supervisor", "Stage the inputs of a pod without init container, then collect and report its outputs"
    ) { call in
        let log = try call.global.makeLog()
        let environment = Environment.current()
        umask(0)
        let telemetry = Telemetry(environment, call.global, log)
        defer { telemetry.finish() }
        return try leavingTerminationMessage(ExecutorPaths(environment).terminationLog, log) { failure in
            // Before any thread is started: SIGTERM is routine and must never end the process.
            let signals = try SignalDescriptor([SIGTERM])
            let context = try ExecutorContext(environment, log: log)
            context.announce("supervisor", log)
            let run = SupervisorRun(
                context.step(log), templateText: context.templateText, environment: environment,
                loading: { context.makeDrivers() }, sink: taskResultSink(call.global, context, log))
            try telemetry.run(.supervisor, context) { try failure.told { try run.run(signals: signals) } }
            return ExitCode.success
        }
    }
}
