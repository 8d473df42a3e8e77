/// The exit codes of our own (contract 02 §10); the user's command keeps its own.
package enum ExitCode {
    package static let success: Int32 = 0
    /// A fatal configuration problem: bad log flags, missing pod name.
    package static let fatal: Int32 = 1
    /// What a crash is in the reference: bad numbers in the environment, an unreadable template, no cluster configuration.
    package static let panic: Int32 = 2
    /// Any other error of ours.
    package static let failure: Int32 = 64
    /// The emissary in an init-less pod: the supervisor failed before main.
    package static let preMainFailure: Int32 = 65
    /// SIGTERM while waiting for a container set's dependency.
    package static let terminated: Int32 = 143

    /// A verb for people (`run`, `stage`, `collect`, `check`) that failed or was refused.
    package static let verbFailure: Int32 = 1
    /// A verb for people that was interrupted: as after SIGINT.
    package static let interrupted: Int32 = 130

    /// The code for a process killed by a signal.
    package static func signal(_ number: Int32) -> Int32 { 128 + number }
}
