import CommandLineInterface
import ExecutorCore
import Glibc
import LocalRunner
import ProcessControl

extension Command<GlobalSettings> {
    struct CheckSettings: Sendable {
        var key: String?
        var secrets: BytePath?
        var printsJSON = false
    }

    /// `check FILE`: tries an artifact repository's configuration.
    static let check = Command(
        "check", "Try an artifact repository's configuration step by step", usage: "FILE", settings: { CheckSettings() },
        flags: [
            Flag("key", value: "NAME", help: "which repository of a config map (default: the one that it calls so)") {
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
        // Before any thread is started, so that a signal finds nobody else.
        let signals = try localSignals()
        let log = try call.global.makeLog(atLeast: .warn)
        return try localVerb {
            let check = try StoreCheck(file, key: call.settings.key, secrets: call.settings.secrets) { secrets in
                localDrivers(log, secrets: secrets, isOnce: true)
            }
            try stopping(by: signals) { check.stop() }
            let report = check.run()
            StandardStreams.print(call.settings.printsJSON ? report.json : report.text)
            if report.isInterrupted { return interrupted }
            return report.succeeded ? ExitCode.success : 1
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

/// Runs a verb for people: errors are told in one line each and end with exit code 1, where the pods' modes have their own.
func localVerb(_ body: () throws -> Int32) throws -> Int32 {
    do { return try body() } catch let error as UsageError { throw error } catch {
        for line in LocalRefusal.report(error) { StandardStreams.printError("\(line)\n") }
        return 1
    }
}

/// The exit code of a verb for people that was interrupted.
let interrupted = ExitCode.signal(SIGINT)

/// The signals that end a verb for people.
func localSignals() throws -> SignalDescriptor { try SignalDescriptor([SIGINT, SIGTERM, SIGHUP]) }

/// Calls `stop` at the first signal, and ends the process at the second.
func stopping(by signals: SignalDescriptor, _ stop: @escaping @Sendable () -> Void) throws {
    try WorkerThread {
        var set = PollSet()
        signals.addInterests(to: &set)
        var isStopped = false
        while (try? set.wait(until: nil)) != nil {
            if signals.take().isEmpty { continue }
            if isStopped { _exit(interrupted) }
            isStopped = true
            stop()
        }
    }.detach()
}
