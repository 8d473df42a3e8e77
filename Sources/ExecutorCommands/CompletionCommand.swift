import CommandLineInterface
import ProcessControl
import SystemSupport

extension Command<GlobalSettings> {
    /// `completion SHELL`: what a shell reads to complete our command lines. The scripts call `completion candidates -- WORD…`.
    static let completion: Command<GlobalSettings> = Command(
        "completion", "Print the completion script of a shell", usage: "bash|zsh|fish"
    ) { call in
        guard call.words.count == 1, let word = call.words.first?.text else {
            throw UsageError.words("name one shell: bash, zsh or fish")
        }
        if word == "candidates" {
            StandardStreams.print(ExecutorProgram.commands.completion(of: call.rest ?? []).text)
        } else if let script = CompletionScript(rawValue: word) {
            StandardStreams.print(script.text)
        } else {
            throw UsageError.words("no completion for \"\(word)\": there are bash, zsh and fish")
        }
        return ExitCode.success
    }
}
