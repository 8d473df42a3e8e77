import ExecutorCore
import Glibc
import RunDirectory

/// The file in which the user's process tells how far it is, as `N/M` lines (contract 02 §6.5).
struct ProgressFile {
    private let path: BytePath
    private var last: String?

    /// Nil where the file's directory cannot be made: then there is no progress.
    init?(_ path: BytePath, watcher: FileWatcher, log: Log) {
        let directory = path.directory
        do { try AtomicFile.createDirectory(directory, mode: 0o755) } catch {
            log.warn("no progress is reported", ["error": .error(error)])
            return nil
        }
        watcher.watch(directory, writes: true)
        self.path = path
    }

    /// The last line where it is new and valid, as written.
    mutating func read() -> String? {
        // A reader need not hold what a program wrote without end: the last line is what counts.
        guard let tail = try? FileTail.read(path, count: 4096) else { return nil }
        let text = String(decoding: tail, as: UTF8.self).trimmingBlanks
        guard let line = text.split(separator: "\n").last.map({ String($0).trimmingBlanks }), line != last else { return nil }
        last = line
        return Self.isValid(line) ? line : nil
    }

    /// `N/M` with 0 ≤ N ≤ M and M > 0; a part that is no number counts as 0. A line without `/` is not valid.
    static func isValid(_ line: String) -> Bool {
        guard let slash = line.firstIndex(of: "/") else { return false }
        let done = Int64(line[..<slash]) ?? 0
        let all = Int64(line[line.index(after: slash)...]) ?? 0
        return done >= 0 && done <= all && all > 0
    }
}

/// The end of a file that may be of any size.
enum FileTail {
    /// The last `count` bytes, or all where it is shorter.
    ///
    /// A link is not followed: user code must not point us elsewhere.
    static func read(_ path: BytePath, count: Int) throws(SystemError) -> [UInt8] {
        let file = try Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        let raw = file.raw
        let size = try checked("seek", path.text) { lseek(raw, 0, SEEK_END) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(count, size))
        var offset = size - chunk.count
        while bytes.count < count {
            var span = chunk.mutableSpan
            let got = try DescriptorIO.read(raw, into: &span, at: Int64(offset), subject: path.text)
            if got == 0 { break }
            bytes += chunk[..<min(got, count - bytes.count)]
            offset += got
        }
        return bytes
    }
}
