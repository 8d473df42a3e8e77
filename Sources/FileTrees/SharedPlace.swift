import CLinuxShims
import Glibc
package import SystemSupport

/// A directory that others can write to at any moment, also between our look and our act: the run directory, the users' volumes, a
/// developer's folder. Through this type alone is touched what lies in it.
///
/// Every call acts beneath one open directory. Links on the way are treated as the place's resolution says, and in the run directory
/// there are none. The last component of a write, a removal or a rename is never followed. Only regular files are read, without
/// waiting for them to become readable, and never more than a limit. What is written appears whole, from a name of our own.
package struct SharedPlace: Sendable {
    package let directory: ContainedDirectory

    package init(_ directory: ContainedDirectory) { self.directory = directory }

    /// Opens a place by its path, which is trusted: a mount point, or what the user has named.
    package init(_ path: BytePath, resolution: ContainedDirectory.Resolution = .noSymlinks) throws(SystemError) {
        // It need not let itself be listed.
        directory = ContainedDirectory(
            owning: try Descriptor.open(path, linux_o_path() | O_DIRECTORY), path: path, resolution: resolution)
    }

    /// The same, and makes it where it is missing.
    ///
    /// - Parameter isExact: whether it gets exactly this mode, whatever the umask.
    package init(
        making path: BytePath, mode: UInt32, isExact: Bool = false,
        resolution: ContainedDirectory.Resolution = .noSymlinks
    ) throws(SystemError) {
        do { try self.init(path, resolution: resolution) } catch  where error.code == ENOENT {
            if isExact {
                try AtomicFile.createDirectory(path, mode: mode)
            } else {
                try DirectoryIO.makeDirectories(path, mode: mode)
            }
            try self.init(path, resolution: resolution)
        }
    }

    /// The place's own path, for messages.
    package var path: BytePath { directory.path }

    /// A directory below as a place of its own.
    package func place(
        _ path: BytePath, resolution: ContainedDirectory.Resolution = .noSymlinks
    ) throws(SystemError) -> SharedPlace {
        SharedPlace(
            ContainedDirectory(
                owning: try directory.openDirectory(path), path: self.path.appending(path), resolution: resolution))
    }

    // MARK: Looking

    /// The status of what has the name, links not followed.
    package func status(_ path: BytePath) throws(SystemError) -> FileStatus { try directory.status(path) }

    /// Whether something has the name; a link counts as itself, and what cannot be looked at as nothing.
    package func exists(_ path: BytePath) -> Bool { (try? status(path)) != nil }

    /// The status of what has the name, or nil where there is nothing (ENOENT, and no other error).
    package func statusIfPresent(_ path: BytePath) throws(SystemError) -> FileStatus? {
        do { return try status(path) } catch  where error.code == ENOENT { return nil }
    }

    /// Whether there is nothing in the place.
    package func isEmpty() throws(SystemError) -> Bool {
        try DirectoryIO.firstNames(directory.raw, subject: path.text).isEmpty
    }

    /// Opens a regular file for reading.
    ///
    /// - Throws: EISDIR, EINVAL for another kind, ELOOP and EXDEV for a link that is not to be followed.
    package func openFile(_ path: BytePath) throws(SystemError) -> Descriptor { try directory.openFile(path) }

    /// The content of a regular file.
    ///
    /// - Throws: EFBIG when there is more than the limit; as `openFile`.
    package func read(_ path: BytePath, limit: Int) throws(SystemError) -> [UInt8] {
        let file = try openFile(path)
        return try DescriptorIO.readAll(file.raw, limit: limit, subject: directory.subject(path))
    }

    /// The content, or nil where there is no such file.
    package func readIfPresent(_ path: BytePath, limit: Int) throws(SystemError) -> [UInt8]? {
        do { return try read(path, limit: limit) } catch  where error.code == ENOENT { return nil }
    }

    /// The last bytes of a regular file, which may be of any size.
    package func tail(_ path: BytePath, count: Int) throws(SystemError) -> [UInt8] {
        let file = try openFile(path)
        return try FileTail.read(file.raw, count: count, subject: directory.subject(path))
    }

    // MARK: Making

    /// Makes a directory and all missing ones above it, each of exactly this mode.
    package func makeDirectories(_ path: BytePath, mode: UInt32) throws(SystemError) {
        try directory.makeDirectories(path, mode: mode, isExact: true)
    }

    /// Writes a file aside and renames it over whatever file or link has the name. A directory that has it is moved aside, so that
    /// nobody keeps a file from being written by making one.
    package func write(_ path: BytePath, _ bytes: [UInt8], mode: UInt32) throws(SystemError) {
        let (parent, name) = try directory.parent(of: path)
        let temporary = try TemporaryFile.make(in: parent, subject: directory.subject(path))
        do throws(SystemError) {
            try DescriptorIO.write(temporary.file.raw, bytes.span, subject: directory.subject(path))
            try temporary.publish(as: name, mode: mode, movesDirectories: true)
        } catch {
            temporary.remove()
            throw error
        }
    }

    /// As `write`, with content that `body` writes to a raw descriptor.
    package func write(_ path: BytePath, mode: UInt32, _ body: (Int32) throws -> Void) throws {
        let (parent, name) = try directory.parent(of: path)
        let temporary = try TemporaryFile.make(in: parent, subject: directory.subject(path))
        do {
            try body(temporary.file.raw)
            try temporary.publish(as: name, mode: mode, movesDirectories: true)
        } catch {
            temporary.remove()
            throw error
        }
    }

    /// As `write`, but leaves what has the name already.
    ///
    /// - Returns: whether the file is ours.
    package func writeNew(_ path: BytePath, _ bytes: [UInt8], mode: UInt32) throws(SystemError) -> Bool {
        let (parent, name) = try directory.parent(of: path)
        let temporary = try TemporaryFile.make(in: parent, subject: directory.subject(path))
        do throws(SystemError) {
            try DescriptorIO.write(temporary.file.raw, bytes.span, subject: directory.subject(path))
            return try temporary.publishNew(as: name, mode: mode)
        } catch {
            temporary.remove()
            throw error
        }
    }

    /// Replaces the content of a regular file in its place, which may be a mount that cannot be renamed over; made where it is missing.
    package func overwrite(_ path: BytePath, _ bytes: [UInt8], mode: UInt32) throws(SystemError) {
        let file = try openForWriting(path, 0, mode: mode)
        try checked("truncate", directory.subject(path)) { ftruncate(file.raw, 0) }
        try DescriptorIO.write(file.raw, bytes.span, subject: directory.subject(path))
        try file.close(directory.subject(path))
    }

    /// Opens a regular file for adding to its end; made where it is missing.
    package func openForAppending(_ path: BytePath, mode: UInt32) throws(SystemError) -> Descriptor {
        try openForWriting(path, O_APPEND, mode: mode)
    }

    private func openForWriting(_ path: BytePath, _ flags: Int32, mode: UInt32) throws(SystemError) -> Descriptor {
        try directory.withParent(of: path) { (parent, name) throws(SystemError) in
            let subject = directory.subject(path)
            let file = try DirectoryIO.open(
                parent, name, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | flags, mode: mode, subject: subject)
            try ContainedDirectory.requireFile(try FileStatus.of(file.raw, subject: subject).kind, subject)
            return file
        }
    }

    /// Makes a symbolic link whose target is kept as it is and never looked at.
    package func symlink(_ path: BytePath, to target: BytePath) throws(SystemError) { try directory.symlink(path, to: target) }

    /// Makes a temporary file in the directory that holds a path; for `publish`ing as the path's last component.
    package func temporaryFile(for path: BytePath) throws(SystemError) -> TemporaryFile {
        try TemporaryFile.make(in: try directory.parent(of: path).directory, subject: directory.subject(path))
    }

    /// Makes a workshop in the directory that holds a path; for `publish`ing as the path's last component.
    package func workshop(for path: BytePath) throws(SystemError) -> Workshop {
        try Workshop(in: try directory.parent(of: path).directory)
    }

    // MARK: Removing and renaming

    /// Removes a file, a link, or a directory with all below it; what is absent is as good as removed.
    package func remove(_ path: BytePath) throws(SystemError) { try TreeRemoval.remove(path, in: directory) }

    /// Removes a name that is no directory.
    package func unlink(_ path: BytePath) throws(SystemError) { try directory.unlink(path) }

    /// Removes the leftovers of killed processes from a directory.
    package func sweep(_ path: BytePath = ".") {
        guard let opened = try? directory.openDirectory(path) else { return }
        Leftovers.sweep(ContainedDirectory(owning: opened, path: self.path.appending(path)))
    }
}
