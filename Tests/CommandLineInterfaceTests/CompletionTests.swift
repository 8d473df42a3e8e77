import CommandLineInterface
import SystemSupport
import Testing

private struct Settings: Sendable {}

private let table = CommandTable<Settings>(
    program: "argoexec", summary: "", global: { Settings() },
    globalFlags: [
        Flag("format", short: "f", value: "text|json", help: "how to write") { _, _ in },
        Flag(toggle: "quiet", help: "write less") { _, _ in },
    ],
    commands: [
        Command(
            "stage", "stages", usage: "FILE [--into DIR]", settings: { Settings() },
            flags: [
                Flag("into", value: "DIR", help: "where to") { _, _ in },
                Flag("name", short: "n", value: "NAME", help: "whose") { _, _ in },
            ]
        ) { _ in 0 },
        Command("artifact delete", "deletes") { _ in 0 },
        Command("artifact list", "lists") { _ in 0 },
        Command("completion", "completes", usage: "bash|zsh") { _ in 0 },
        Command("emissary", "wraps", usage: "-- PROGRAM [ARGUMENT...]") { _ in 0 },
    ])

@Suite struct CompletionTests {
    private func complete(_ line: String) -> (words: [String], paths: Completion.Paths) {
        let words = line.split(separator: " ", omittingEmptySubsequences: false).map { BytePath(String($0)) }
        let completion = table.completion(of: words)
        return (completion.candidates.map(\.word), completion.paths)
    }

    @Test(arguments: [
        ("", ["stage", "artifact", "completion", "emissary"]), ("s", ["stage"]), ("x", []),
        ("artifact ", ["delete", "list"]), ("artifact d", ["delete"]), ("--quiet s", ["stage"]), ("-f json s", ["stage"]),
        ("-", ["--format", "--quiet", "--help"]), ("stage --", ["--into", "--name", "--format", "--quiet", "--help"]),
        ("stage --n", ["--name"]), ("artifact list --n", []), ("--format ", ["text", "json"]), ("stage -f j", ["json"]),
        ("--format=", ["--format=text", "--format=json"]), ("stage --format=j", ["--format=json"]), ("--quiet=", []),
        ("completion ", ["bash", "zsh"]), ("completion z", ["zsh"]), ("completion bash ", []), ("stage --name ", []),
    ]) func offersWhatTheTableHas(line: String, words: [String]) {
        #expect(complete(line).words == words)
    }

    @Test(arguments: [
        ("stage ", Completion.Paths.files), ("stage a", .files), ("stage a ", .none), ("stage --name x ", .files),
        ("stage --into ", .folders), ("stage --into=", .folders), ("stage --name ", .none), ("artifact list ", .none),
        ("emissary -- ", .files), ("emissary -- sh ", .files),
    ]) func saysWhereFilesMayStand(line: String, paths: Completion.Paths) {
        #expect(complete(line).paths == paths)
    }

    @Test func tellsWhatEachWordMeans() {
        #expect(table.completion(of: ["sta"]).text == "none\nstage\tstages\n")
    }
}
