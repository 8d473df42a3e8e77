import CommandLineInterface
import SystemSupport

extension Command<GlobalSettings> {
    /// `reference commands|environment`: prints a page of the documentation; `scripts/update-docs` calls it.
    static let reference: Command<GlobalSettings> = Command(
        "reference", "Print a reference page in Markdown", usage: "commands|environment", isHidden: true
    ) { call in
        switch call.words {
        case ["commands"]: StandardStreams.print(ReferencePage.commands(ExecutorProgram.commands))
        case ["environment"]: StandardStreams.print(ReferencePage.environment)
        default: throw UsageError.words("reference: name one page, commands or environment")
        }
        return ExitCode.success
    }
}
