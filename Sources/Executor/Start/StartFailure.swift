import SystemSupport

/// What keeps a mode from starting at all, with the exit code that the contract gives it (contract 02 §1, §10).
package struct StartFailure: ClassifiedError, Sendable {
    package let message: String
    package let exitCode: Int32

    /// A fatal configuration problem: exit code 1.
    package static func fatal(_ message: String) -> StartFailure { .init(message: message, exitCode: ExitCode.fatal) }

    /// What panics in the reference (bad numbers, an unreadable template): exit code 2.
    package static func panic(_ message: String) -> StartFailure { .init(message: message, exitCode: ExitCode.panic) }
}
