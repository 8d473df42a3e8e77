import Glibc
package import SystemSupport

/// Changing the modes of trees (contract 03 §2 row 10).
package enum TreeModes {
    /// Sets `mode & 0777` on what stands at the path and, if asked, on everything below it.
    ///
    /// Links are passed over: what they point to inside the tree is reached by its own name, and what is outside or absent is
    /// not handled here.
    package static func apply(mode: UInt32, to path: BytePath, recursively: Bool) throws(SystemError) {
        let modes = Modes(file: mode & 0o777, directory: mode & 0o777)
        try apply(modes, AT_FDCWD, path, subject: path, recursively)
    }

    /// The same beneath a directory.
    ///
    /// - Parameter directoryMode: for directories; nil for the same.
    package static func apply(
        mode: UInt32, to path: BytePath, in directory: ContainedDirectory, recursively: Bool, directoryMode: UInt32? = nil
    ) throws(SystemError) {
        try directory.withParent(of: path) { (parent, name) throws(SystemError) in
            let modes = Modes(file: mode & 0o777, directory: (directoryMode ?? mode) & 0o777)
            try apply(modes, parent, name, subject: directory.path.appending(path), recursively)
        }
    }

    private static func apply(
        _ modes: Modes, _ parent: Int32, _ name: BytePath, subject: BytePath, _ recursively: Bool
    ) throws(SystemError) {
        let status = try DirectoryIO.status(parent, name, subject: subject.text)
        if status.kind == .symlink { return }
        if status.kind == .directory, recursively {
            try open(parent, name, status, subject.text)
            let root = try DirectoryIO.open(parent, name, O_RDONLY | O_DIRECTORY, subject: subject.text)
            let walk = try TreeWalk(root, path: subject, showsLeaving: true)
            while let entry = try walk.next() {
                if entry.status.kind == .symlink { continue }
                if entry.status.kind == .directory, !entry.isLeaving {
                    try open(walk.parent, entry.name, entry.status, walk.subject(entry))
                } else {
                    try set(modes.of(entry.status.kind), walk.parent, entry.name, walk.subject(entry))
                }
            }
        }
        try set(modes.of(status.kind), parent, name, subject.text)
    }

    private struct Modes {
        let file: UInt32
        let directory: UInt32
        func of(_ kind: FileKind) -> UInt32 { kind == .directory ? directory : file }
    }

    /// A directory gets its mode when all below it has been reached; until then it must let us in.
    private static func open(
        _ parent: Int32, _ name: BytePath, _ status: FileStatus, _ subject: String
    ) throws(SystemError) {
        if status.permissions & 0o500 != 0o500 { try set(status.permissions | 0o700, parent, name, subject) }
    }

    private static func set(_ mode: UInt32, _ parent: Int32, _ name: BytePath, _ subject: String) throws(SystemError) {
        do {
            try DirectoryIO.chmod(parent, name, mode: mode, subject: subject)
        } catch  where error.code == ENOENT || error.code == EOPNOTSUPP {
            // It vanished meanwhile, or became a link.
        }
    }
}
