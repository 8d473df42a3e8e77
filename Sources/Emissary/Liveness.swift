import RunDirectory
import SystemSupport

/// Holds the lock that shows the others that we live, for as long as the object lives. Without one we run all the same.
final class Liveness {
    private let lock: LifeLock?

    init(_ container: ContainerDirectory, log: Log) {
        do throws(SystemError) { lock = try LifeLock(of: container) } catch {
            lock = nil
            log.debug("no sign of life", ["error": .error(error)])
        }
    }
}
