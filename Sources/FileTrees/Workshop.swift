import CLinuxShims
import Glibc
package import SystemSupport

/// A directory of ours beside what is made in it: mode 0700, under a temporary name, locked for as long as it is used. What is made
/// in it is renamed to its place when it is whole.
package final class Workshop: Sendable {
    /// For what is made.
    package let directory: ContainedDirectory
    private let parent: ContainedDirectory
    private let name: BytePath
    /// Locked by its owner. A file, since no directory can be locked on NFS.
    static let lockName: BytePath = "lock"
    private let lock: Descriptor

    /// Whether an open directory can be a workshop of ours: others may pass one in which they work too. One in a setgid directory is setgid too.
    static func isOne(_ status: FileStatus) -> Bool {
        status.kind == .directory && status.userID == geteuid()
            && [0o700, 0o711].contains(status.permissions & ~UInt32(S_ISGID))
    }

    /// Whether a regular file of ours can be the lock of a workshop.
    static func isLock(_ status: FileStatus) -> Bool { status.permissions == 0o600 && status.size == 0 }

    /// Sweeps the parent, and makes a workshop in it.
    package init(in parent: ContainedDirectory, names: TemporaryNames = .usual) throws(SystemError) {
        Leftovers.sweep(parent, names)
        for _ in 0..<TemporaryNames.attempts {
            let name = names.make()
            do {
                try DirectoryIO.makeDirectory(parent.raw, name, mode: 0o700, subject: parent.subject(name))
            } catch  where error.code == EEXIST { continue }
            do {
                let opened = try DirectoryIO.open(
                    parent.raw, name, O_RDONLY | O_DIRECTORY, subject: parent.subject(name))
                // Somebody may have put another directory in its place: nothing is made, and later removed, in that. Owner and mode do
                // not tell, since some file systems give others than were asked for.
                guard try DirectoryIO.firstNames(opened.raw, subject: parent.subject(name)).isEmpty else { continue }
                let lock = try DirectoryIO.open(
                    opened.raw, Self.lockName, O_RDWR | O_CREAT | O_EXCL, mode: 0o600, subject: parent.subject(name))
                if TemporaryLock.take(lock.raw) != .held, TemporaryLock.stands(Self.lockName, in: opened.raw, for: lock.raw) {
                    directory = ContainedDirectory(owning: opened, path: parent.path.appending(name))
                    self.parent = parent
                    self.name = name
                    self.lock = lock
                    return
                }
                // A sweeper was faster than the lock: it removes what there is.
            } catch  where [ENOENT, EEXIST].contains(error.code) {}
        }
        throw SystemError("create a directory in", parent.path.text, EAGAIN)
    }

    /// Renames what was made here to a name beside the workshop.
    ///
    /// - Parameters:
    ///   - path: in `directory`.
    ///   - isReplacing: whether whatever has the name goes, a tree too. Else it is as rename(2) has it: a file replaces a file or
    ///     link, a directory an empty directory, and all else is an error (ENOTEMPTY, EEXIST, EISDIR or ENOTDIR).
    package func publish(_ path: BytePath, as target: BytePath, isReplacing: Bool) throws(SystemError) {
        let (from, made) = try directory.parent(of: path)
        // Bounded, since another process may put something there again and again.
        for attempt in 0... {
            do throws(SystemError) {
                return try Self.move(from.raw, made, parent.raw, target, parent.subject(target))
            } catch {
                guard isReplacing, attempt < 16, [ENOTEMPTY, EEXIST, EISDIR, ENOTDIR].contains(error.code) else { throw error }
            }
            do {
                try Self.move(
                    parent.raw, target, directory.raw, BytePath("replaced-\(attempt)"), parent.subject(target))
            } catch  where error.code == ENOENT {}
        }
    }

    /// Removes the workshop with what is left in it.
    package func remove() { Leftovers.remove(directory, name, in: parent) }

    /// Renames; a directory that its owner may not write to cannot be moved, since its `..` changes, until it lets us.
    private static func move(
        _ source: Int32, _ name: BytePath, _ target: Int32, _ newName: BytePath, _ subject: String
    ) throws(SystemError) {
        do {
            try DirectoryIO.rename(source, name, to: newName, in: target, subject: subject)
        } catch  where error.code == EACCES {
            // Held by a descriptor that its mode cannot refuse, so that nothing else is changed in its place.
            let shut = try DirectoryIO.open(source, name, linux_o_path() | O_DIRECTORY, subject: subject)
            let mode = try FileStatus.of(shut.raw, subject: subject).permissions
            let held = BytePath("/proc/self/fd/\(shut.raw)")
            _ = try unsafe held.withCString { (held) throws(SystemError) in
                try checked("chmod", subject) { unsafe chmod(held, mode | 0o700) }
            }
            defer { _ = unsafe held.withCString { unsafe chmod($0, mode) } }
            try DirectoryIO.rename(source, name, to: newName, in: target, subject: subject)
        }
    }
}

