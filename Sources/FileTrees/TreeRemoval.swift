import Glibc
package import SystemSupport

/// Removing whole trees.
package enum TreeRemoval {
    /// Removes a file or directory with all below it, never through a symbolic link; what is absent is as good as removed.
    package static func remove(_ path: BytePath) throws(SystemError) {
        try remove(AT_FDCWD, path, subject: path)
    }

    /// The same beneath a directory.
    package static func remove(_ path: BytePath, in directory: ContainedDirectory) throws(SystemError) {
        do {
            try directory.withParent(of: path) { (parent, name) throws(SystemError) in
                try remove(parent, name, subject: directory.path.appending(path))
            }
        } catch  where error.code == ENOENT {}
    }

    /// Removes all that is in an open directory.
    ///
    /// - Parameter kept: a name that stays.
    package static func removeContents(
        of directory: ContainedDirectory, but kept: BytePath? = nil
    ) throws(SystemError) {
        while let name = try empty(directory.raw, directory.path, but: kept) {
            try remove(directory.raw, name, subject: directory.path.appending(name))
        }
    }

    private static func remove(_ parent: Int32, _ name: BytePath, subject: BytePath) throws(SystemError) {
        if try removeLeaf(parent, name, subject.text) { return }
        let directories = DirectoryStack()
        var names: [BytePath] = []
        var path = subject.bytes
        try directories.push(try open(parent, name, subject.text), subject: subject.text)
        while directories.depth > 0 {
            let here = BytePath(bytes: path)
            if let inner = try empty(directories.current, here) {
                let child = here.appending(inner)
                try directories.push(try open(directories.current, inner, child.text), subject: child.text)
                names.append(inner)
                path = child.bytes
            } else {
                let last = names.popLast()
                if let last { path.removeLast(last.bytes.count + 1) }
                try directories.pop(subject: String(decoding: path, as: UTF8.self))
                let outer = directories.depth > 0 ? directories.current : parent
                try removeDirectory(outer, last ?? name, here.text)
            }
        }
    }

    /// How often a directory is read again: another process may make new files as fast as we remove them.
    private static let rounds = 1000

    /// Removes all names in a directory but directories that are not empty, also where the directory's mode keeps its owner, us, from
    /// listing or changing it.
    ///
    /// - Parameter kept: a name that stays, as if it were not there.
    /// - Returns: one of these; nil when the directory is empty.
    private static func empty(
        _ directory: Int32, _ path: BytePath, but kept: BytePath? = nil
    ) throws(SystemError) -> BytePath? {
        do { return try emptyAsItIs(directory, path, kept) } catch  where error.code == EACCES {
            // Not ours: then what stood in the way is the better cause.
            guard fchmod(directory, 0o700) == 0 else { throw error }
            return try emptyAsItIs(directory, path, kept)
        }
    }

    private static func emptyAsItIs(
        _ directory: Int32, _ path: BytePath, _ kept: BytePath?
    ) throws(SystemError) -> BytePath? {
        // Names removed while a directory is read may hide others from that reading: until one finds nothing.
        for _ in 0..<rounds {
            let listing = try DirectoryListing(directory, subject: path.text)
            var found = false
            var name: BytePath = ""
            while try unsafe listing.next({ name = BytePath(bytes: unsafe Array($0)) }) {
                if name == kept { continue }
                found = true
                if try !removeLeaf(directory, name, path.appending(name).text) { return name }
            }
            if !found { return nil }
        }
        throw SystemError("remove", path.text, ENOTEMPTY)
    }

    /// Removes a name unless it is a directory with something in it.
    private static func removeLeaf(_ parent: Int32, _ name: BytePath, _ subject: String) throws(SystemError) -> Bool {
        do {
            try DirectoryIO.unlink(parent, name, subject: subject)
        } catch  where error.code == ENOENT {
        } catch  where error.code == EISDIR {
            do { try removeDirectory(parent, name, subject) } catch  where [ENOTEMPTY, EEXIST].contains(error.code) {
                return false
            }
        }
        return true
    }

    private static func removeDirectory(_ parent: Int32, _ name: BytePath, _ subject: String) throws(SystemError) {
        do { try DirectoryIO.removeDirectory(parent, name, subject: subject) } catch  where error.code == ENOENT {}
    }

    /// Opens a directory for emptying, also one of our own that its mode keeps us out of.
    private static func open(_ parent: Int32, _ name: BytePath, _ subject: String) throws(SystemError) -> Descriptor {
        do {
            return try DirectoryIO.open(parent, name, O_RDONLY | O_DIRECTORY, subject: subject)
        } catch  where error.code == EACCES {
            try DirectoryIO.chmod(parent, name, mode: 0o700, subject: subject)
            return try DirectoryIO.open(parent, name, O_RDONLY | O_DIRECTORY, subject: subject)
        }
    }
}
