import Glibc
package import SystemSupport

/// Copying whole trees: files (shared blocks where possible), directories, symbolic links as they are, hard links as links, named
/// pipes; modes and times, and owners where that is allowed.
package enum TreeCopy {
    /// What was copied, by count.
    package struct Summary: Sendable, Equatable {
        package var files = 0
        package var bytes: Int64 = 0
        /// Sockets and device files, which are left out.
        package var dropped = 0

        package init() {}
    }

    /// Copies the file or directory at `source` (a link there is copied as a link) to `target`, which must not exist.
    ///
    /// - Throws: EEXIST when the target exists. What was copied until an error stays.
    @discardableResult
    package static func copy(_ source: BytePath, to target: BytePath) throws(SystemError) -> Summary {
        try copy(AT_FDCWD, source, path: source, AT_FDCWD, target, path: target)
    }

    /// The same from one open directory to another.
    @discardableResult
    package static func copy(
        _ source: BytePath, in directory: ContainedDirectory, to target: BytePath, in other: ContainedDirectory
    ) throws(SystemError) -> Summary {
        try directory.withParent(of: source) { (from, name) throws(SystemError) in
            try other.withParent(of: target) { (to, newName) throws(SystemError) in
                try copy(
                    from, name, path: directory.path.appending(source), to, newName, path: other.path.appending(target))
            }
        }
    }

    /// The same for a directory that is open already, as a whole.
    @discardableResult
    package static func copy(
        _ directory: ContainedDirectory, to target: BytePath, in other: ContainedDirectory
    ) throws(SystemError) -> Summary {
        try other.withParent(of: target) { (to, newName) throws(SystemError) in
            try copy(directory.raw, ".", path: directory.path, to, newName, path: other.path.appending(target))
        }
    }

    /// - Parameters: two open directories, a name in each, and their paths for messages.
    private static func copy(
        _ from: Int32, _ name: BytePath, path source: BytePath, _ to: Int32, _ newName: BytePath, path target: BytePath
    ) throws(SystemError) -> Summary {
        var copy = Copy(keepsOwners: geteuid() == 0)
        let status = try DirectoryIO.status(from, name, subject: source.text)
        try copy.entry(from, name, status, to, newName, subject: source.text)
        guard status.kind == .directory else { return copy.summary }
        let root = ContainedDirectory(
            owning: try DirectoryIO.open(to, newName, O_RDONLY | O_DIRECTORY, subject: target.text), path: target)
        let targets = DirectoryStack()
        try targets.push(try root.openDirectory("."), subject: target.text)
        let walk = try TreeWalk(
            try DirectoryIO.open(from, name, O_RDONLY | O_DIRECTORY, subject: source.text), path: source, showsLeaving: true)
        while let entry = try walk.next() {
            let subject = walk.subject(entry)
            if entry.isLeaving {
                try targets.pop(subject: target.appending(entry.path.directory).text)
                try copy.attributes(targets.current, entry.name, entry.status, subject)
                continue
            }
            if try copy.link(entry, root) { continue }
            try copy.entry(walk.parent, entry.name, entry.status, targets.current, entry.name, subject: subject)
            if entry.status.kind == .directory {
                let made = try DirectoryIO.open(targets.current, entry.name, O_RDONLY | O_DIRECTORY, subject: subject)
                try targets.push(made, subject: subject)
            }
        }
        try copy.attributes(to, newName, status, target.text)
        return copy.summary
    }

    private struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private struct Copy {
        let keepsOwners: Bool
        var summary = Summary()
        /// Where files with several names were copied to first.
        var copied: [Identity: BytePath] = [:]

        init(keepsOwners: Bool) { self.keepsOwners = keepsOwners }

        /// Makes a link to the first copy of the same file; false when this is the first.
        mutating func link(_ entry: TreeWalk.Entry, _ root: ContainedDirectory) throws(SystemError) -> Bool {
            guard entry.status.kind == .file, entry.status.linkCount > 1 else { return false }
            let identity = Identity(device: entry.status.device, inode: entry.status.inode)
            guard let first = copied[identity] else {
                copied[identity] = entry.path
                return false
            }
            try root.link(entry.path, to: first)
            return true
        }

        /// Copies one entry; of a directory only itself, open to us until `attributes` closes it.
        mutating func entry(
            _ source: Int32, _ name: BytePath, _ status: FileStatus, _ target: Int32, _ newName: BytePath, subject: String
        ) throws(SystemError) {
            switch status.kind {
            case .directory:
                try DirectoryIO.makeDirectory(target, newName, mode: 0o700, subject: subject)
                return
            case .file:
                let from = try DirectoryIO.open(source, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, subject: subject)
                let to = try DirectoryIO.open(target, newName, O_RDWR | O_CREAT | O_EXCL, mode: 0o600, subject: subject)
                summary.bytes += try FileCopy.copy(from.raw, to: to.raw, subject: subject)
                summary.files += 1
                try to.close(subject)
            case .symlink:
                let link = try DirectoryIO.readLink(source, name, subject: subject)
                try DirectoryIO.makeSymlink(target, newName, to: link, subject: subject)
            case .fifo:
                try DirectoryIO.makeFIFO(target, newName, mode: 0o600, subject: subject)
            case .socket, .characterDevice, .blockDevice:
                summary.dropped += 1
                return
            }
            try attributes(target, newName, status, subject)
        }

        func attributes(
            _ directory: Int32, _ name: BytePath, _ status: FileStatus, _ subject: String
        ) throws(SystemError) {
            if keepsOwners {
                // In a user namespace root may be unable to give files to numbers that are not mapped.
                do {
                    try DirectoryIO.chown(
                        directory, name, user: status.userID, group: status.groupID, subject: subject)
                } catch  where error.code == EPERM || error.code == EINVAL {}
            }
            if status.kind != .symlink {
                try DirectoryIO.chmod(directory, name, mode: status.permissions, subject: subject)
            }
            try DirectoryIO.setTimes(
                directory, name, accessed: status.accessed, modified: status.modified, subject: subject)
        }
    }
}
