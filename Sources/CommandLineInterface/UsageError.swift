package import SystemSupport

/// A command line that cannot be understood.
package struct UsageError: ClassifiedError, Sendable {
    package let message: String

    /// - Parameter group: the word before, where the command is one of a group.
    package static func unknownCommand(_ word: BytePath, in group: String? = nil) -> UsageError {
        .init(message: "unknown command \"\(word)\" for \"argoexec\(group.map { " " + $0 } ?? "")\"")
    }

    package static func unknownFlag(_ text: String) -> UsageError { .init(message: "unknown flag: \(text)") }

    package static func missingValue(_ flag: String) -> UsageError { .init(message: "flag needs an argument: \(flag)") }

    package static func badValue(_ value: BytePath, _ flag: String, _ why: String) -> UsageError {
        .init(message: "invalid argument \"\(value)\" for \"\(flag)\" flag: \(why)")
    }

    package static func words(_ why: String) -> UsageError { .init(message: why) }
}
