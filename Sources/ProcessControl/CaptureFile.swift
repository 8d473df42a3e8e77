import CLinuxShims
import Glibc
package import SystemSupport

/// A file that collects output of the user's process. It never fails: what cannot be written is counted, said once, and marked for
/// those who would take the file for whole.
package final class CaptureFile {
    /// Tells those who would take the file for whole that it is not; called once bytes are lost, and taken back where none of those
    /// that count are.
    package struct LossMark {
        let make: () -> Void
        let clear: () -> Void

        package init(make: @escaping () -> Void, clear: @escaping () -> Void) {
            self.make = make
            self.clear = clear
        }
    }

    private let path: BytePath
    private let log: Log
    private let file: Descriptor?
    private let raw: Int32
    private var size: Int64 = 0
    private var punched: Int64 = 0
    private var keepsAll: Bool
    private let isEndOnly: Bool
    private let loss: LossMark?
    /// What found no room yet, in order. It is written as soon as there is room again.
    private var pending: [UInt8] = []
    /// How large the file was when bytes were lost last.
    private var lastLoss: Int64 = 0
    private var hasWarned = false
    /// Bytes that are missing in the file.
    package private(set) var lost: Int64 = 0

    /// Of a result only the end is ever read (contract 02 §6.1): so much of it is kept on the disk at least.
    private static let keptEnd: Int64 = 1 << 20
    /// And this much may lie there before what is older is given back.
    private static let allowance: Int64 = 4 << 20

    /// So much waits for room at most: what a result can be (contract 02 §6.1).
    private static let pendingLimit = 256 << 10

    /// Adds to the end of a file.
    ///
    /// - Parameters:
    ///   - path: for messages.
    ///   - endOnly: gives back the disk space of all but the end; the file keeps its size, and older bytes read as zeros.
    ///   - loss: tells others that bytes are lost.
    ///   - opening: opens the file for appending, without blocking.
    package init(
        _ path: BytePath, endOnly: Bool, loss: LossMark? = nil, log: Log, opening: () throws(SystemError) -> Descriptor
    ) {
        self.path = path
        self.loss = loss
        self.log = log
        keepsAll = !endOnly
        isEndOnly = endOnly
        do throws(SystemError) {
            let opened = try opening()
            raw = opened.raw
            file = consume opened
        } catch {
            raw = -1
            file = nil
            warn("open", error.code)
            return
        }
        var information = stat()
        if unsafe fstat(raw, &information) == 0 { size = Int64(information.st_size) }
    }

    /// Adds bytes at the end.
    package func append(_ bytes: Span<UInt8>) {
        if bytes.isEmpty { return }
        guard raw != -1 else { return lose(bytes.count) }
        if !pending.isEmpty { writePending() }
        let done = pending.isEmpty ? write(bytes) : 0
        if done < bytes.count { hold(bytes.extracting(last: bytes.count - done)) }
        if !keepsAll, size - punched > Self.allowance + Self.keptEnd { giveBack() }
    }

    /// - Returns: how many of the bytes found room.
    private func write(_ bytes: Span<UInt8>) -> Int {
        unsafe bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = unsafe Glibc.write(raw, bytes.baseAddress! + done, bytes.count - done)
                if count > 0 {
                    done += count
                } else if errno != EINTR {
                    warn("write", errno)
                    break
                }
            }
            size += Int64(done)
            return done
        }
    }

    private func writePending() {
        pending.removeFirst(write(pending.span))
        if pending.isEmpty, lost == 0 { loss?.clear() }
    }

    /// Keeps what found no room, marked as lost until it does: the process may be killed meanwhile.
    private func hold(_ bytes: Span<UInt8>) {
        guard pending.count + bytes.count <= Self.pendingLimit else {
            let count = pending.count + bytes.count
            pending = []
            return lose(count)
        }
        if lost == 0, pending.isEmpty { loss?.make() }
        for index in bytes.indices { pending.append(bytes[index]) }
    }

    private func giveBack() {
        // Whole blocks only.
        let end = (size - Self.keptEnd) / 65536 * 65536
        if linux_punch_hole(raw, off_t(punched), off_t(end - punched)) == 0 { punched = end } else { keepsAll = true }
    }

    private func lose(_ count: Int) {
        loss?.make()
        lost += Int64(count)
        lastLoss = size
    }

    /// Says how much is missing. Where only the end counts and all of it came after the last loss, nothing is.
    package func finish() {
        if raw != -1, !pending.isEmpty {
            writePending()
            if !pending.isEmpty { lose(pending.count) }
            pending = []
        }
        if isEndOnly, lost > 0, size - lastLoss >= Self.keptEnd { loss?.clear() }
        if lost > 0 { log.warn("output is missing in a capture file", ["path": .path(path), "bytes": .integer(lost)]) }
    }

    private func warn(_ operation: String, _ code: Int32) {
        if hasWarned { return }
        hasWarned = true
        log.warn(
            "cannot capture output; it is still forwarded",
            [
                "path": .path(path), "error": .text("\(operation): \(errnoText(code))"),
            ])
    }
}
