import FileTrees
import Glibc
import ProcessControl
import SystemSupport

/// What a container will see where, before its sandbox exists: its own root and what is mounted over it.
///
/// Links in the container's root mean places in the container, so that no path may simply be handed to the kernel, which would
/// follow them on this machine. Mount points are made here, since bubblewrap's own would be closed to other users.
struct MountTable {
    struct Entry: Sendable, Equatable {
        /// The place in the container, without links.
        let target: BytePath
        /// What is seen there; nil for file systems that bubblewrap makes itself.
        let source: BytePath?
        let isReadOnly: Bool
        let isDirectory: Bool
        /// A part of this machine, not of the pod.
        let isMachine: Bool
    }

    /// A path of the container, resolved.
    struct Place {
        /// Without links.
        let path: BytePath
        /// Where it lies on this machine; nil inside a file system of bubblewrap's own.
        let host: BytePath?
        /// Nil where nothing is there.
        let kind: FileKind?
    }

    private let root: BytePath
    private(set) var entries: [Entry] = []

    /// The most that a folder of this machine may hold for its parts to be mounted one by one.
    private static let widest = 256

    /// - Parameter root: the folder that becomes `/`, by its real path.
    init(root: BytePath) { self.root = root }

    /// Adds a file system that bubblewrap makes itself.
    mutating func addSpecial(_ target: BytePath) {
        entries.append(Entry(target: target, source: nil, isReadOnly: false, isDirectory: true, isMachine: false))
    }

    /// Mounts a folder or file of this machine.
    ///
    /// - Throws: `ExecutorError` where the mount point cannot be made.
    mutating func add(_ source: BytePath, at path: BytePath, isReadOnly: Bool, isMachine: Bool = false) throws {
        let source = try ProcessAttributes.realPath(of: source)
        let isDirectory = try FileStatus.of(source, followingLinks: true).kind == .directory
        var place = try resolve(path)
        if place.kind == nil, place.host != nil {
            try uncover(place.path)
            place = try resolve(path)
            try make(place, directory: isDirectory)
        }
        if let kind = place.kind, (kind == .directory) != isDirectory {
            throw ExecutorError.badRequest(
                "mount \(source) at \(path): one is a directory, the other is not")
        }
        entries.append(
            Entry(target: place.path, source: source, isReadOnly: isReadOnly, isDirectory: isDirectory, isMachine: isMachine))
    }

    /// Makes a directory with all above it where it is missing.
    mutating func makeDirectory(_ path: BytePath) throws {
        let place = try resolve(path)
        if place.kind != nil || place.host == nil { return }
        try uncover(place.path)
        try make(try resolve(path), directory: true)
    }

    /// Writes a file of the container's own root, in the place of one that is there. What is mounted is left alone.
    func write(_ path: BytePath, _ bytes: [UInt8], mode: UInt32 = 0o644) throws {
        let place = try resolve(path)
        guard let host = place.host, cover(of: place.path) == nil else { return }
        if place.kind == .directory { return }
        try DirectoryIO.makeDirectories(host.directory, mode: 0o755)
        try SmallFile.write(host, bytes)
        try DirectoryIO.chmod(AT_FDCWD, host, mode: mode, subject: host.text)
    }

    // MARK: Looking up

    /// Follows the links of a path as the container will.
    ///
    /// - Throws: `SystemError` with ELOOP, ENOTDIR, or what reading a link says.
    func resolve(_ path: BytePath) throws(SystemError) -> Place {
        var waiting = Array(path.components.reversed())
        var current: BytePath = "/"
        var kind: FileKind? = .directory
        var links = 0
        while let name = waiting.popLast() {
            if name == ".." {
                current = current.directory
                kind = .directory
                continue
            }
            if let kind, kind != .directory { throw SystemError("resolve", path.text, ENOTDIR) }
            let next = current.appending(name)
            guard kind != nil, let host = host(of: next) else {
                (current, kind) = (next, nil)
                continue
            }
            if let mounted = entries.last(where: { $0.target == next }) {
                (current, kind) = (next, mounted.isDirectory ? .directory : .file)
                continue
            }
            let found = try status(host)
            guard found == .symlink else {
                (current, kind) = (next, found)
                continue
            }
            links += 1
            if links > 40 { throw SystemError("resolve", path.text, ELOOP) }
            let target = try DirectoryIO.readLink(AT_FDCWD, host, subject: host.text)
            if target.isAbsolute { current = "/" }
            waiting += target.components.reversed()
        }
        return Place(path: current, host: host(of: current), kind: kind)
    }

