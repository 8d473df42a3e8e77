import Artifacts
import CommandLineInterface
import Executor
import Glibc
import KubernetesAPI
import ProcessControl
import SystemSupport
import WorkflowModel

extension Command<GlobalSettings> {
    /// `wait`: collects the outputs of the main containers and reports them (contract 02 §6).
    static let wait = Command("wait", "Wait for the main containers, then collect and report their outputs") { call in
        let log = try call.global.makeLog()
        let environment = Environment.current()
        umask(0)
        let telemetry = Telemetry(environment, call.global, log)
        defer { telemetry.finish() }
        return try leavingTerminationMessage(ExecutorPaths(environment).terminationLog, log) { failure in
            // Before any thread is started: SIGTERM is routine and must never end the process.
            let signals = try SignalDescriptor([SIGTERM])
            let context = try ExecutorContext(environment, log: log)
            context.announce("wait", log)
            let run = WaitRun(context.step(log), sink: taskResultSink(call.global, context, log))
            try telemetry.run(.wait, context) { try failure.told { try run.run(signals: signals) } }
            return ExitCode.success
        }
    }
}

/// Where reports go: the API server, or the file that stands in its place.
func taskResultSink(_ global: GlobalSettings, _ context: ExecutorContext, _ log: Log) -> any TaskResultSink {
    let settings = context.settings
    let identity = TaskResultIdentity(
        nodeID: settings.nodeID, workflowName: settings.workflowName, workflowUID: settings.workflowUID,
        instanceID: settings.instanceID)
    let environment = context.environment
    if let file = environment.nonEmpty(.taskResultFile) { return TaskResultFile(BytePath(file), identity: identity) }
    return TaskResultStore(ClusterServices(global, context, log).client(), identity: identity)
}
