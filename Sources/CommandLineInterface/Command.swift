package import SystemSupport

/// What a command is called with.
package struct Invocation<Global: Sendable, Settings: Sendable>: Sendable {
    /// What the flags of every command set.
    package let global: Global
    /// What the command's own flags set.
    package let settings: Settings
    /// The words that are no flags.
    package let words: [BytePath]
    /// What stands after `--`, verbatim; nil where there is no `--`.
    package let rest: [BytePath]?
}

/// One subcommand: its name, its flags, and the call behind it.
package struct Command<Global: Sendable>: Sendable {
    /// One word or more, e.g. `wait` or `artifact delete`.
    package let name: String
    package let summary: String
    /// What follows the name in the help, e.g. `SIGNAL PID`.
    package let usage: String
    package let flags: [FlagDescription]
    /// Whether help, completion and the reference pass over it.
    package let isHidden: Bool
    private let parseAndRun: @Sendable ([BytePath], Global, [Flag<Global>]) throws -> Int32

    /// - Parameters:
    ///   - make: fresh settings.
    ///   - isHidden: whether help, completion and the reference pass over it.
    ///   - run: the call; its result is the exit code.
    package init<Settings: Sendable>(
        _ name: String, _ summary: String, usage: String = "", settings make: @escaping @Sendable () -> Settings,
        flags: [Flag<Settings>] = [], isHidden: Bool = false,
        run: @escaping @Sendable (Invocation<Global, Settings>) throws -> Int32
    ) {
        self.name = name
        self.summary = summary
        self.usage = usage
        self.flags = flags.map(\.description)
        self.isHidden = isHidden
        parseAndRun = { arguments, global, globalFlags in
            var parser = ArgumentParser(global: global, settings: make())
            try parser.parse(arguments, globalFlags: globalFlags, flags: flags)
            return try run(parser.invocation)
        }
    }

    /// A command without flags of its own.
    package init(
        _ name: String, _ summary: String, usage: String = "", isHidden: Bool = false,
        run: @escaping @Sendable (Invocation<Global, NoSettings>) throws -> Int32
    ) {
        self.init(name, summary, usage: usage, settings: { NoSettings() }, isHidden: isHidden, run: run)
    }

    fileprivate func run(_ arguments: [BytePath], _ global: Global, _ globalFlags: [Flag<Global>]) throws -> Int32 {
        try parseAndRun(arguments, global, globalFlags)
    }
}

/// The settings of a command that has no flags of its own.
package struct NoSettings: Sendable {
    package init() {}
}

