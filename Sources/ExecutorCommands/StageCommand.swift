import CommandLineInterface
import LocalRunner
import ProcessControl
import SystemSupport

extension Command<GlobalSettings> {
    /// `stage FILE --dir DIR`: brings the inputs of one template, or of a pod, into a folder, and stops.
    static let stage = Command(
        "stage", "Bring a step's inputs into a folder, and stop", usage: "FILE --dir DIR", settings: { LocalRunSettings() },
        flags: StepFolderFlags.all
    ) { call in
        guard call.words.count == 1 else { throw UsageError.words("stage: expected one file, of a workflow or of a pod") }
        return try useStepFolder("stage", call) { session in
            StandardStreams.print(try session.stage())
            return []
        }
    }
}

/// Runs `stage` or `collect` on the folder of a step.
///
/// - Parameter body: gives the errors that did not end it.
func useStepFolder(
    _ verb: String, _ call: Invocation<GlobalSettings, LocalRunSettings>, _ body: (StepFolderSession) throws -> [any Error]
) throws -> Int32 {
    guard let folder = call.settings.folder else { throw UsageError.words("\(verb): expected --dir with the step's folder") }
    // Before any thread is started, so that the signals are blocked in every thread.
    let signals = try localSignals()
    let log = try call.global.makeLog(atLeast: .warn)
    var settings = call.settings
    settings.files = call.words + settings.files
    return try localVerb {
        let services = try StoreServices(.current(), log: log)
        let session = StepFolderSession(
            settings, folder: folder.cleaned, log: log,
            drivers: { store, secrets in services.attendedDrivers(secrets: secrets, localStore: store) },
            warn: { StandardStreams.printError("warning: \($0)\n") })
        try stopping(by: signals) { session.stop() }
        let code = try localVerb {
            let errors = try body(session)
            for error in errors { StandardStreams.printError("error: \(errorText(error))\n") }
            return errors.isEmpty ? ExitCode.success : ExitCode.verbFailure
        }
        return session.isInterrupted ? ExitCode.interrupted : code
    }
}

/// The flags of `stage` and `collect`: those of `run` that concern one step.
enum StepFolderFlags {
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
