import FileTrees
import Glibc
package import SystemSupport

/// The lock that shows that an emissary lives: the kernel frees it with its holder, however that ends.
///
/// The file is created aside, locked, and only then renamed to its place, so that it is never seen unlocked by a living holder. At
/// the holder's end the kernel also reports IN_CLOSE_WRITE to watchers of the directory.
package struct LifeLock: ~Copyable, Sendable {
    private let file: TemporaryFile

    /// What a look at the file from another container tells.
    package enum State: Sendable, Equatable {
        /// No such file, or one that cannot be judged: not started.
        case absent
        /// The holder lives.
        case held
        /// The holder has gone.
        case free
    }

    /// Takes the lock of a container and holds it for as long as the value lives.
    ///
    /// - Throws: the file cannot be made, or the file system has no locks; then no file is left, which others read as "not started".
    package init(of container: ContainerDirectory) throws(SystemError) {
        let path = container.alive
        let file = try container.run.place().temporaryFile(for: container.run.relative(path))
        do throws(SystemError) {
            guard file.isLocked else { throw SystemError("flock", path.text, ENOLCK) }
            // Readable for every user, or the others could not ask.
            try file.publish(as: path.base, mode: 0o666, movesDirectories: true)
        } catch {
            file.remove()
            throw error
        }
        self.file = file
    }

    /// Asks whether the holder of a container's lock lives.
    package static func state(of container: ContainerDirectory) -> State {
        // Opened for reading: closing it again is no IN_CLOSE_WRITE, so that watchers do not wake each other.
        guard let file = try? container.openFile(container.alive) else { return .absent }
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
