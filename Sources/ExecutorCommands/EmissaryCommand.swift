import CommandLineInterface
import Emissary
import Executor
import ProcessControl
import RunDirectory
import SystemSupport
import TraceExport
import Tracing

extension Command<GlobalSettings> {
    /// `emissary -- PROGRAM ARGUMENTS`: wraps the user's command in its own container (contract 02 §4).
    static let emissary = Command("emissary", "Run the user's command", usage: "-- PROGRAM [ARGUMENT...]") { call in
        try wrap(call, isTraced: true) { EmissaryRun($0).run() }
    }

    /// `artifact-plugin-sidecar -- PROGRAM ARGUMENTS`: wraps the server of an artifact plugin (contract 02 §9).
    static let pluginSidecar = Command(
        "artifact-plugin-sidecar", "Run the server of an artifact plugin", usage: "-- PROGRAM [ARGUMENT...]"
    ) { call in
        try wrap(call, isTraced: false) { PluginSidecarRun($0).run() }
    }
}

/// Runs a command in the user's container, by settings from the environment and the run directory.
private func wrap(
    _ call: Invocation<GlobalSettings, NoSettings>, isTraced: Bool, _ run: (EmissarySettings) -> EmissaryOutcome
) throws -> Int32 {
    let log = try call.global.makeLog()
    // Our own variables come from `init`; what the container itself says wins.
    let inherited = Environment.current()
    let paths = ExecutorPaths(inherited)
    let directory = RunDirectory(root: paths.runDirectory)
    let environment = inherited.filledUp(with: SettingsFile.read(in: directory))

    var settings = EmissarySettings(command: call.rest ?? call.words, environment: .original())
    settings.containerName = environment[.containerName] ?? ""
    settings.runDirectory = directory
    settings.templateVariable = environment[.template].map { Array($0.utf8) }
    settings.argumentsFile = environment.nonEmpty(.containerArgumentsFile).map { BytePath($0) }
    settings.includeScriptOutput = environment.isTrue(.includeScriptOutput)
    settings.waitForReady = environment.isTrue(.waitForReady)
    settings.pauseBefore = environment.isTrue(.pauseBefore)
    settings.pauseAfter = environment.isTrue(.pauseAfter)
    settings.pauseOnError = environment.isTrue(.pauseOnError)
    settings.gracePeriod = ExecutorSettings.gracePeriod(environment)
    settings.faithfulTrees = environment.isTrue(.faithfulTrees)
    settings.log = log
    if isTraced { trace(&settings, environment) }
    try? TrapHandler.install(
        terminationLog: paths.terminationLog,
        exitCodeFile: directory.relative(directory.container(settings.containerName).exitCode), in: directory.root)

    let outcome = run(settings)
    if let failure = outcome.failure {
        TerminationMessage.write(failure, to: paths.terminationLog, log)
        // Of what the supervisor has told already the reference prints one line.
        let again = outcome.exitCode == ExitCode.preMainFailure ? "" : "\(failure)\n"
        StandardStreams.printError("Error: \(failure)\n\(again)")
    } else if outcome.exitCode != 0 {
        StandardStreams.printError("Error: exit status \(outcome.exitCode)\n")
    }
    if let span = outcome.span {
        CommandSpanExport.send(span, container: settings.containerName, environment, call.global, log)
    }
    return outcome.exitCode
}

/// What the environment says of the run's span.
private func trace(_ settings: inout EmissarySettings, _ environment: Environment) {
    let parent = SpanContext(traceParent: environment[.traceParent], traceState: environment[.traceState])
    guard TraceSettings.isOn(environment) else { return settings.trace = EmissaryTrace(parent: parent) }
    settings.refusal = TraceSettings.refusal(environment)
    let sampler = settings.refusal == nil ? TraceSettings.sampler(environment, log: settings.log) : nil
    settings.trace = EmissaryTrace(parent: parent, ownSampler: sampler)
}
