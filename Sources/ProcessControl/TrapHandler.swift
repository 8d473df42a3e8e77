import CLinuxShims
import Glibc
package import SystemSupport

/// What happens when a fault or a trap of our own ends the process: one line on stderr and in the termination log, exit code 2.
package enum TrapHandler {
    /// - Parameters:
    ///   - terminationLog: gets the line.
    ///   - exitCodeFile: gets `code` first, so that nothing waits for a container that is gone; nil for none. Below `directory`, in
    ///     which no link is followed.
    package static func install(
        terminationLog: BytePath, exitCodeFile: BytePath? = nil, in directory: BytePath = "/", code: Int32 = ExitCode.failure
    ) throws(SystemError) {
        let text = BytePath(String(code))
        try unsafe terminationLog.withCString { (message) throws(SystemError) in
            guard let exitCodeFile else {
                try checked("install the trap handler") { unsafe argoexec_install_trap_handler(message, nil, nil, nil) }
                return
            }
            try unsafe directory.withCString { (directory) throws(SystemError) in
                try unsafe exitCodeFile.withCString { (mark) throws(SystemError) in
                    try unsafe text.withCString { (text) throws(SystemError) in
                        _ = try checked("install the trap handler") {
                            unsafe argoexec_install_trap_handler(message, directory, mark, text)
                        }
                    }
                }
            }
        }
    }
}
