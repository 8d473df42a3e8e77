import FileTrees
import Glibc
package import SystemSupport

/// A folder of ours alone, with an unpredictable name and a lock for as long as this value lives: so what a process
/// that was killed has left can later be told from what is in use.
struct HeldFolder: ~Copyable, Sendable {
    let path: BytePath
    private let lock: Descriptor

    /// Makes one, mode 0700.
    ///
    /// - Throws: `SystemError` where nothing can be made in `parent`.
    init(in parent: BytePath, prefix: String) throws(SystemError) {
        while true {
            let name = prefix + hexadecimal((0..<8).map { _ in UInt8.random(in: 0...255) })
            let path = parent.appending(BytePath(name))
            try DirectoryIO.makeDirectory(AT_FDCWD, path, mode: 0o700, subject: path.text)
            let lock = try Descriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            let raw = lock.raw
            // Another process is sweeping here and takes it for a leftover. Without locks there is no sweeping either.
            if flock(raw, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK { continue }
            if (try? FileStatus.of(path, followingLinks: false)) == nil { continue }
            self.path = path
            self.lock = lock
            return
        }
    }

    /// Removes it with all in it.
    func remove() throws(SystemError) { try TreeRemoval.remove(path) }

    /// Removes the folders that processes of this user have left in `parent` and that are no longer held.
    static func sweep(_ parent: BytePath, prefix: String) {
        for name in FolderNames.of(parent) where name.bytes.starts(with: Array(prefix.utf8)) {
            let path = parent.appending(name)
            guard let status = try? FileStatus.of(path, followingLinks: false), status.kind == .directory,
                status.userID == geteuid(), let lock = try? Descriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
                flock(lock.raw, LOCK_EX | LOCK_NB) == 0
            else { continue }
            try? TreeRemoval.remove(path)
        }
    }
}

/// The names in a folder.
package enum FolderNames {
    /// In bytewise order; none where the folder cannot be read.
    package static func of(_ folder: BytePath) -> [BytePath] {
        guard let directory = try? Descriptor.open(folder, O_RDONLY | O_DIRECTORY),
            let walk = try? TreeWalk(directory, path: folder)
        else { return [] }
        var names: [BytePath] = []
        while let entry = try? walk.next() {
            walk.skipDescendants()
            names.append(entry.name)
        }
        return names
    }
}
