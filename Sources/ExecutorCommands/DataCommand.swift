import CommandLineInterface
import Executor
import KubernetesAPI
import SystemSupport

extension Command<GlobalSettings> {
    /// `data JSON`: lists, transforms and reports the data of a data template (contract 02 §8). The word is what the controller puts
    /// there for people; the template counts (contract 01 §2).
    static let data = Command("data", "List and transform the data of a data template, and report it", usage: "[JSON]") {
        call in
        let log = try call.global.makeLog()
        let environment = Environment.current()
        return try leavingTerminationMessage(ExecutorPaths(environment).terminationLog, log) {
            let context = try ExecutorContext(environment, log: log)
            try DataRun(
                template: context.template, drivers: context.drivers, sink: taskResultSink(call.global, context, log), log: log
            ).run()
            return ExitCode.success
        }
    }
}
