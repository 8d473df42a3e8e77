import CommandLineInterface
import ProcessControl
import SystemSupport

extension Command<GlobalSettings> {
    struct VersionSettings: Sendable {
        var isShort = false
    }

    /// `version [--short]` (contract 01 §1).
    static let version = Command(
        "version", "Print the version", settings: { VersionSettings() },
        flags: [
            Flag(toggle: "short", help: "print only the version number") { settings, value in settings.isShort = value }
        ]
    ) { call in
        let build = BuildInformation.current
        var text = "argoexec: \(build.version)\n"
        if !call.settings.isShort {
            text += "  BuildDate: \(build.date)\n  GitCommit: \(build.commit)\n  GitTreeState: \(build.treeState)\n"
            if !build.tag.isEmpty { text += "  GitTag: \(build.tag)\n" }
            text += "  GoVersion: none\n  Compiler: swiftc \(build.compiler)\n  Platform: linux/\(build.architecture)\n"
        }
        StandardStreams.print(text)
        return ExitCode.success
    }
}