/// All commands and the flags that each of them takes: parsing, help, completion and `docs/commands.md` come from this one place.
package struct CommandTable<Global: Sendable>: Sendable {
    package let program: String
    package let summary: String
    package let globalFlags: [Flag<Global>]
    package let commands: [Command<Global>]
    /// The commands that are shown.
    var listed: [Command<Global>] { commands.filter { !$0.isHidden } }
    private let makeGlobal: @Sendable () -> Global

    package init(
        program: String, summary: String, global: @escaping @Sendable () -> Global, globalFlags: [Flag<Global>],
        commands: [Command<Global>]
    ) {
        self.program = program
        self.summary = summary
        makeGlobal = global
        self.globalFlags = globalFlags
        self.commands = commands
    }

    /// Finds the command and runs it.
    ///
    /// - Parameters:
    ///   - arguments: the words after the program's name.
    ///   - print: takes the help where it is asked for.
    /// - Returns: the exit code; 0 after help.
    /// - Throws: `UsageError`, or whatever the command throws.
    package func run(_ arguments: [BytePath], print: (String) -> Void) throws -> Int32 {
        let beforeRest = Array(arguments.prefix { $0 != "--" })
        let wantsHelp = beforeRest.contains { $0 == "--help" || $0 == "-h" }
        if let members = group(beforeRest) {
            print(help(of: members))
            return 0
        }
        guard let (command, position) = try find(beforeRest) else {
            print(help)
            return 0
        }
        if wantsHelp {
            print(help(of: command))
            return 0
        }
        var remaining = arguments
        for index in position.reversed() { remaining.remove(at: index) }
        return try command.run(remaining, makeGlobal(), globalFlags)
    }

    /// The commands whose names begin with all the words that are no flags, where none has them as its name: `artifact` for
    /// `artifact delete`.
    private func group(_ arguments: [BytePath]) -> [Command<Global>]? {
        let words = plainWords(arguments).map(\.text.text)
        let members = listed.filter { command in
            let name = command.name.split(separator: " ").map(String.init)
            return name.count > words.count && Array(name.prefix(words.count)) == words
        }
        return words.isEmpty || members.isEmpty || commands.contains { $0.name == words.joined(separator: " ") } ? nil : members
    }

    /// The words that are neither flags nor their values, as far as the flags of every command tell, and where they stand.
    private func plainWords(_ arguments: [BytePath]) -> [(index: Int, text: BytePath)] {
        var words: [(index: Int, text: BytePath)] = []
        var index = 0
        while index < arguments.count {
            let word = arguments[index]
            if word.bytes.first == UInt8(ascii: "-"), word.bytes.count > 1 {
                // A flag before the command's name: skip its value too, where it takes one.
                if let flag = globalFlags.first(where: { "--" + $0.name == word.text || $0.short.map { "-\($0)" } == word.text }
                ),
                    flag.value != nil
                {
                    index += 1
                }
            } else {
                words.append((index, word))
            }
            index += 1
        }
        return words
    }

    /// The command named by the first words that are no flags, and where those words stand; nil where there are none.
    func find(_ arguments: [BytePath]) throws -> (command: Command<Global>, positions: [Int])? {
        let words = plainWords(arguments)
        guard let first = words.first else { return nil }
        if first.text == "help" { return nil }
        let best = commands.filter { command in
            let name = command.name.split(separator: " ").map(String.init)
            return name.count <= words.count && zip(name, words).allSatisfy { BytePath($0) == $1.text }
        }.max { $0.name.count < $1.name.count }
        guard let best else {
            // Of a group the word that follows is the one that is wrong.
            if words.count > 1, group([first.text]) != nil {
                throw UsageError.unknownCommand(words[1].text, in: first.text.text)
            }
            throw UsageError.unknownCommand(first.text)
        }
        return (best, words.prefix(best.name.split(separator: " ").count).map(\.index))
    }
}

extension CommandTable {
    /// The list of commands and global flags.
    package var help: String {
        var text = "\(summary)\n\nUsage:\n  \(program) COMMAND [flags]\n\nCommands:\n"
        text += Self.columns(listed.map { ($0.name, $0.summary) })
        return text + "\nFlags of every command:\n" + Self.columns(globalFlags.map { Self.face($0.description) })
    }

    /// The commands of a group.
    fileprivate func help(of members: [Command<Global>]) -> String {
        "Usage:\n  \(program) COMMAND [flags]\n\nCommands:\n" + Self.columns(members.map { ($0.name, $0.summary) })
            + "\nFlags of every command:\n" + Self.columns(globalFlags.map { Self.face($0.description) })
    }

    /// One command's usage and flags.
    package func help(of command: Command<Global>) -> String {
        let usage = command.usage.isEmpty ? "" : " " + command.usage
        var text = "\(command.summary)\n\nUsage:\n  \(program) \(command.name)\(usage)\n"
        if !command.flags.isEmpty { text += "\nFlags:\n" + Self.columns(command.flags.map(Self.face)) }
        return text + "\nFlags of every command:\n" + Self.columns(globalFlags.map { Self.face($0.description) })
    }

    private static func face(_ flag: FlagDescription) -> (String, String) {
        let short = flag.short.map { "-\($0), " } ?? "    "
        return ("\(short)--\(flag.name)" + (flag.value.map { " " + $0 } ?? ""), flag.help)
    }

    private static func columns(_ rows: [(String, String)]) -> String {
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { "  " + $0.0 + String(repeating: " ", count: width - $0.0.count + 3) + $0.1 + "\n" }.joined()
    }
}
