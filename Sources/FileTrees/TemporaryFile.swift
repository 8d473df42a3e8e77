import Glibc
package import SystemSupport

/// A file under a temporary name, made exclusively and locked for as long as it is one.
package struct TemporaryFile: ~Copyable, Sendable {
    /// Open for reading and writing.
    package let file: Descriptor
    /// The directory in which it is and will stay.
    private let parent: ContainedDirectory
    private let name: BytePath
    /// Whether the file system has locks.
    package let isLocked: Bool

    private init(file: consuming Descriptor, parent: ContainedDirectory, name: BytePath, isLocked: Bool) {
        self.file = file
        self.parent = parent
        self.name = name
        self.isLocked = isLocked
    }

    /// Makes a file for `subject`, which errors name.
    ///
    /// - Parameter mode: less the umask, until `publish` gives another.
    package static func make(
        in parent: ContainedDirectory, names: TemporaryNames = .usual, mode: UInt32 = 0o600, subject: String
    ) throws(SystemError) -> TemporaryFile {
        for _ in 0..<TemporaryNames.attempts {
            if let made = try attempt(parent, names.make(), mode, subject) { return made }
        }
        throw SystemError("create", subject, EAGAIN)
    }

    /// nil where the name is taken, or a sweeper took the file for a leftover before it was locked: it will be gone.
    private static func attempt(
        _ parent: ContainedDirectory, _ name: BytePath, _ mode: UInt32, _ subject: String
    ) throws(SystemError) -> TemporaryFile? {
        let raw: Int32
        do throws(SystemError) {
            raw = try DirectoryIO.open(
                parent.raw, name, O_RDWR | O_CREAT | O_EXCL | O_NOCTTY, mode: mode, subject: subject
            ).release()
        } catch {
            if error.code == EEXIST { return nil }
            throw SystemError("create", error.subject, error.code)
        }
        let lock = TemporaryLock.take(raw)
        let isOurs = lock != .held && TemporaryLock.stands(name, in: parent.raw, for: raw)
        let made = TemporaryFile(file: Descriptor(owning: raw), parent: parent, name: name, isLocked: lock == .taken)
        if isOurs { return made }
        return nil
    }

    /// Whether a regular file of ours can be one: by the modes that it has while it is made, less a umask, and that `publish` gives.
    static func isOne(_ status: FileStatus) -> Bool {
        let mode = status.permissions
        return mode & ~0o044 == 0o600 || [0o666, 0o755, 0o555].contains(mode)
    }

    /// Gives the file its mode, asks the kernel whether all is written, and renames it over whatever file or link has the name.
    ///
    /// - Parameters:
    ///   - mode: exactly this, or nil for the one that it has.
    ///   - movesDirectories: whether a directory that has the name makes way: it is renamed to a temporary name, and removed if it is
    ///     empty. Else it is an error (EISDIR).
    package func publish(as target: BytePath, mode: UInt32?, movesDirectories: Bool = false) throws(SystemError) {
        try finish(target, mode)
        // Bounded, since another process may put a directory there again and again.
        for attempt in 0... {
            do throws(SystemError) {
                return try DirectoryIO.rename(
                    parent.raw, name, to: target, in: parent.raw, subject: parent.subject(target))
            } catch {
                guard movesDirectories, attempt < 16, [EISDIR, ENOTEMPTY, EEXIST].contains(error.code) else { throw error }
            }
            let aside = TemporaryNames.usual.make()
            do throws(SystemError) {
                try DirectoryIO.rename(parent.raw, target, to: aside, in: parent.raw, subject: parent.subject(target))
            } catch {
                if error.code == ENOENT { continue }
                throw error
            }
            // What is in it is somebody's; perhaps it is no directory by now, and stays.
            try? DirectoryIO.removeDirectory(parent.raw, aside, subject: "")
        }
    }

    /// As `publish`, but leaves what has the name already.
    ///
    /// - Returns: whether the name is ours now.
    package func publishNew(as target: BytePath, mode: UInt32) throws(SystemError) -> Bool {
        try finish(target, mode)
        defer { remove() }
        do throws(SystemError) {
            try DirectoryIO.makeLink(parent.raw, target, to: name, in: parent.raw, subject: parent.subject(target))
            return true
        } catch {
            if error.code == EEXIST { return false }
            throw error
        }
    }

    /// Removes it; that it is not there is no matter.
    package func remove() { try? DirectoryIO.unlink(parent.raw, name, subject: "") }

    private func finish(_ target: BytePath, _ mode: UInt32?) throws(SystemError) {
        let subject = parent.subject(target)
        if let mode { try checked("chmod", subject) { fchmod(file.raw, mode) } }
        // Closing a second descriptor tells what the kernel still has to say (ENOSPC, EDQUOT), and keeps the lock.
        let copy = try checked("close", subject) { fcntl(file.raw, F_DUPFD_CLOEXEC, 0) }
        try Descriptor(owning: copy).close(subject)
    }
}
