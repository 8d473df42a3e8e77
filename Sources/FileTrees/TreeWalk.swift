import Glibc
package import SystemSupport

/// Goes through a tree depth first, names in bytewise order within a directory, without following links.
///
/// Memory does not grow with the number of entries, and depth is not limited by PATH_MAX or by the number of descriptors. What
/// vanishes while the walk is under way is passed over, as if it had never been there.
package final class TreeWalk {
    package struct Entry: Sendable {
        /// Relative to the root, which itself is not among the entries.
        package let path: BytePath
        package let name: BytePath
        package let status: FileStatus
        /// The directory is shown for the second time, after all that is in it.
        package let isLeaving: Bool
    }

    private struct Level {
        var names = SortedNames()
        let name: BytePath
        let status: FileStatus
        /// Of the directory that holds this one, in bytes.
        let outerPathLength: Int
    }

    private let root: BytePath
    private let showsLeaving: Bool
    private let directories = DirectoryStack()
    /// Of the root itself.
    private var names = SortedNames()
    /// Below the root.
    private var levels: [Level] = []
    /// The current directory's, relative to the root. Kept once, not for each level: a deep tree would need its square in memory.
    private var path: [UInt8] = []
    private var toEnter: Entry?
    /// Told the full path of what was listed and has vanished, or become something else, before it could be looked at.
    package var onVanished: ((String) -> Void)?

    /// - Parameters:
    ///   - path: the root's path, for messages.
    ///   - showsLeaving: whether directories are shown again when all in them has been.
    package init(_ root: consuming Descriptor, path: BytePath, showsLeaving: Bool = false) throws(SystemError) {
        self.root = path
        self.showsLeaving = showsLeaving
        try directories.push(root, subject: path.text)
    }

    /// The next entry: a directory comes before what is in it.
    ///
    /// - Throws: a directory that cannot be read is an error by name.
    package func next() throws(SystemError) -> Entry? {
        if let entry = toEnter {
            toEnter = nil
            try enter(entry)
        }
        while true {
            if let name = try nextName() {
                let path = BytePath(bytes: path).appending(name)
                let status: FileStatus
                do {
                    status = try DirectoryIO.status(parent, name, subject: root.appending(path).text)
                } catch  where error.code == ENOENT {
                    onVanished?(root.appending(path).text)
                    continue
                }
                let entry = Entry(path: path, name: name, status: status, isLeaving: false)
                if status.kind == .directory { toEnter = entry }
                return entry
            }
            guard let level = levels.popLast() else { return nil }
            let left = Entry(path: BytePath(bytes: path), name: level.name, status: level.status, isLeaving: true)
            path.removeLast(path.count - level.outerPathLength)
            try directories.pop(subject: currentPath)
            if showsLeaving { return left }
        }
    }

    /// Leaves out what is in the directory that was returned last.
    package func skipDescendants() { toEnter = nil }

    /// The raw descriptor of the directory that holds the entry returned last.
    package var parent: Int32 { directories.current }

    /// The full path of an entry, for messages.
    package func subject(_ entry: Entry) -> String { root.appending(entry.path).text }

    /// Opens the regular file that was returned last, without waiting should it have become something else.
    package func openFile(_ entry: Entry) throws(SystemError) -> Descriptor {
        try DirectoryIO.open(parent, entry.name, O_RDONLY | O_NONBLOCK | O_NOCTTY, subject: subject(entry))
    }

    /// The target of the symbolic link that was returned last.
    package func readLink(_ entry: Entry) throws(SystemError) -> BytePath {
        try DirectoryIO.readLink(parent, entry.name, subject: subject(entry))
    }

    private var currentPath: String { root.appending(BytePath(bytes: path)).text }

    private func nextName() throws(SystemError) -> BytePath? {
        if levels.isEmpty { return try names.next(in: parent, subject: currentPath) }
        return try levels[levels.count - 1].names.next(in: parent, subject: currentPath)
    }

    private func enter(_ entry: Entry) throws(SystemError) {
        let directory: Descriptor
        do {
            directory = try DirectoryIO.open(parent, entry.name, O_RDONLY | O_DIRECTORY, subject: subject(entry))
        } catch  where [ENOENT, ENOTDIR, ELOOP].contains(error.code) {
            onVanished?(subject(entry))
            return
        }
        try directories.push(directory, subject: subject(entry))
        levels.append(Level(name: entry.name, status: entry.status, outerPathLength: path.count))
        path = entry.path.bytes
    }
}
