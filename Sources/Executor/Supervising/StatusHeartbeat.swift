import RunDirectory
import SystemSupport

/// Writes `RUNNING` to the status marker every five seconds, so that the emissaries know that their pod is still being prepared
/// (contract 02 §3).
final class StatusHeartbeat: Sendable {
    private enum Phase: Sendable { case beating, ending, ended }

    private let phase = Monitor(Phase.beating)
    private let directory: RunDirectory
    private let interval: Int64
    private let log: Log

    /// Writes the first marker and goes on from a thread of its own.
    ///
    /// - Parameter interval: nanoseconds between two markers.
    /// - Throws: the first marker cannot be written, or no thread started.
    init(in directory: RunDirectory, interval: Int64 = StatusMarker.heartbeat, log: Log) throws(SystemError) {
        self.directory = directory
        self.interval = interval
        self.log = log
        try StatusMarker.running.write(in: directory)
        try WorkerThread { [self] in beat() }.detach()
    }

    private func beat() {
        while phase.wait(atMost: interval, { $0 == .beating ? nil : true }) == nil {
            do throws(SystemError) { try StatusMarker.running.write(in: directory) } catch {
                log.warn("cannot renew the status marker", ["error": .error(error)])
            }
        }
        phase.update { $0 = .ended }
    }

    /// Writes no more markers from here on: the one that the caller writes next stays.
    func end() {
        phase.update { if $0 == .beating { $0 = .ending } }
        phase.wait { $0 == .ended ? true : nil }
    }
}
