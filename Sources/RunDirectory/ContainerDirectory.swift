import FileTrees
import Glibc
package import SystemSupport

/// `ctr/<name>`: what the emissary of one container and the others in the pod tell each other (contract 01 §7).
package struct ContainerDirectory: Sendable {
    /// The container's name.
    package let name: String
    package let path: BytePath
    /// The run directory in which it is.
    let run: RunDirectory

    /// The decimal exit code; its existence means that the container is done.
    package var exitCode: BytePath { path.appending("exitcode") }
    /// Copy of standard output.
    package var standardOutput: BytePath { path.appending("stdout") }
    /// Standard output and error in one.
    package var combined: BytePath { path.appending("combined") }
    /// Made, empty, when a part of `standardOutput` or `combined` is lost: what is there is not to be taken for whole.
    package func lossMarker(of capture: BytePath) -> BytePath { capture.suffixed(".lost") }
    /// A signal that the emissary shall send to its process group.
    package var signal: BytePath { path.appending("signal") }
    /// Releases the debug pause before the command.
    package var before: BytePath { path.appending("before") }
    /// Releases the debug pause after the command.
    package var after: BytePath { path.appending("after") }
    /// Asks for a debug pause before the command, if it has not started, and after it: our own addition.
    package var pause: BytePath { path.appending("pause") }
    /// There while the command waits to be released; says for which of the two: our own addition.
    package var paused: BytePath { path.appending("paused") }
    /// Locked by the emissary for as long as it lives.
    package var alive: BytePath { path.appending("alive") }

    /// Creates the directory, mode 0777, with its parents. Whoever comes first does it.
    package func create() throws(SystemError) { try run.placeMaking().makeDirectories(run.relative(path), mode: 0o777) }

    /// Whether something has one of the names above; a link counts as itself.
    package func exists(_ path: BytePath) -> Bool { run.exists(path) }

    /// Whether `pause` is there, as a regular file.
    package var asksForPause: Bool { (try? run.place().status(run.relative(pause)))?.kind == .file }

    /// Where a debug pause is.
    package enum Pause: String, Sendable {
        case before, after
    }

    /// The file that releases a pause.
    package func release(of pause: Pause) -> BytePath { pause == .before ? before : after }

    /// Says that the command waits to be released; nil: no longer. Mode 0644.
    package func announce(_ pause: Pause?) throws(SystemError) {
        guard let pause else { return try run.place().directory.unlink(run.relative(paused)) }
        try run.place().write(run.relative(paused), Array(pause.rawValue.utf8), mode: 0o644)
    }

    /// For what the command waits, as the emissary said; nil while it does not.
    package func readPause() -> Pause? {
        guard let bytes = try? run.place().readIfPresent(run.relative(paused), limit: 64) else { return nil }
        return Pause(rawValue: String(decoding: bytes, as: UTF8.self))
    }

    /// Opens one of the captures for adding to its end, mode 0666.
    package func openCapture(_ path: BytePath) throws(SystemError) -> Descriptor {
        let file = try run.place().openForAppending(run.relative(path), mode: 0o666)
        // Whatever the umask; another's file stays as it is.
        _ = fchmod(file.raw, 0o666)
        return file
    }

    /// The last bytes of one of the captures.
    package func tail(of path: BytePath, count: Int) throws(SystemError) -> [UInt8] {
        try run.place().tail(run.relative(path), count: count)
    }

    /// Marks a capture of which a part is lost: on a disk that may have no room for another file by a second name, or else by having
    /// no file at all.
    package func markLoss(of capture: BytePath) {
        guard let place = try? run.place() else { return }
        let (file, marker) = (run.relative(capture), run.relative(lossMarker(of: capture)))
        do { _ = try place.directory.createFile(marker, mode: 0o644) } catch  where error.code == EEXIST {} catch {
            do { try place.directory.link(marker, to: file) } catch  where error.code == EEXIST {} catch {
                try? place.directory.unlink(file)
            }
        }
    }

    /// Takes the mark back: nothing that counts is lost.
    package func clearLoss(of capture: BytePath) { try? run.place().directory.unlink(run.relative(lossMarker(of: capture))) }

    /// Opens one of the captures for reading.
    package func openFile(_ path: BytePath) throws(SystemError) -> Descriptor { try run.place().openFile(run.relative(path)) }

    /// Removes what a killed emissary of this container has left.
    package func sweep() { (try? run.place())?.sweep(run.relative(path)) }

    // MARK: The exit code

    /// Whether the container is done. The content may not be there yet where another writer wrote it.
    package var hasExitCode: Bool { exists(exitCode) }

    /// The exit code; nil where it is absent or no number (yet).
    package func readExitCode() -> Int32? { number(at: exitCode) }

    /// Says that the container is done: decimal, no newline, mode 0644.
    package func writeExitCode(_ code: Int32) throws(SystemError) {
        try run.place().write(run.relative(exitCode), Array(String(code).utf8), mode: 0o644)
    }

    /// As `writeExitCode`, but leaves a code that is there already: for a container whose emissary is dead.
    ///
    /// - Returns: whether the code is ours.
    @discardableResult
    package func writeExitCodeIfAbsent(_ code: Int32) throws(SystemError) -> Bool {
        try run.place().writeNew(run.relative(exitCode), Array(String(code).utf8), mode: 0o644)
    }

    // MARK: Signals

    /// Asks the emissary to send a signal to its process group; creates the directory where it is missing. Mode 0666.
    package func writeSignal(_ number: Int32) throws(SystemError) {
        try create()
        try run.place().write(run.relative(signal), Array(String(number).utf8), mode: 0o666)
    }

    /// Takes a signal that was asked for: reads a number above 0 and removes the file. Anything else is left where it is.
    package func takeSignal() -> Int32? {
        guard number(at: signal, above: 0) != nil,
            let (parent, name) = try? run.place().directory.parent(of: run.relative(signal))
        else { return nil }
        // Moved away before it counts: a later request (9 after 15) may replace the file at any time and must not be removed.
        let taken = TemporaryNames.usual.make()
        do { try parent.rename(name, to: taken) } catch { return nil }
        defer { try? parent.unlink(taken) }
        if let number = Self.number(taken, in: SharedPlace(parent), above: 0) { return number }
        // A writer that truncates first was caught between its two steps; its file goes back unless a newer one is there.
        try? parent.link(name, to: taken)
        return nil
    }

    private func number(at path: BytePath, above least: Int32 = .min) -> Int32? {
        guard let place = try? run.place() else { return nil }
        return Self.number(run.relative(path), in: place, above: least)
    }

    private static func number(_ path: BytePath, in place: SharedPlace, above least: Int32) -> Int32? {
        guard let bytes = try? place.read(path, limit: 64),
            let number = Int32(String(decoding: bytes, as: UTF8.self).trimmed), number > least
        else { return nil }
        return number
    }

    // MARK: Life

    /// How a container stands, as far as the files tell.
    package enum Standing: Sendable, Equatable {
        /// Its emissary has not begun, or left no sign of life (another build, a file system without locks).
        case unknown
        /// Its emissary lives.
        case alive
        /// Its exit code is written.
        case done
        /// Its emissary is dead and left no exit code.
        case died
    }

    /// Looks at the exit code and at the emissary's lock.
    package func standing() -> Standing {
        if hasExitCode { return .done }
        switch LifeLock.state(of: self) {
        case .absent: return .unknown
        case .held: return .alive
        // An emissary writes its exit code before it goes, perhaps since we looked.
        case .free: return hasExitCode ? .done : .died
        }
    }
}