/// What killed processes of ours have left under temporary names.
package enum Leftovers {
    /// Names looked at in one directory at most: a user's may hold millions.
    private static let nameLimit = 20_000
    /// Directories swept by this process, by device and number: once each, and not without end.
    private static let swept = Swept()

    /// Removes from a directory what has the form of a temporary name, belongs to our own user, and is not locked. What fails is left
    /// for the next time.
    package static func sweep(_ parent: ContainedDirectory, _ names: TemporaryNames = .usual) {
        guard let found = try? candidates(parent, names) else { return }
        for name in found { sweep(name, in: parent) }
    }

    /// The same, each directory once in a process: what a process killed meanwhile leaves can wait.
    package static func sweepOnce(_ parent: ContainedDirectory, _ names: TemporaryNames = .usual) {
        guard let status = try? parent.status("."), swept.isFirst(status.device, status.inode) else { return }
        sweep(parent, names)
    }

    /// The same for all directories of a tree, of which this many entries are looked at.
    package static func sweepTree(_ root: ContainedDirectory, _ names: TemporaryNames, entries limit: Int = 100_000) {
        sweep(root, names)
        guard let opened = try? root.openDirectory("."), let walk = try? TreeWalk(opened, path: root.path) else { return }
        var count = 0
        while count < limit, let entry = try? walk.next() {
            count += 1
            guard entry.status.kind == .directory,
                let directory = try? DirectoryIO.open(walk.parent, entry.name, O_RDONLY | O_DIRECTORY, subject: "")
            else { continue }
            sweep(ContainedDirectory(owning: directory, path: root.path.appending(entry.path)), names)
        }
    }

    private static func candidates(_ parent: ContainedDirectory, _ names: TemporaryNames) throws(SystemError) -> [BytePath] {
        let listing = try DirectoryListing(parent.raw, subject: parent.path.text)
        var found: [BytePath] = []
        var count = 0
        while count < nameLimit,
            try unsafe listing.next({ bytes in
                let name = BytePath(bytes: unsafe Array(bytes))
                if names.matches(name) { found.append(name) }
            })
        { count += 1 }
        return found
    }

    /// What a name is, is only a hint of how to open it: another process may exchange names at any moment. What was opened is judged.
    private static func sweep(_ name: BytePath, in parent: ContainedDirectory) {
        guard let status = try? DirectoryIO.status(parent.raw, name, subject: ""), status.userID == geteuid() else { return }
        switch status.kind {
        case .file: sweepFile(name, in: parent)
        case .directory: sweepWorkshop(name, in: parent)
        default: return
        }
    }

    private static func sweepFile(_ name: BytePath, in parent: ContainedDirectory) {
        guard let file = open(name, in: parent.raw, isOurs: TemporaryFile.isOne),
            TemporaryLock.take(file.raw) == .taken, TemporaryLock.stands(name, in: parent.raw, for: file.raw)
        else { return }
        try? DirectoryIO.unlink(parent.raw, name, subject: "")
    }

    /// A workshop has a lock before it has anything else, and until it has nothing else. A directory without one is removed if it is
    /// empty, and never emptied: it may be anybody's that was given such a name.
    private static func sweepWorkshop(_ name: BytePath, in parent: ContainedDirectory) {
        guard let opened = try? DirectoryIO.open(parent.raw, name, O_RDONLY | O_DIRECTORY, subject: ""),
            let status = try? FileStatus.of(opened.raw, subject: ""), Workshop.isOne(status)
        else { return }
        let directory = ContainedDirectory(owning: opened, path: parent.path.appending(name))
        do {
            _ = try DirectoryIO.status(directory.raw, Workshop.lockName, subject: "")
        } catch  where error.code == ENOENT {
            try? DirectoryIO.removeDirectory(parent.raw, name, subject: "")
            return
        } catch { return }
        guard let lock = open(Workshop.lockName, in: directory.raw, isOurs: Workshop.isLock),
            TemporaryLock.take(lock.raw) == .taken,
            TemporaryLock.stands(Workshop.lockName, in: directory.raw, for: lock.raw)
        else { return }
        remove(directory, name, in: parent)
    }

    /// Opens a regular file of our own with no second name; nil for anything else.
    private static func open(_ name: BytePath, in directory: Int32, isOurs: (FileStatus) -> Bool) -> Descriptor? {
        guard let file = try? DirectoryIO.open(directory, name, O_RDWR | O_NONBLOCK | O_NOCTTY, subject: ""),
            let status = try? FileStatus.of(file.raw, subject: ""),
            status.kind == .file, status.userID == geteuid(), status.linkCount == 1, isOurs(status)
        else { return nil }
        return file
    }

    /// Empties an open workshop, its lock last, so that what a killed process leaves of it still is one. Then removes its name: should
    /// another directory have come to have it, that one is not emptied.
    static func remove(_ directory: ContainedDirectory, _ name: BytePath, in parent: ContainedDirectory) {
        do {
            try TreeRemoval.removeContents(of: directory, but: Workshop.lockName)
            try DirectoryIO.unlink(directory.raw, Workshop.lockName, subject: "")
        } catch  where error.code == ENOENT {} catch { return }
        try? DirectoryIO.removeDirectory(parent.raw, name, subject: "")
    }
}
