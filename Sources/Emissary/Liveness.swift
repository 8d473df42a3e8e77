import RunDirectory
import SystemSupport

/// Holds the lock that proves this emissary is alive, as long as the object lives. If it cannot be taken, the emissary runs anyway.
final class Liveness {
    private let lock: LifeLock?

    init(_ container: ContainerDirectory, log: Log) {
        do throws(SystemError) { lock = try LifeLock(of: container) } catch {
            lock = nil
            log.debug("no sign of life", ["error": .error(error)])
        }
    }
}
