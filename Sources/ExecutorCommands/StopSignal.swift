import Glibc
import ProcessControl
import SystemSupport

/// Calls `stop` at the first SIGTERM; later ones do nothing (contract 02 §1).
func stoppingOnce(by signals: SignalDescriptor, _ stop: @escaping @Sendable () -> Void) throws {
    try WorkerThread {
        var set = PollSet()
        signals.addInterests(to: &set)
        while (try? set.wait(until: nil)) != nil {
            if signals.take().contains(SIGTERM) { return stop() }
        }
    }.detach()
}
