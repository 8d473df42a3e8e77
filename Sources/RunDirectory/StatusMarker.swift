import FileTrees
import Glibc
package import SystemSupport

/// What the supervisor of an init-less pod says about itself in `/var/run/argo/status` (contract 02 §3).
package enum StatusMarker: Sendable, Equatable {
    /// Alive, preparing.
    case running
    /// The user's command may start.
    case ready
    /// The user's command must not start, for this reason.
    case failed(String)
    /// Something else, the file being empty included: treated as a sign of life.
    case other

    /// How often the supervisor writes the marker while it prepares, in nanoseconds.
    package static let heartbeat: Int64 = 5_000_000_000
    /// A marker older than this many nanoseconds means that the supervisor is dead.
    package static let staleness: Int64 = 30_000_000_000

    /// Reads the file's content: a token in the first line, a message after it.
    package init(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        let end = text.utf8.firstIndex(of: 0x0A) ?? text.endIndex
        switch text[..<end].trimmed {
        case "RUNNING": self = .running
        case "READY": self = .ready
        case "FAILED": self = .failed(text[end...].trimmed)
        default: self = .other
        }
    }

    /// The file's content.
    package var bytes: [UInt8] {
        switch self {
        case .running, .other: Array("RUNNING\n".utf8)
        case .ready: Array("READY\n".utf8)
        case .failed(let message): Array((message.isEmpty ? "FAILED" : "FAILED\n" + message).utf8)
        }
    }

    /// Writes the marker aside and renames it, mode 0644. On a disk without room for another file it replaces the content of the
    /// one that is there.
    package func write(in directory: RunDirectory) throws(SystemError) {
        do throws(SystemError) { try directory.write(directory.status, bytes, mode: 0o644) } catch {
            guard error.code == ENOSPC || error.code == EDQUOT, directory.exists(directory.status) else { throw error }
            try directory.place().overwrite(directory.relative(directory.status), bytes, mode: 0o644)
        }
    }
}

/// The reader's side of the status marker: whether to go on waiting, and when to give the supervisor up.
package struct StatusReader: Sendable {
    package enum Verdict: Sendable, Equatable {
        case wait
        case ready
        /// The supervisor said so or is presumed dead; the text is the termination message.
        case failed(String)
    }

    private let directory: RunDirectory
    private let began: Int64
    private var seen: (modified: Timestamp, at: Int64)?

    /// How long to wait at most before the next look, in nanoseconds.
    package static let pollInterval: Int64 = 2_000_000_000

    /// - Parameter now: the time of `monotonicNanoseconds` at which the wait began.
    package init(_ directory: RunDirectory, now: Int64 = monotonicNanoseconds()) {
        self.directory = directory
        began = now
    }

    /// Looks at the file.
    ///
    /// The age of the first marker seen is taken from its time of modification. From then on it counts from the last change by
    /// a clock that only goes forward, so that a clock set anew kills no step.
    package mutating func look(
        now: Int64 = monotonicNanoseconds(), wallClock: Timestamp = .now
    ) -> Verdict {
        let modified: Timestamp
        do throws(SystemError) {
            modified = try directory.place().status(directory.relative(directory.status)).modified
        } catch {
            if error.code != ENOENT { return .failed("stat \(directory.status): \(error.cause)") }
            if now - began > StatusMarker.staleness {
                return .failed("supervisor presumed dead: status marker never appeared within 30s")
            }
            return .wait
        }
        guard let bytes = try? directory.readIfPresent(directory.status, limit: 1 << 20) else { return .wait }
        switch StatusMarker(bytes) {
        case .ready: return .ready
        case .failed(let message):
            return .failed("supervisor reported pre-main failure" + (message.isEmpty ? "" : ": " + message))
        case .running, .other: break
        }
        if let seen, seen.modified == modified {
            if now - seen.at > StatusMarker.staleness { return .failed(Self.stale) }
            return .wait
        }
        let isFirst = seen == nil
        seen = (modified, now)
        if isFirst {
            let age = wallClock.seconds.subtractingReportingOverflow(modified.seconds)
            if !age.overflow, age.partialValue > StatusMarker.staleness / 1_000_000_000 { return .failed(Self.stale) }
            // Younger markers have used up a part of their time already.
            if !age.overflow, age.partialValue > 0 { seen = (modified, now - age.partialValue * 1_000_000_000) }
        }
        return .wait
    }

    private static let stale = "supervisor presumed dead: no status update within 30s"
}
