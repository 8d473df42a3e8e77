import SystemSupport

/// The pages of `docs/` that are written from the program's own tables, in Markdown.
package enum ReferencePage {
    private static let notice = "<!-- Written by scripts/update-docs from the program's own tables: change those. -->\n\n"

    /// `docs/commands.md`: every command with its flags.
    package static func commands<Global>(_ table: CommandTable<Global>) -> String {
        var page = notice + "# Commands\n\n"
        page += Table("command", "what it does", table.listed.map { [code("\(table.program) \($0.name)"), $0.summary] }).text
        page += """

            Flags may stand before and after other words, as `--name value` or `--name=value`, and `--` ends them. Where a flag that is
            not repeatable is given twice, the last one counts. Exit codes are explained in
            [troubleshooting](troubleshooting.md#exit-codes).

            """
        for command in table.listed {
            let usage = command.usage.isEmpty ? "" : " " + command.usage
            page += "\n## \(command.name)\n\n\(command.summary).\n\n    \(table.program) \(command.name)\(usage)\n"
            if !command.flags.isEmpty { page += "\n" + Table("flag", "effect", command.flags.map(row)).text }
        }
        return page + "\n## Flags of every command\n\n"
            + Table("flag", "effect", table.globalFlags.map { row($0.description) }).text
    }

    /// `docs/environment.md`: every variable that the program reads.
    package static var environment: String {
        var page = notice + "# Environment variables\n\nDurations are written like `300ms`, `1.5s` or `2m`.\n"
        for group in VariableDescription.Group.allCases {
            let variables = EnvironmentVariable.allCases.filter { $0.description.group == group }
            var rows: [[String]] = []
            var described: [VariableDescription] = []
            for variable in variables {
                let description = variable.description
                if let row = described.firstIndex(of: description) {
                    rows[row][0] += ", " + code(variable.rawValue)
                } else {
                    described.append(description)
                    rows.append([code(variable.rawValue), description.fallback, description.effect])
                }
            }
            page += "\n## \(group.title)\n\n" + (group.introduction.isEmpty ? "" : group.introduction + "\n\n")
            page += Table(["variable", "default", "effect"], rows).text
        }
        return page
    }

    private static func row(_ flag: FlagDescription) -> [String] {
        let names = (flag.short.map { ["-\($0)"] } ?? []) + ["--\(flag.name)" + (flag.value.map { " " + $0 } ?? "")]
        return [names.map(code).joined(separator: ", "), flag.help]
    }

    private static func code(_ text: String) -> String { "`\(text)`" }
}

extension VariableDescription.Group {
    fileprivate var title: String {
        switch self {
        case .controller: "Set by the controller"
        case .settings: "Settings"
        case .network: "Cluster and network"
        case .amazon: "Amazon"
        case .google: "Google Cloud"
        case .telemetry: "Traces"
        case .own: "Our own"
        }
    }

    /// What is to be known before the table; empty for nothing.
    fileprivate var introduction: String {
        switch self {
        case .controller, .network: ""
        case .settings: "Set them with `executor.env` in the controller's configuration, or for one container in its `env`."
        case .amazon: "Which of them is used, and when, is told in [stores](stores.md#where-the-keys-come-from)."
        case .google: "Tokens come from the first that is there: see [stores](stores.md#google-cloud-storage)."
        case .telemetry:
            "OpenTelemetry's own, in [traces](tracing.md). Of two names in one row the second is for traces alone, and wins."
        case .own: "The reference does not have these. `init` hands them on to the emissaries of its pod."
        }
    }
}

/// A table in Markdown.
private struct Table {
    private var lines: [String] = []

    init(_ header: [String], _ rows: [[String]]) {
        lines = [Self.line(header), Self.line(header.map { _ in "---" })] + rows.map(Self.line)
    }

    init(_ first: String, _ second: String, _ rows: [[String]]) { self.init([first, second], rows) }

    var text: String { lines.map { $0 + "\n" }.joined() }

    private static func line(_ cells: [String]) -> String {
        // A bar would end the cell, in code too.
        "| "
            + cells.map { $0.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|") }
            .joined(separator: " | ") + " |"
    }
}