    private func status(_ host: BytePath) throws(SystemError) -> FileKind? {
        do { return try FileStatus.of(host, followingLinks: false).kind } catch  where [ENOENT, ENOTDIR].contains(error.code) {
            return nil
        }
    }

    /// The innermost mount at or above a place.
    private func cover(of path: BytePath) -> Entry? {
        var best: Entry?
        for entry in entries where path.isAtOrBelow(entry.target) {
            if entry.target.bytes.count >= best?.target.bytes.count ?? 0 { best = entry }
        }
        return best
    }

    private func host(of path: BytePath) -> BytePath? {
        guard let cover = cover(of: path) else { return root.appending(Self.relative(path, to: "/")) }
        return cover.source?.appending(Self.relative(path, to: cover.target))
    }

    private static func relative(_ path: BytePath, to base: BytePath) -> BytePath {
        let rest = base == "/" ? path.bytes[...] : path.bytes.dropFirst(base.bytes.count)
        return BytePath(bytes: rest.drop { $0 == UInt8(ascii: "/") })
    }

    // MARK: Making mount points

    private func make(_ place: Place, directory isDirectory: Bool) throws {
        guard let host = place.host, place.kind == nil else { return }
        if let cover = cover(of: place.path), cover.isReadOnly {
            throw ExecutorError.badRequest(
                "mount at \(place.path): it does not exist, and \(cover.target) is read-only")
        }
        try makeOpenDirectories(isDirectory ? host : host.directory)
        if !isDirectory {
            try DirectoryIO.open(AT_FDCWD, host, O_WRONLY | O_CREAT, mode: 0o644, subject: host.text).close(host.text)
        }
    }

    /// Makes a directory and those above it, open to every user whatever the umask.
    private func makeOpenDirectories(_ path: BytePath) throws(SystemError) {
        var missing: [BytePath] = []
        var prefix = path
        while try status(prefix) == nil, prefix != "/" {
            missing.append(prefix)
            prefix = prefix.directory
        }
        for directory in missing.reversed() {
            try DirectoryIO.makeDirectory(AT_FDCWD, directory, mode: 0o755, subject: directory.text)
            try DirectoryIO.chmod(AT_FDCWD, directory, mode: 0o755, subject: directory.text)
        }
    }

    /// Puts, in the place of a read-only folder of this machine, a writable one in which all that it holds is mounted, so that there
    /// can be a mount point beside it.
    private mutating func uncover(_ path: BytePath) throws {
        while let entry = cover(of: path), entry.isMachine, entry.target != path, let source = entry.source {
            let folder = root.appending(Self.relative(entry.target, to: "/"))
            try makeOpenDirectories(folder)
            entries.removeAll { $0 == entry }
            let walk = try TreeWalk(try Descriptor.open(source, O_RDONLY | O_DIRECTORY), path: source)
            var count = 0
            while let child = try walk.next() {
                walk.skipDescendants()
                count += 1
                if count > Self.widest {
                    throw ExecutorError.badRequest(
                        "mount at \(path): \(entry.target) is this machine's own and too large to be opened for it; "
                            + "give the image's root file system by --image")
                }
                let target = entry.target.appending(child.name)
                switch child.status.kind {
                case .symlink:
                    try? DirectoryIO.makeSymlink(
                        AT_FDCWD, folder.appending(child.name), to: try walk.readLink(child), subject: folder.text)
                case .directory, .file:
                    let isDirectory = child.status.kind == .directory
                    let host = folder.appending(child.name)
                    if isDirectory {
                        try makeOpenDirectories(host)
                    } else {
                        try SmallFile.write(host, [])
                    }
                    entries.append(
                        Entry(
                            target: target, source: source.appending(child.name), isReadOnly: true, isDirectory: isDirectory,
                            isMachine: true))
                default: break
                }
            }
        }
    }
}
