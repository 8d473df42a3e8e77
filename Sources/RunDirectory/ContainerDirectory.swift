package import ExecutorCore
import Glibc

/// `ctr/<name>`: what the emissary of one container and the others in the pod tell each other (contract 01 §7).
package struct ContainerDirectory: Sendable {
    /// The container's name.
    package let name: String
    package let path: BytePath

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
    /// Locked by the emissary for as long as it lives.
    package var alive: BytePath { path.appending("alive") }

    /// Creates the directory, mode 0777, with its parents. Whoever comes first does it.
    package func create() throws(SystemError) { try AtomicFile.createDirectory(path) }

    // MARK: The exit code

    /// Whether the container is done. The content may not be there yet where another writer wrote it.
    package var hasExitCode: Bool { AtomicFile.exists(exitCode) }

    /// The exit code; nil where it is absent or no number (yet).
    package func readExitCode() -> Int32? {
        guard let bytes = try? SmallFile.read(exitCode, limit: 64) else { return nil }
        return Int32(String(decoding: bytes, as: UTF8.self).trimmedASCII)
    }

    /// Says that the container is done: decimal, no newline, mode 0644.
    package func writeExitCode(_ code: Int32) throws(SystemError) {
        try AtomicFile.write(exitCode, Array(String(code).utf8), mode: 0o644)
    }

    /// As `writeExitCode`, but leaves a code that is there already: for a container whose emissary is dead.
    ///
    /// - Returns: whether the code is ours.
    @discardableResult
    package func writeExitCodeIfAbsent(_ code: Int32) throws(SystemError) -> Bool {
        try AtomicFile.writeNew(exitCode, Array(String(code).utf8), mode: 0o644)
    }

    // MARK: Signals

    /// Asks the emissary to send a signal to its process group; creates the directory where it is missing. Mode 0666.
    package func writeSignal(_ number: Int32) throws(SystemError) {
        try create()
        try AtomicFile.write(signal, Array(String(number).utf8), mode: 0o666)
    }

    /// Takes a signal that was asked for: reads a number above 0 and removes the file. Anything else is left where it is.
    package func takeSignal() -> Int32? {
        guard parsedSignal(at: signal) != nil else { return nil }
        // Moved away before it counts: a later request (9 after 15) may replace the file at any time and must not be removed.
        let taken = AtomicFile.temporaryName(for: signal)
        do { try AtomicFile.rename(signal, to: taken) } catch { return nil }
        defer { AtomicFile.remove(taken) }
        if let number = parsedSignal(at: taken) { return number }
        // A writer that truncates first was caught between its two steps; its file goes back unless a newer one is there.
        _ = unsafe taken.withCString { from in unsafe signal.withCString { unsafe link(from, $0) } }
        return nil
    }

    private func parsedSignal(at path: BytePath) -> Int32? {
        guard let file = try? Descriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW),
            let bytes = try? DescriptorIO.readAll(file.raw, limit: 64, subject: ""),
            let number = Int32(String(decoding: bytes, as: UTF8.self).trimmedASCII), number > 0
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
        switch LifeLock.state(of: alive) {
        case .absent: return .unknown
        case .held: return .alive
        // An emissary writes its exit code before it goes, perhaps since we looked.
        case .free: return hasExitCode ? .done : .died
        }
    }
}

extension String {
    /// Without white space at either end.
    package var trimmedASCII: String {
        var bytes = Array(utf8)[...]
        while let last = bytes.last, [0x20, 0x09, 0x0A, 0x0D].contains(last) { bytes.removeLast() }
        while let first = bytes.first, [0x20, 0x09, 0x0A, 0x0D].contains(first) { bytes.removeFirst() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
