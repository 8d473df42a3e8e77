import Synchronization
package import SystemSupport

/// A secret that others exchange while we run, such as a service account's token: a file is read again once what was read is a
/// minute old, and at once when the server refuses it. White space around it does not count.
package final class RotatingSecret: Sendable {
    private struct Reading {
        var secret: Secret
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

    /// A secret that stays.
    package static func fixed(_ secret: Secret) -> RotatingSecret {
        RotatingSecret(path: nil, reading: Reading(secret: secret.trimmed, time: 0), clock: { 0 })
    }

    /// A secret in a file.
    ///
    /// - Parameters:
    ///   - fallback: stands in while the file cannot be read; nil for none.
    ///   - clock: nanoseconds of a clock that only goes forward.
    package static func file(
        _ path: BytePath, fallback: Secret? = nil, clock: @escaping @Sendable () -> Int64 = { monotonicNanoseconds() }
    ) -> RotatingSecret {
        let reading = fallback.map { Reading(secret: $0.trimmed, time: clock() - lifetime) }
        return RotatingSecret(path: path, reading: reading, clock: clock)
    }

    /// The secret to use now. Where its file can no longer be read, the last one goes on.
    ///
    /// - Throws: `SystemError` of the first reading; an empty file is an error as well.
    package func current() throws -> Secret {
        let now = clock()
        return try reading.withLock { reading in
            if let reading, path == nil || now - reading.time < Self.lifetime { return reading.secret }
            return try Self.read(path, now, &reading)
        }
    }

    /// The secret after the server has refused `secret`; nil where there is no other.
    package func replacement(for secret: Secret) -> Secret? {
        guard let path else { return nil }
        let now = clock()
        let fresh = reading.withLock { reading in
            // Another thread may have been here before.
            if let reading, reading.secret != secret { return reading.secret }
            return (try? Self.read(path, now, &reading)) ?? secret
        }
        return fresh == secret ? nil : fresh
    }

    private static func read(_ path: BytePath?, _ now: Int64, _ reading: inout Reading?) throws -> Secret {
        do {
            guard let path else { throw ExecutorError.failed("read a secret: no file is configured") }
            let secret = Secret(try SmallFile.read(path, limit: 1 << 20)).trimmed
            if secret.isEmpty { throw ExecutorError.failed("read \(path): the file is empty") }
            reading = Reading(secret: secret, time: now)
            return secret
        } catch {
            guard let last = reading?.secret else { throw error }
            // Tried again at the next use after another minute, not at each.
            reading?.time = now
            return last
        }
    }
}
