import CLinuxShims
package import ExecutorCore
import Glibc

/// A file that collects output of the user's process. It never fails: what cannot be written is counted, said once, and marked for
/// those who would take the file for whole.
package final class CaptureFile {
    private let path: BytePath
    private let log: Log
    private let file: Descriptor?
    private let raw: Int32
    private var size: Int64 = 0
    private var punched: Int64 = 0
    private var keepsAll: Bool
    private let isEndOnly: Bool
    private let lossMarker: BytePath?
    /// How large the file was when bytes were lost last.
    private var lastLoss: Int64 = 0
    private var hasWarned = false
    /// Bytes that are missing in the file.
    package private(set) var lost: Int64 = 0

    /// Of a result only the end is ever read (contract 02 §6.1): so much of it is kept on the disk at least.
    private static let keptEnd: Int64 = 1 << 20
    /// And this much may lie there before what is older is given back.
    private static let allowance: Int64 = 4 << 20

    /// Opens the file for appending, mode 0666.
    ///
    /// - Parameters:
    ///   - lossMarker: a file that is made, empty, as soon as bytes are lost; nil for none.
    ///   - endOnly: gives back the disk space of all but the end; the file keeps its size, and older bytes read as zeros.
    package init(_ path: BytePath, lossMarker: BytePath? = nil, endOnly: Bool, log: Log) {
        self.path = path
        self.lossMarker = lossMarker
        self.log = log
        keepsAll = !endOnly
        isEndOnly = endOnly
        let raw = unsafe path.withCString {
            unsafe open($0, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
        }
        let code = errno
        self.raw = raw
        file = raw == -1 ? nil : Descriptor(owning: raw)
        if raw == -1 {
            warn("open", code)
            return
        }
        _ = fchmod(raw, 0o666)
        var information = stat()
        if unsafe fstat(raw, &information) == 0 { size = Int64(information.st_size) }
    }

    /// Adds bytes at the end.
    package func append(_ bytes: Span<UInt8>) {
        if bytes.isEmpty { return }
        guard raw != -1 else { return lose(bytes.count) }
        unsafe bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = unsafe write(raw, bytes.baseAddress! + done, bytes.count - done)
                if count > 0 {
                    done += count
                } else if errno != EINTR {
                    warn("write", errno)
                    break
                }
            }
            size += Int64(done)
            if done < bytes.count { lose(bytes.count - done) }
        }
        if !keepsAll, size - punched > Self.allowance + Self.keptEnd { giveBack() }
    }

    private func giveBack() {
        // Whole blocks only.
        let end = (size - Self.keptEnd) / 65536 * 65536
        if linux_punch_hole(raw, off_t(punched), off_t(end - punched)) == 0 { punched = end } else { keepsAll = true }
    }

    private func lose(_ count: Int) {
        if lost == 0 { markLoss() }
        lost += Int64(count)
        lastLoss = size
    }

    /// Tells the others, on a disk that may have no room for another file: by a second name, or else by having no file at all.
    func markLoss() {
        guard let lossMarker else { return }
        let made = unsafe lossMarker.withCString {
            unsafe open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
        }
        if made != -1 { close(made) }
        if made != -1 || errno == EEXIST || raw == -1 { return }
        let linked = unsafe path.withCString { path in unsafe lossMarker.withCString { unsafe link(path, $0) } }
        if linked == -1, errno != EEXIST { _ = unsafe path.withCString { unsafe unlink($0) } }
    }

    /// Says how much is missing. Where only the end counts and all of it came after the last loss, nothing is.
    package func finish() {
        if isEndOnly, lost > 0, size - lastLoss >= Self.keptEnd, let lossMarker {
            _ = unsafe lossMarker.withCString { unsafe unlink($0) }
        }
        if lost > 0 { log.warn("output is missing in a capture file", ["path": .path(path), "bytes": .integer(lost)]) }
    }

    private func warn(_ operation: String, _ code: Int32) {
        if hasWarned { return }
        hasWarned = true
        log.warn(
            "cannot capture output, passing it on all the same",
            [
                "path": .path(path), "error": .text("\(operation): \(errnoText(code))"),
            ])
    }
}
