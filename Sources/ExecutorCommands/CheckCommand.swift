import CommandLineInterface
import LocalRunner
import ProcessControl
import StoreChecking
import SystemSupport

extension Command<GlobalSettings> {
    struct CheckSettings: Sendable {
        var key: String?
        var secrets: BytePath?
        var printsJSON = false
    }

    /// `check FILE`: tries an artifact repository's configuration.
    static let check = Command(
        "check", "Test an artifact repository's configuration step by step", usage: "FILE", settings: { CheckSettings() },
        flags: [
            Flag(
                "key", value: "NAME",
                help: "key in the config map (default: the one that its default-artifact-repository annotation names)"
            ) {
                (settings, value) throws(UsageError) in settings.key = value.text
            },
            Flag("secrets", value: "DIR", help: "folder with secrets: NAME/KEY files (default: S3's keys from the environment)")
            {
                (settings, value) throws(UsageError) in settings.secrets = value
            },
            Flag("output", short: "o", value: "text|json", help: "how to print what was found (default text)") {
                (settings, value) throws(UsageError) in settings.printsJSON = try isJSON(value)
            },
        ]
    ) { call in
        guard call.words.count == 1, let file = call.words.first else {
            throw UsageError.words("check: expected one file with the configuration of an artifact repository")
        }
        // Before any thread is started, so that the signals are blocked in every thread.
        let signals = try localSignals()
        let log = try call.global.makeLog(atLeast: .warn)
        return try localVerb {
            let services = try StoreServices(.current(), log: log)
            let check = try StoreCheck(file, key: call.settings.key, secrets: call.settings.secrets) { secrets in
                services.singleTryDrivers(secrets: secrets)
            }
            try stopping(by: signals) { check.stop() }
            let report = check.run()
            StandardStreams.print(call.settings.printsJSON ? report.json : report.text)
            if report.isInterrupted { return ExitCode.interrupted }
            return report.succeeded ? ExitCode.success : ExitCode.verbFailure
        }
    }
}

/// Whether a value of `--output` asks for JSON.
func isJSON(_ value: BytePath) throws(UsageError) -> Bool {
    switch value {
    case "text": return false
    case "json": return true
    default: throw .badValue(value, "--output", "neither text nor json")
    }
}
