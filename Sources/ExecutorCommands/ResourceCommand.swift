import Artifacts
import CommandLineInterface
import Executor
import Glibc
import ProcessControl
import ResourceTemplates
import SystemSupport

extension Command<GlobalSettings> {
    /// `resource ACTION`: acts on a Kubernetes object by kubectl and waits for its conditions (contract 02 §7).
    static let resource = Command(
        "resource", "Act on a Kubernetes object, wait for its conditions and report what it says", usage: "ACTION"
    ) { call in
        guard call.words.count == 1, call.rest == nil else {
            throw UsageError.words("resource: expected one ACTION, got \(call.words.count + (call.rest?.count ?? 0)) words")
        }
        let log = try call.global.makeLog()
        let environment = Environment.current()
        let terminationLog = ExecutorPaths(environment).terminationLog
        let telemetry = Telemetry(environment, call.global, log)
        defer { telemetry.finish() }
        return try leavingTerminationMessage(terminationLog, log) {
            // Before any thread is started: SIGTERM ends the work in good order.
            let signals = try SignalDescriptor([SIGTERM])
            let context = try ExecutorContext(environment, log: log)
            context.announce("resource", log)
            let tools = ToolBox(
                environment: .original(), interruption: Interruption(signals), log: log,
                isTransientText: context.drivers.isTransientText)
            let run = ResourceRun(
                action: call.words[0].text, settings: context.settings, template: context.template,
                sink: taskResultSink(call.global, context, log),
                reader: ClusterObjectReader(ClusterServices(call.global, context, log).client(), log: log), tools: tools)
            let aside = try telemetry.run(.main, context) { try run.run() }
            if let aside { TerminationMessage.write(errorText(aside), to: terminationLog, log) }
            return ExitCode.success
        }
    }
}
