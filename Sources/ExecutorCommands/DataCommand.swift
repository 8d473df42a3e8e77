import Artifacts
import CommandLineInterface
import Executor
import Glibc
import KubernetesAPI
import ProcessControl
import SystemSupport

extension Command<GlobalSettings> {
    /// `data JSON`: lists, transforms and reports the data of a data template (contract 02 §8). The word is what the controller puts
    /// there for people; the template counts (contract 01 §2).
    static let data = Command("data", "List and transform the data of a data template, and report it", usage: "[JSON]") {
        call in
        let log = try call.global.makeLog()
        let environment = Environment.current()
        let telemetry = Telemetry(environment, call.global, log)
        defer { telemetry.finish() }
        return try leavingTerminationMessage(ExecutorPaths(environment).terminationLog, log) {
            // Before any thread is started, so that the signal is blocked in every thread.
            let signals = try SignalDescriptor([SIGTERM])
            let context = try ExecutorContext(environment, log: log)
            context.announce("data", log)
            let run = DataRun(
                template: context.template, drivers: context.drivers, sink: taskResultSink(call.global, context, log), log: log)
            // SIGTERM ends the listing; the task result is completed all the same.
            try stoppingOnce(by: signals) { context.drivers.cancel() }
            try telemetry.run(.main, context) { try run.run() }
            return ExitCode.success
        }
    }
}
