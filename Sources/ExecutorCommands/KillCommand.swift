import CommandLineInterface
import Glibc
import SystemSupport

extension Command<GlobalSettings> {
    /// `kill SIGNAL PID`: the controller's way to signal a container's first process (contract 01 §2). It runs inside the user's
    /// container and leaves the user's termination message alone.
    static let kill = Command("kill", "Send a signal to a process", usage: "SIGNAL PID") { call in
        guard call.words.count == 2 else {
            throw UsageError.words("kill: expected SIGNAL and PID, got \(call.words.count) words")
        }
        guard let signal = Int32(call.words[0].text) else {
            throw ExecutorError.badRequest("kill: signal \"\(call.words[0])\" is not a number")
        }
        guard let pid = Int32(call.words[1].text) else {
            throw ExecutorError.badRequest("kill: process id \"\(call.words[1])\" is not a number")
        }
        StandardStreams.print("killing \(pid) with signal \(signal)\n")
        try checked("kill", "\(pid)") { Glibc.kill(pid, signal) }
        return ExitCode.success
    }
}
