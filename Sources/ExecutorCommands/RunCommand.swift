import CommandLineInterface
import Executor
import LocalRunner
import PodSandbox
import ProcessControl
import SystemSupport

extension Command<GlobalSettings> {
    /// `run FILE.yaml`: runs a workflow's pods on this machine.
    static let run = Command(
        "run", "Run a workflow on this machine, without a cluster", usage: "FILE.yaml", settings: { LocalRunSettings() },
        flags: RunFlags.all
    ) { call in
        var settings = call.settings
        settings.files = call.words + settings.files
        settings.mainFileCount = call.words.isEmpty ? nil : call.words.count
        settings.logLevel = call.global.logLevel?.text ?? settings.logLevel
        // What goes well is told in the run's own lines.
        let log = try call.global.makeLog(atLeast: .warn)
        if settings.replay == nil, settings.files.isEmpty { throw UsageError.words("run: expected the file of a workflow") }
        if let conflict = settings.flagWithoutEffect { throw UsageError.words("run: \(conflict)") }
        return try localVerb {
            let services = try StoreServices(.current(), log: log)
            return RunSession(
                settings, output: { try? DescriptorIO.write(1, $0.span, subject: "stdout") },
                errors: { try? DescriptorIO.write(2, $0.span, subject: "stderr") },
                drivers: { choice in services.attendedDrivers(secrets: choice.secrets, localStore: choice.store) }
            ).run()
        }
    }
}

/// The flags of `run`.
enum RunFlags {
    static let all: [Flag<LocalRunSettings>] = [
        Flag(
            "file", short: "f", value: "FILE",
            help: "more files, or folders of them, with what the workflow refers to; repeatable"
        ) {
            (settings, value) throws(UsageError) in settings.files.append(value)
        },
        Flag("entrypoint", value: "NAME", help: "template to start from") { (settings, value) throws(UsageError) in
            settings.entrypoint = value.text
        },
        Flag("workflow", value: "NAME", help: "which of several workflows in the files") {
            (settings, value) throws(UsageError) in
            settings.workflow = value.text
        },
        Flag("max-nodes", value: "N", help: "maximum number of nodes of the run (default 10000)") {
            (settings, value) throws(UsageError) in
            guard let number = Int(value.text), number > 0 else {
                throw .badValue(value, "--max-nodes", "not a positive number")
            }
            settings.maximumNodes = number
        },
        Flag("parameter", short: "p", value: "NAME=VALUE", help: "value of a parameter of the workflow; repeatable") {
            (settings, value) throws(UsageError) in
            let (name, value) = try pair(value, "--parameter")
            settings.parameters.append((name, value.text))
        },
        Flag("artifact", short: "a", value: "NAME=PATH", help: "file or folder for an artifact of the workflow; repeatable") {
            (settings, value) throws(UsageError) in settings.artifacts.append(try pair(value, "--artifact"))
        },
        Flag("configmaps", value: "DIR", help: "folder with config maps: NAME/KEY files") {
            (settings, value) throws(UsageError) in settings.objects.configMaps = value
        },
        Flag("secrets", value: "DIR", help: "folder with secrets: NAME/KEY files") {
            (settings, value) throws(UsageError) in settings.objects.secrets = value
        },
        Flag(
            "image", value: "NAME=PATH",
            help: "unpacked root file system or OCI image layout for an image; repeatable"
        ) { (settings, value) throws(UsageError) in settings.images.append(try pair(value, "--image")) },
        Flag(
            "engine", value: "docker|podman|PROGRAM",
            help: "run containers with this engine instead of bubblewrap; options for it may follow its name in the same word"
        ) {
            (settings, value) throws(UsageError) in settings.engine = value.text
        },
        Flag("artifact-repository", value: "FILE", help: "use a cluster's artifact repository instead of the local store") {
            (settings, value) throws(UsageError) in settings.repository = value
        },
        Flag(
            "output", short: "o", value: "text|json",
            help: "what to print at the end; json is the finished workflow (default text)"
        ) {
            (settings, value) throws(UsageError) in
            switch value {
            case "text": settings.output = .text
            case "json": settings.output = .json
            default: throw .badValue(value, "--output", "neither text nor json")
            }
        },
        Flag("parallelism", value: "N", help: "maximum number of pods at a time (default: as many as fit the machine)") {
            (settings, value) throws(UsageError) in
            guard let number = Int(value.text), number > 0 else {
                throw .badValue(value, "--parallelism", "not a positive number")
            }
            settings.parallelism = number
        },
        Flag("from", value: "FILE", help: "run one step again: its kept folder, or a pod's JSON") {
            (settings, value) throws(UsageError) in settings.replay = value
        },
        Flag(toggle: "own-store", help: "with --from: artifacts in the pod's own store, not in the local one") {
            settings, value in
            settings.usesOwnStore = value
        },
        Flag("pause", value: "before|after|error", help: "pause each step there until Enter is pressed; repeatable") {
            (settings, value) throws(UsageError) in
            guard let pause = LocalRunSettings.Pause(rawValue: value.text) else {
                throw .badValue(value, "--pause", "not one of before, after and error")
            }
            settings.pauses.insert(pause)
        },
        Flag(toggle: "keep", help: "keep the folders of steps that succeeded too") { settings, value in
            settings.keepsFolders = value
        },
        Flag(toggle: "print-pods", help: "print the pods as YAML, and run nothing") { settings, value in
            settings.printsPods = value
        },
        Flag(toggle: "strict", help: "treat warnings as errors") { settings, value in settings.isStrict = value },
    ]

    private static func pair(_ value: BytePath, _ flag: String) throws(UsageError) -> (String, BytePath) {
        guard let equals = value.bytes.firstIndex(of: UInt8(ascii: "=")), equals > 0 else {
            throw .badValue(value, flag, flag == "--parameter" ? "expected NAME=VALUE" : "expected NAME=PATH")
        }
        return (
            String(decoding: value.bytes[..<equals], as: UTF8.self), BytePath(bytes: value.bytes[(equals + 1)...])
        )
    }
}
