import Glibc
import ProcessControl

/// Calls `stop` at the first SIGTERM; later ones do nothing (contract 02 §1).
///
/// - Throws: `SystemError` where no thread can be started.
func stoppingOnce(by signals: SignalDescriptor, _ stop: @escaping @Sendable () -> Void) throws {
    try SignalListener.start(signals) { numbers in
        guard numbers.contains(SIGTERM) else { return true }
        stop()
        return false
    }
}
