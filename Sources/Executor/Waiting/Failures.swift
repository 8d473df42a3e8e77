import Synchronization
import SystemSupport

/// The errors of a run that goes on despite them: the first one recorded becomes the process's own.
final class Failures: Sendable {
    private let recorded = Mutex<[any Error]>([])
    private let log: Log

    init(log: Log) { self.log = log }

    /// The first error recorded.
    var first: (any Error)? { recorded.withLock { $0.first } }

    /// All errors recorded, in order.
    var all: [any Error] { recorded.withLock { $0 } }

    /// Runs `body` and records its error.
    ///
    /// - Returns: the result; nil after an error.
    @discardableResult
    func record<R>(_ body: () throws -> R) -> R? {
        do { return try body() } catch {
            add(error)
            return nil
        }
    }

    /// Records an error.
    func add(_ error: any Error) {
        log.error("executor error", ["error": .error(error)])
        recorded.withLock { $0.append(error) }
    }

    /// Runs `body`, without which there is no going on: its error is recorded and thrown.
    func telling<R>(_ body: () throws -> R) throws -> R {
        do { return try body() } catch {
            add(error)
            throw error
        }
    }

    /// Runs `body`, whose error is told but changes no exit code.
    func note(_ body: () throws -> Void) {
        do { try body() } catch { log.error("executor error", ["error": .error(error)]) }
    }
}
