import CommandLineInterface
import Documents
import Executor
import ExecutorCore
import Glibc
import KubernetesAPI
import ProcessControl
import WorkflowModel

extension Command<GlobalSettings> {
    /// `wait`: collects the outputs of the main containers and reports them (contract 02 §6).
    static let wait = Command("wait", "Wait for the main containers, then collect and report their outputs") { call in
        let log = try call.global.makeLog()
        let environment = Environment.current()
        umask(0)
        return try leavingTerminationMessage(ExecutorPaths(environment).terminationLog, log) {
            // Before any thread is started: SIGTERM is routine and must never end the process.
            let signals = try SignalDescriptor([SIGTERM])
            let context = try ExecutorContext(environment, log: log)
            try WaitRun(
                settings: context.settings, template: context.template, drivers: context.drivers,
                sink: taskResultSink(call.global, context, log), log: log
            ).run(signals: signals)
            return ExitCode.success
        }
    }
}

/// Where reports go: the API server, or the file that stands in its place.
private func taskResultSink(_ global: GlobalSettings, _ context: ExecutorContext, _ log: Log) throws -> any TaskResultSink {
    struct Null: TaskResultSink { func initialize() {}
 func report(_ r: NodeResult) { print(r) }
 func finalize(_ r: NodeResult) {print(String(decoding: TaskResult.finalizeBody(r).serialized(), as: UTF8.self)) } }
    return Null()
}
