import FileTrees
package import SystemSupport

/// The container's termination message: becomes part of the node's message (contract 02 §10).
package enum TerminationMessage {
    /// Replaces the message in its file, which the kubelet has mounted. A failure is only logged.
    package static func write(_ text: String, to path: BytePath, _ log: Log) {
        do { try SharedPlace(path.directory).overwrite(path.base, Array(text.utf8), mode: 0o600) } catch {
            log.warn("cannot write the termination message", ["error": .error(error)])
        }
    }
}
