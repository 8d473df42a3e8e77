import CommandLineInterface
import LocalRunner
import ProcessControl
import SystemSupport

extension Command<GlobalSettings> {
    /// `stage FILE --dir DIR`: brings the inputs of one template, or of a pod, into a folder, and stops.
    static let stage = Command(
        "stage", "Bring a step's inputs into a folder, and stop", usage: "FILE --dir DIR", settings: { LocalRunSettings() },
        flags: StepHalfFlags.all
    ) { call in
        guard call.words.count == 1 else { throw UsageError.words("stage: expected one file, of a workflow or of a pod") }
        return try runHalf("stage", call) { half in
            StandardStreams.print(try half.stage())
            return []
        }
    }
}

/// Runs one half of a step.
///
/// - Parameter body: gives the errors that did not end it.
func runHalf(
    _ verb: String, _ call: Invocation<GlobalSettings, LocalRunSettings>, _ body: (StepHalf) throws -> [any Error]
) throws -> Int32 {
    guard let folder = call.settings.folder else { throw UsageError.words("\(verb): expected --dir with the step's folder") }
    // Before any thread is started, so that the signals are blocked in every thread.
    let signals = try localSignals()
    let log = try call.global.makeLog(atLeast: .warn)
    var settings = call.settings
    settings.files = call.words + settings.files
    return try localVerb {
        let services = try StoreServices(.current(), log: log)
        let half = StepHalf(
            settings, folder: folder.cleaned, log: log,
            drivers: { store, secrets in services.attendedDrivers(secrets: secrets, localStore: store) },
            warn: { StandardStreams.printError("warning: \($0)\n") })
        try stopping(by: signals) { half.stop() }
        let code = try localVerb {
            let errors = try body(half)
            for error in errors { StandardStreams.printError("error: \(errorText(error))\n") }
            return errors.isEmpty ? ExitCode.success : 1
        }
        return half.isInterrupted ? interrupted : code
    }
}

/// The flags of `stage` and `collect`: those of `run` that concern one step.
enum StepHalfFlags {
    static let all: [Flag<LocalRunSettings>] =
        [
            Flag("dir", short: "d", value: "DIR", help: "the step's folder: root/PATH for each file, and manifest.json") {
                (settings, value) throws(UsageError) in settings.folder = value
            },
            Flag("template", short: "t", value: "NAME", help: "which template (default: the entrypoint)") {
                (settings, value) throws(UsageError) in
                settings.entrypoint = value.text
                settings.entrypointFlag = "--template"
            },
        ] + RunFlags.all.filter { shared.contains($0.name) }

    private static let shared = [
        "file", "workflow", "parameter", "artifact", "configmaps", "secrets", "artifact-repository", "output", "strict",
    ]
}
