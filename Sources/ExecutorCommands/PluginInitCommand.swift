import Artifacts
import CommandLineInterface
import Executor
import Glibc
import PluginArtifacts
import ProcessControl
import SystemSupport

/// What `artifact-plugin-init` takes.
struct PluginInitSettings: Sendable {
    var pluginName = ""
}

extension Command<GlobalSettings> {
    /// `artifact-plugin-init --plugin-name NAME -- PROGRAM ARGUMENTS`: loads the input artifacts of a plugin, whose server it runs
    /// meanwhile (contract 02 §2).
    static let pluginInit = Command(
        "artifact-plugin-init", "Load the input artifacts of an artifact plugin", usage: "-- PROGRAM [ARGUMENT...]",
        settings: { PluginInitSettings() },
        flags: [
            Flag("plugin-name", value: "NAME", help: "name of the artifact plugin") {
                (settings, value) throws(UsageError) in settings.pluginName = value.text
            }
        ]
    ) { call in
        let log = try call.global.makeLog()
        let environment = Environment.current()
        let telemetry = Telemetry(environment, call.global, log)
        defer { telemetry.finish() }
        return try leavingTerminationMessage(ExecutorPaths(environment).terminationLog, log) {
            let context = try ExecutorContext(environment, log: log)
            context.announce("artifact-plugin-init", log)
            let name = call.settings.pluginName
            guard !name.isEmpty else { throw UsageError.words("artifact-plugin-init: --plugin-name is not given") }
            let signals = try SignalDescriptor([SIGTERM])
            try stoppingOnce(by: signals) { context.drivers.cancel() }
            let plugin = PluginInitRun.Plugin(
                name: name, folder: context.drivers.clouds[PluginPlaces.self].folder(of: name),
                command: call.rest ?? call.words, environment: .original())
            try telemetry.run(.initialize, context) {
                try PluginInitRun(plugin, step: context.step(log), environment: environment).run()
            }
            return ExitCode.success
        }
    }
}
