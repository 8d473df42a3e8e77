package import ExecutorCore
import Glibc

/// The container's termination message: becomes part of the node's message (contract 02 §10).
package enum TerminationMessage {
    /// Replaces the message. A failure is only logged.
    package static func write(_ text: String, to path: BytePath, _ log: Log) {
        do { try SmallFile.write(path, Array(text.utf8), mode: 0o600) } catch {
            log.warn("cannot write the termination message", ["error": .error(error)])
        }
    }
}
