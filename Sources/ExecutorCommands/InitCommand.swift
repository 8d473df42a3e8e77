import Artifacts
import CommandLineInterface
import Executor
import Glibc
import ProcessControl
import SystemSupport

extension Command<GlobalSettings> {
    /// `init`: stages script and input artifacts before the main container starts (contract 02 §2).
    static let initialize = Command("init", "Stage the script and the input artifacts of a pod") { call in
        let log = try call.global.makeLog()
        let environment = Environment.current()
        let telemetry = Telemetry(environment, call.global, log)
        defer { telemetry.finish() }
        return try leavingTerminationMessage(ExecutorPaths(environment).terminationLog, log) {
            let context = try ExecutorContext(environment, log: log)
            context.announce("init", log)
            // Modes of what is staged are the contract's own, whatever the image's umask.
            umask(0)
            let signals = try SignalDescriptor([SIGTERM])
            // SIGTERM ends the downloads; the error that they then give is the mode's own.
            try stoppingOnce(by: signals) { context.drivers.cancel() }
            try telemetry.run(.initialize, context) {
                try InitRun(context.step(log), templateText: context.templateText, environment: environment).run()
            }
            return ExitCode.success
        }
    }
}
