package import ExecutorCore
import Glibc

/// The lock that shows that an emissary lives: the kernel frees it with its holder, however that ends.
///
/// The file is created aside, locked, and only then renamed to its place, so that it is never seen unlocked by a living holder. At
/// the holder's end the kernel also reports IN_CLOSE_WRITE to whoever watches the directory.
package struct LifeLock: ~Copyable, Sendable {
    private let file: Descriptor

    /// What a look at the file from another container tells.
    package enum State: Sendable, Equatable {
        /// No such file, or one that cannot be judged: not started.
        case absent
        /// The holder lives.
        case held
        /// The holder has gone.
        case free
    }

    /// Takes the lock at `path` and holds it for as long as the value lives.
    ///
    /// - Throws: the file cannot be made, or the file system has no locks; then no file is left, which others read as "not started".
    package init(at path: BytePath) throws(SystemError) {
        let aside = AtomicFile.temporaryName(for: path)
        let file = try Descriptor.open(aside, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o666)
        let raw = file.raw
        do throws(SystemError) {
            // Readable for every user, or the others could not ask.
            try checked("chmod", path.text) { fchmod(raw, 0o666) }
            try checked("flock", path.text) { flock(raw, LOCK_EX | LOCK_NB) }
            try AtomicFile.rename(aside, to: path)
        } catch {
            AtomicFile.remove(aside)
            throw error
        }
        self.file = file
    }

    /// Asks whether the holder of the lock at `path` lives.
    package static func state(of path: BytePath) -> State {
        // Opened for reading: closing it again is no IN_CLOSE_WRITE, so that watchers do not wake each other.
        guard let file = try? Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) else { return .absent }
        var information = stat()
        guard unsafe fstat(file.raw, &information) == 0, information.st_mode & S_IFMT == S_IFREG else { return .absent }
        while flock(file.raw, LOCK_SH | LOCK_NB) == -1 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK: return .held
            default: return .absent
            }
        }
        return .free
    }
}
