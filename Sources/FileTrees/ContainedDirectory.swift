import CLinuxShims
import Glibc
import Synchronization
package import SystemSupport

/// An opened directory that no path leads out of: everything is done beneath it by descriptor, whatever links others put there.
///
/// Paths are relative to the directory; a leading slash means the directory itself. The kernel keeps them inside (openat2); where
/// that call is missing or forbidden, the components are walked one by one with O_NOFOLLOW to the same effect.
package final class ContainedDirectory: Sendable {
    /// What becomes of symbolic links on the way.
    package enum Resolution: Sendable {
        /// Refused (ELOOP), as is `..` (EXDEV).
        case noSymlinks
        /// Followed as if the directory were `/`: absolute targets begin there, and `..` stops there.
        case inRoot
        /// Followed as long as they stay beneath the directory: a way out, by `..` or by an absolute target, is refused (EXDEV).
        case beneath

        var flags: UInt64 {
            let flags =
                switch self {
                case .noSymlinks: LINUX_RESOLVE_BENEATH | LINUX_RESOLVE_NO_SYMLINKS
                case .inRoot: LINUX_RESOLVE_IN_ROOT
                case .beneath: LINUX_RESOLVE_BENEATH
                }
            return UInt64(LINUX_RESOLVE_NO_MAGICLINKS | flags)
        }
    }

    /// The directory's own path, for messages.
    package let path: BytePath
    package let resolution: Resolution
    let directory: Descriptor
    private let lacksOpenat2 = Atomic(false)

    /// Opens a directory that is itself trusted: its path is resolved without restriction.
    package init(_ path: BytePath, resolution: Resolution = .noSymlinks) throws(SystemError) {
        self.path = path
        self.resolution = resolution
        directory = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
    }

    /// Takes over an open directory.
    package init(owning directory: consuming Descriptor, path: BytePath, resolution: Resolution = .noSymlinks) {
        self.path = path
        self.resolution = resolution
        self.directory = directory
    }

    /// The raw descriptor, valid as long as this object lives.
    package var raw: Int32 { directory.raw }

    /// The directory below, under the same resolution; its own links then end at itself.
    package func subdirectory(_ path: BytePath) throws(SystemError) -> ContainedDirectory {
        ContainedDirectory(owning: try openDirectory(path), path: self.path.appending(path), resolution: resolution)
    }

    // MARK: Opening

    /// Opens what is there or, with O_CREAT, what shall be. O_CLOEXEC is always added.
    ///
    /// - Throws: ELOOP and EXDEV as `Resolution` says.
    package func open(_ path: BytePath, _ flags: Int32, mode: UInt32 = 0o666) throws(SystemError) -> Descriptor {
        let components = try components(of: path)
        if !lacksOpenat2.load(ordering: .relaxed) {
            let resolve = resolution.flags
            let joined = components.isEmpty ? "." : BytePath.joining(components[...])
            do {
                let raw = try unsafe joined.withCString { (name) throws(SystemError) in
                    try checked("open", subject(path)) {
                        while true {
                            let raw = unsafe linux_openat2(directory.raw, name, flags | O_CLOEXEC, mode, resolve)
                            // EAGAIN: something was renamed meanwhile, so that `..` could not be judged.
                            if raw != -1 || errno != EAGAIN || flags & O_NONBLOCK != 0 { return raw }
                        }
                    }
                }
                return Descriptor(owning: raw)
            } catch  where error.code == ENOSYS {
                lacksOpenat2.store(true, ordering: .relaxed)
            } catch  where [EPERM, EAGAIN, ENAMETOOLONG].contains(error.code) {
                // An old seccomp profile, a race, or a path that is too long for one call: the walk tells.
            }
        }
        return try ComponentWalk(root: directory.raw, resolution: resolution, subject: subject(path))
            .open(components, flags | O_CLOEXEC, mode)
    }

    /// Opens a regular file for reading; anything else is refused without being touched, so that no pipe is waited on.
    ///
    /// - Throws: EISDIR for a directory, EINVAL for other kinds.
    package func openFile(_ path: BytePath) throws(SystemError) -> Descriptor {
        let kind = try status(path, followingLinks: resolution != .noSymlinks).kind
        if kind == .symlink { throw SystemError("open", subject(path), ELOOP) }
        try Self.requireFile(kind, subject(path))
        let file = try open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        try Self.requireFile(try FileStatus.of(file.raw, subject: subject(path)).kind, subject(path))
        return file
    }

    /// - Throws: EISDIR for a directory, EINVAL for what is no regular file otherwise.
    static func requireFile(_ kind: FileKind, _ subject: String) throws(SystemError) {
        switch kind {
        case .file: return
        case .directory: throw SystemError("open", subject, EISDIR)
        default: throw SystemError("open", "\(subject) (a \(kind.word))", EINVAL)
        }
    }

    /// Opens a directory for listing and as a base for further calls.
    package func openDirectory(_ path: BytePath) throws(SystemError) -> Descriptor {
        try open(path, O_RDONLY | O_DIRECTORY)
    }

    /// Creates a new file for reading and writing.
    ///
    /// - Throws: EEXIST when anything, a link too, has that name.
    package func createFile(_ path: BytePath, mode: UInt32) throws(SystemError) -> Descriptor {
        try open(path, O_RDWR | O_CREAT | O_EXCL, mode: mode)
    }

    // MARK: Names

    /// Lends the descriptor of the directory that holds the path's last component, and that component.
    ///
    /// - Throws: EINVAL when the path is the directory itself or ends in `..`.
    package func withParent<R: ~Copyable>(
        of path: BytePath, _ body: (Int32, BytePath) throws(SystemError) -> R
    ) throws(SystemError) -> R {
        let components = path.components
        guard let name = components.last, name != ".." else { throw SystemError("resolve", subject(path), EINVAL) }
        if components.count == 1 { return try body(directory.raw, name) }
        let parent = try open(BytePath.joining(components.dropLast()), linux_o_path() | O_DIRECTORY)
        return try body(parent.raw, name)
    }

    /// The directory that holds the path's last component, opened under `noSymlinks`, and that component.
    ///
    /// - Throws: EINVAL when the path is the directory itself or ends in `..`.
    package func parent(of path: BytePath) throws(SystemError) -> (directory: ContainedDirectory, name: BytePath) {
        let components = path.components
        guard let name = components.last, name != ".." else { throw SystemError("resolve", subject(path), EINVAL) }
        let outer = BytePath.joining(components.dropLast())
        return (
            ContainedDirectory(
                owning: try open(outer, linux_o_path() | O_DIRECTORY),
                path: components.count == 1 ? self.path : self.path.appending(outer)), name
        )
    }

    /// The directory's path as the kernel has it now, without links; nil where /proc is missing.
    package var realPath: BytePath? {
        try? DirectoryIO.readLink(AT_FDCWD, BytePath("/proc/self/fd/\(directory.raw)"), subject: "")
    }

    package func makeDirectory(_ path: BytePath, mode: UInt32) throws(SystemError) {
        try withParent(of: path) { (parent, name) throws(SystemError) in
            try DirectoryIO.makeDirectory(parent, name, mode: mode, subject: subject(path))
        }
    }

    /// Makes a directory and all missing ones above it, and opens it as a base for further calls (O_PATH): those that exist need
    /// not let themselves be listed.
    ///
    /// - Parameter isExact: whether those that are made get exactly this mode, whatever the umask.
    @discardableResult
    package func makeDirectories(
        _ path: BytePath, mode: UInt32, isExact: Bool = false
    ) throws(SystemError) -> Descriptor {
        let components = try components(of: path)
        let flags = linux_o_path() | O_DIRECTORY
        // Where a prefix exists, so do the shorter ones: the longest that does is found by halving.
        var (depth, missing) = (0, components.count + 1)
        var current = try open(".", flags)
        while missing - depth > 1 {
            let middle = missing == components.count + 1 ? components.count : (depth + missing) / 2
            do {
                current = try open(BytePath.joining(components[..<middle]), flags)
                depth = middle
            } catch  where error.code == ENOENT {
                missing = middle
            }
        }
        // What is missing has nothing above it; and one step up could be the step out.
        if components[depth...].contains("..") { throw SystemError("create directory", subject(path), ENOENT) }
        for component in components[depth...] {
            var isOurs = true
            do {
                try DirectoryIO.makeDirectory(current.raw, component, mode: mode, subject: subject(path))
            } catch  where error.code == EEXIST {
                // Somebody else was faster, or a link stands there, which the next step refuses.
                isOurs = false
            }
            if isExact, isOurs {
                let made = try DirectoryIO.open(current.raw, component, O_RDONLY | O_DIRECTORY, subject: subject(path))
                try checked("chmod", subject(path)) { fchmod(made.raw, mode) }
            }
            current = try DirectoryIO.open(current.raw, component, flags, subject: subject(path))
        }
        return current
    }

    /// Makes a symbolic link whose target is kept as it is and never looked at.
    package func symlink(_ path: BytePath, to target: BytePath) throws(SystemError) {
        try withParent(of: path) { (parent, name) throws(SystemError) in
            try DirectoryIO.makeSymlink(parent, name, to: target, subject: subject(path))
        }
    }

    /// Makes a second name for a file that is beneath the directory; a link under `existing` is not followed.
    package func link(_ path: BytePath, to existing: BytePath) throws(SystemError) {
        try withParent(of: existing) { (source, existingName) throws(SystemError) in
            try withParent(of: path) { (parent, name) throws(SystemError) in
                try DirectoryIO.makeLink(parent, name, to: existingName, in: source, subject: subject(path))
            }
        }
    }

    package func unlink(_ path: BytePath) throws(SystemError) {
        try withParent(of: path) { (parent, name) throws(SystemError) in
            try DirectoryIO.unlink(parent, name, subject: subject(path))
        }
    }

    /// Removes an empty directory.
    package func removeDirectory(_ path: BytePath) throws(SystemError) {
        try withParent(of: path) { (parent, name) throws(SystemError) in
            try DirectoryIO.removeDirectory(parent, name, subject: subject(path))
        }
    }

    package func rename(_ path: BytePath, to newPath: BytePath) throws(SystemError) {
        try withParent(of: path) { (source, name) throws(SystemError) in
            try withParent(of: newPath) { (target, newName) throws(SystemError) in
                try DirectoryIO.rename(
                    source, name, to: newName, in: target, subject: "\(subject(path)) to \(subject(newPath))")
            }
        }
    }

    package func status(_ path: BytePath, followingLinks: Bool = false) throws(SystemError) -> FileStatus {
        if path.components.isEmpty { return try FileStatus.of(directory.raw, subject: subject(path)) }
        if followingLinks || path.components.last == ".." {
            let file = try open(path, linux_o_path())
            return try FileStatus.of(file.raw, subject: subject(path))
        }
        return try withParent(of: path) { (parent, name) throws(SystemError) in
            try DirectoryIO.status(parent, name, subject: subject(path))
        }
    }

    /// The target of a symbolic link.
    package func readLink(_ path: BytePath) throws(SystemError) -> BytePath {
        try withParent(of: path) { (parent, name) throws(SystemError) in
            try DirectoryIO.readLink(parent, name, subject: subject(path))
        }
    }

    /// - Throws: EOPNOTSUPP for a symbolic link.
    package func chmod(_ path: BytePath, mode: UInt32) throws(SystemError) {
        if path.components.isEmpty {
            try checked("chmod", subject(path)) { fchmod(directory.raw, mode) }
            return
        }
        try withParent(of: path) { (parent, name) throws(SystemError) in
            try DirectoryIO.chmod(parent, name, mode: mode, subject: subject(path))
        }
    }

    // MARK: Text

    /// The full path, for messages.
    package func subject(_ path: BytePath) -> String { self.path.appending(path).text }

    private func components(of path: BytePath) throws(SystemError) -> [BytePath] {
        let components = path.components
        if resolution == .noSymlinks, components.contains("..") { throw SystemError("open", subject(path), EXDEV) }
        return components
    }
}

extension BytePath {
    /// The components with slashes between them; `.` for none.
    package static func joining(_ components: ArraySlice<BytePath>) -> BytePath {
        components.isEmpty ? "." : BytePath(bytes: Array(components.map(\.bytes).joined(separator: [UInt8(ascii: "/")])))
    }
}
