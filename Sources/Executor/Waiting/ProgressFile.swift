import FileTrees
import Glibc
import RunDirectory
import SystemSupport
import WorkflowModel

/// The file in which the user's process tells how far it is, as `N/M` lines (contract 02 §6.5).
struct ProgressFile {
    /// The run directory where the file is in it, else the directory that holds the file.
    private let place: () throws(SystemError) -> SharedPlace
    private let name: BytePath
    private var last: String?

    /// Nil where the file's directory cannot be made: then there is no progress.
    init?(_ path: BytePath, in run: RunDirectory, watcher: FileWatcher, log: Log) {
        let path = path.cleaned
        let directory = path.directory
        do throws(SystemError) {
            if path != run.root, path.isAtOrBelow(run.root) {
                // Whoever writes there must not lead us out of it.
                if directory != run.root { try run.placeMaking().makeDirectories(run.relative(directory), mode: 0o755) }
                watcher.watch(directory, in: run, writes: true)
                place = run.place
                name = run.relative(path)
            } else {
                _ = try SharedPlace(making: directory, mode: 0o755, isExact: true)
                watcher.watch(directory, writes: true)
                place = { () throws(SystemError) in try SharedPlace(directory) }
                name = path.base
            }
        } catch {
            log.warn("no progress is reported", ["error": .error(error)])
            return nil
        }
    }

    /// The last line where it is new and valid, as written.
    mutating func read() -> String? {
        // A reader need not hold what a program wrote without end: the last line is what counts.
        guard let tail = try? place().tail(name, count: 4096) else { return nil }
        let text = String(decoding: tail, as: UTF8.self).trimmed
        guard let line = text.split(separator: "\n").last.map({ $0.trimmed }), line != last else { return nil }
        last = line
        return Progress(line) == nil ? nil : line
    }
}
