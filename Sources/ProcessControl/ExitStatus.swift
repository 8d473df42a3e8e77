import CLinuxShims
import SystemSupport

/// How a process ended.
package enum ExitStatus: Sendable, Equatable {
    case exited(Int32)
    case signaled(Int32)

    /// From what `waitpid` gave; nil for a process that only stopped or went on.
    init?(waitStatus: Int32) {
        if linux_wait_exited(waitStatus) != 0 {
            self = .exited(linux_wait_exit_code(waitStatus))
        } else if linux_wait_signaled(waitStatus) != 0 {
            self = .signaled(linux_wait_signal(waitStatus))
        } else {
            return nil
        }
    }

    /// The code that stands for it: the process's own, or 128 plus the signal's number.
    package var code: Int32 {
        switch self {
        case .exited(let code): code
        case .signaled(let number): ExitCode.signal(number)
        }
    }
}
