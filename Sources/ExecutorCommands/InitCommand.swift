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
        return try leavingTerminationMessage(ExecutorPaths(environment).terminationLog, log) {
            let context = try ExecutorContext(environment, log: log)
            context.announce("init", log)
            // Modes of what is staged are the contract's own, whatever the image's umask.
            umask(0)
            let signals = try SignalDescriptor([SIGTERM])
            // SIGTERM ends the downloads; the error that they then give is the mode's own.
            try WorkerThread {
                var set = PollSet()
                signals.addInterests(to: &set)
                while (try? set.wait(until: nil)) != nil {
                    if signals.take().contains(SIGTERM) { return context.drivers.cancel() }
                }
            }.detach()
            try InitRun(
                settings: context.settings, template: context.template, templateText: context.templateText,
                environment: environment, drivers: context.drivers, log: log
            ).run()
            return ExitCode.success
        }
    }
}
