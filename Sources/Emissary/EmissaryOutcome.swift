import SystemSupport
package import Tracing

/// How the emissary's process is to end.
package struct EmissaryOutcome: Sendable, Equatable {
    package let exitCode: Int32
    /// One line about a failure of our own: the termination message. Nil where the exit code is the command's own, of which
    /// nothing is written to the termination log, so that the command's own message survives.
    package let failure: String?
    /// The run as a span, where it is for this container itself to send it off.
    package var span: CommandSpan?

    private init(exitCode: Int32, failure: String?) {
        self.exitCode = exitCode
        self.failure = failure
    }

    /// The command's own code, passed on.
    package static func command(_ code: Int32) -> Self { .init(exitCode: code, failure: nil) }

    /// A failure of our own.
    package static func failed(_ text: String, exitCode: Int32 = ExitCode.failure) -> Self {
        .init(exitCode: exitCode, failure: text)
    }
}

/// Ends a run before its natural end.
struct EmissaryStop: Error {
    let outcome: EmissaryOutcome
    /// What the `exitcode` file says, on which the other containers of the pod act.
    let recorded: Int32

    static func failed(_ text: String, exitCode: Int32 = ExitCode.failure, recorded: Int32 = ExitCode.failure) -> Self {
        .init(outcome: .failed(text, exitCode: exitCode), recorded: recorded)
    }

    /// Any other error is one of our own.
    static func of(_ error: any Error) -> Self { error as? EmissaryStop ?? .failed(errorText(error)) }
}
