import CommandLineInterface
import SystemSupport
import Testing

private struct Global: Sendable {
    var level = "info"
    var groups: [String] = []
}

private struct Settings: Sendable {
    var plugin = ""
    var short = false
}

private let table = CommandTable<Global>(
    program: "argoexec", summary: "The executor", global: { Global() },
    globalFlags: [
        Flag("loglevel", value: "LEVEL", help: "level") { (global, value) throws(UsageError) in global.level = value.text },
        Flag("as-group", short: "g", value: "GROUP", help: "group") { (global, value) throws(UsageError) in
            global.groups.append(value.text)
        },
    ],
    commands: [
        Command(
            "emissary", "wraps", settings: { Settings() },
            flags: [
                Flag("plugin-name", value: "NAME", help: "plugin") { (settings, value) throws(UsageError) in
                    settings.plugin = value.text
                },
                Flag(toggle: "short", help: "short") { settings, value in settings.short = value },
            ]
        ) { call in
            record(call)
            return 7
        },
        Command("artifact delete", "deletes") { _ in 3 },
    ])

/// What the last call of `emissary` got, for the running task.
private final class Recorder: @unchecked Sendable {
    var call: Invocation<Global, Settings>?
    @TaskLocal static var current = Recorder()
}

private func record(_ call: Invocation<Global, Settings>) { Recorder.current.call = call }

private func parse(_ words: [BytePath]) throws -> Invocation<Global, Settings> {
    try Recorder.$current.withValue(Recorder()) {
        #expect(try table.run(words, print: { _ in }) == 7)
        return try #require(Recorder.current.call)
    }
}

@Suite struct CommandLineTests {
    @Test(arguments: [["artifact"], ["artifact", "--help"], ["--loglevel", "info", "artifact"]]) func listsAGroup(
        words: [BytePath]
    ) throws {
        var text = ""
        #expect(try table.run(words) { text += $0 } == 0)
        #expect(text.contains("artifact delete") && !text.contains("emissary"))
    }

    @Test func aWordThatIsInNoGroupIsAnError() {
        let error = #expect(throws: UsageError.self) { try table.run(["artifact", "keep"]) { _ in } }
        #expect(error?.message == "unknown command \"keep\" for \"argoexec artifact\"")
        #expect(throws: UsageError.self) { try table.run(["arti"]) { _ in } }
    }

    @Test func takesValuesAfterBlankOrEquals() throws {
        let call = try parse(["emissary", "--loglevel", "debug", "--plugin-name=s3", "--", "sh", "-c"])
        #expect(call.global.level == "debug")
        #expect(call.settings.plugin == "s3")
        #expect(call.rest == ["sh", "-c"])
    }

    @Test func keepsEverythingAfterDashesVerbatim() throws {
        let latin1 = BytePath(bytes: [0xE4])
        let call = try parse(["emissary", "--", "a", "--", "--loglevel", "--help", latin1])
        #expect(call.rest == ["a", "--", "--loglevel", "--help", latin1])
        #expect(call.words.isEmpty)
    }

    @Test func lastValueWins() throws {
        #expect(try parse(["emissary", "--loglevel=info", "x", "--loglevel", "warn"]).global.level == "warn")
    }

    @Test func takesFlagsBeforeTheCommandAndAfterWords() throws {
        let call = try parse(["--loglevel", "error", "emissary", "one", "--short", "two"])
        #expect(call.global.level == "error")
        #expect(call.settings.short)
        #expect(call.words == ["one", "two"])
    }

    @Test func takesShortFlagsInThreeForms() throws {
        #expect(try parse(["emissary", "-g", "a", "-g=b", "-gc"]).global.groups == ["a", "b", "c"])
    }

    @Test func takesAnEmptyValue() throws {
        #expect(try parse(["emissary", "--loglevel", "", "w"]).global.level == "")
    }

    @Test func findsCommandsOfTwoWords() throws {
        #expect(try table.run(["artifact", "delete", "--loglevel", "info"], print: { _ in }) == 3)
    }

    @Test(
        arguments: [
            (["nope"], "unknown command \"nope\" for \"argoexec\""),
            (["emissary", "--nope"], "unknown flag: --nope"),
            (["emissary", "--short=maybe"], "invalid argument \"maybe\" for \"--short\" flag: not a boolean"),
            (["emissary", "--plugin-name"], "flag needs an argument: --plugin-name"),
            (["emissary", "--plug", "x"], "unknown flag: --plug"),
        ] as [([BytePath], String)])
    func refusesWhatItDoesNotKnow(words: [BytePath], message: String) {
        let error = #expect(throws: UsageError.self) { try table.run(words, print: { _ in }) }
        #expect(error?.message == message)
    }

    @Test func printsHelp() throws {
        for words in [[], ["--help"], ["help"]] as [[BytePath]] {
            var text = ""
            #expect(try table.run(words, print: { text += $0 }) == 0)
            #expect(text.contains("artifact delete") && text.contains("--loglevel LEVEL"))
        }
        var text = ""
        #expect(try table.run(["emissary", "-h"], print: { text += $0 }) == 0)
        #expect(text.contains("--plugin-name NAME"))
    }
}
