package import ExecutorCore
import Synchronization

/// The token that names us to the API server. Tokens of service accounts are exchanged while the pod runs: a file is read again
/// once what was read is a minute old, and at once when the server refuses it.
package final class BearerToken: Sendable {
    private struct Reading {
        var token: Secret
        /// By the clock given.
        var time: Int64
    }

    private static let lifetime: Int64 = 60_000_000_000

    private let path: BytePath?
    private let clock: @Sendable () -> Int64
    private let reading: Mutex<Reading?>

    private init(path: BytePath?, reading: Reading?, clock: @escaping @Sendable () -> Int64) {
        self.path = path
        self.clock = clock
        self.reading = Mutex(reading)
    }

    /// A token that stays.
    package static func fixed(_ token: Secret) -> BearerToken {
        BearerToken(path: nil, reading: Reading(token: token.trimmed, time: 0), clock: { 0 })
    }

    /// A token in a file; white space around it does not count.
    ///
    /// - Parameter clock: nanoseconds of a clock that only goes forward.
    package static func file(
        _ path: BytePath, clock: @escaping @Sendable () -> Int64 = { monotonicNanoseconds() }
    ) -> BearerToken {
        BearerToken(path: path, reading: nil, clock: clock)
    }

    /// The token to send now. Where its file can no longer be read, the last one goes on.
    ///
    /// - Throws: `SystemError` of the first reading; an empty file is an error as well.
    package func current() throws -> Secret {
        let now = clock()
        return try reading.withLock { reading in
            if let reading, path == nil || now - reading.time < Self.lifetime { return reading.token }
            return try Self.read(path, now, &reading)
        }
    }

    /// The token after the server has refused `token`; nil where there is no other.
    package func replacement(for token: Secret) -> Secret? {
        guard let path else { return nil }
        let now = clock()
        let fresh = reading.withLock { reading in
            // Another thread may have been here before.
            if let reading, reading.token != token { return reading.token }
            return (try? Self.read(path, now, &reading)) ?? token
        }
        return fresh == token ? nil : fresh
    }

    private static func read(_ path: BytePath?, _ now: Int64, _ reading: inout Reading?) throws -> Secret {
        do {
            guard let path else { throw ExecutorError.failed("read the token: there is no file") }
            let token = Secret(try SmallFile.read(path, limit: 1 << 20)).trimmed
            if token.isEmpty { throw ExecutorError.failed("read \(path): the token is empty") }
            reading = Reading(token: token, time: now)
            return token
        } catch {
            guard let last = reading?.token else { throw error }
            // Tried again at the next use after another minute, not at each.
            reading?.time = now
            return last
        }
    }
}
