package import SystemSupport

/// One flag of a command: its names, what it takes, and what it sets.
package struct Flag<Settings>: Sendable {
    /// Without dashes, e.g. `loglevel`.
    package let name: String
    /// One letter, e.g. `n` for `-n`.
    package let short: Character?
    /// Name of the value in the help, e.g. `LEVEL`; nil for a toggle.
    package let value: String?
    package let help: String
    package let set: @Sendable (inout Settings, BytePath) throws(UsageError) -> Void

    /// A flag with a value.
    package init(
        _ name: String, short: Character? = nil, value: String, help: String,
        set: @escaping @Sendable (inout Settings, BytePath) throws(UsageError) -> Void
    ) {
        self.name = name
        self.short = short
        self.value = value
        self.help = help
        self.set = set
    }

    /// A toggle: `--name`, `--name=true` or `--name=false`.
    package init(
        toggle name: String, short: Character? = nil, help: String,
        set: @escaping @Sendable (inout Settings, Bool) -> Void
    ) {
        self.name = name
        self.short = short
        value = nil
        self.help = help
        self.set = { (settings, text) throws(UsageError) in
            // The words of Go's strconv.ParseBool.
            switch text {
            case "1", "t", "T", "true", "TRUE", "True": set(&settings, true)
            case "0", "f", "F", "false", "FALSE", "False": set(&settings, false)
            default: throw .badValue(text, "--" + name, "not a boolean")
            }
        }
    }
}

extension Flag {
    /// What it looks like.
    var description: FlagDescription { FlagDescription(name: name, short: short, value: value, help: help) }
}

/// A flag's face, for help, completions and the reference page.
package struct FlagDescription: Sendable, Equatable {
    package let name: String
    package let short: Character?
    package let value: String?
    package let help: String
}
