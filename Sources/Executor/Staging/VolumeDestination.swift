import FileTrees
import Glibc
import SystemSupport

/// Finds the directory on a volume in which an input comes to be, and makes what is missing of it, once it is certain that it lies
/// where the user's container may write.
struct VolumeDestination {
    /// The mirror of the user's root, links followed as there.
    let place: SharedPlace
    /// Of the input's path.
    let components: [BytePath]
    /// How many of them may be links.
    let trusted: Int
    let mounts: [InputDestination.Mount]

    /// - Throws: EINVAL for the root itself; ELOOP, ENOTDIR or EXDEV for links that lead nowhere, or came with another input;
    ///   `ExecutorError` for those that lead to where the user's container may not write.
    func open() throws -> (parent: ContainedDirectory, name: BytePath) {
        guard let name = components.last, name != ".." else { throw SystemError("resolve", place.path.text, EINVAL) }
        let outer = components.dropLast()
        let (found, depth) = try deepest(outer)
        let rest = outer[depth...]
        try requireWritable(found, components[..<depth], [BytePath](rest) + [name])
        // Beneath what was judged: what is made there lies there.
        if rest.isEmpty { return (found, name) }
        try found.makeDirectories(BytePath.joining(rest), mode: 0o700)
        return (try Self.directory(rest, in: found), name)
    }

    /// The deepest directory on the way that exists; what it leads to has no links.
    private func deepest(_ outer: ArraySlice<BytePath>) throws(SystemError) -> (ContainedDirectory, depth: Int) {
        var depth = outer.count
        while true {
            do throws(SystemError) { return (try directory(outer[..<depth]), depth) } catch {
                guard error.code == ENOENT, depth > 0 else { throw error }
                depth -= 1
            }
        }
    }

    private func directory(_ path: ArraySlice<BytePath>) throws(SystemError) -> ContainedDirectory {
        let opened = try Self.directory(path.prefix(trusted), in: place.directory)
        let bound = path.dropFirst(trusted)
        return bound.isEmpty ? opened : try Self.directory(bound, in: opened)
    }

    /// Opens a directory, which need not let itself be listed, as one that follows no links.
    private static func directory(
        _ path: ArraySlice<BytePath>, in outer: ContainedDirectory
    ) throws(SystemError) -> ContainedDirectory {
        // As the parent of whatever name in it.
        try outer.parent(of: BytePath.joining(path + ["any"])).directory
    }

    /// A link may lead to a directory that is on no volume, which the user's container would not see, or on one that it may not write
    /// to. Where no link was followed the path is the template's own, and the kernel's answer counts.
    private func requireWritable(
        _ directory: ContainedDirectory, _ path: ArraySlice<BytePath>, _ rest: [BytePath]
    ) throws {
        if isPlain(directory, path) { return }
        let target = BytePath.joining(components[...])
        guard let real = directory.realPath, let home = place.directory.realPath else {
            throw ExecutorError.badRequest("write \(target): cannot tell where a symbolic link leads: /proc cannot be read")
        }
        let whole = real.appending(BytePath.joining(rest[...]))
        let mount = mounts.filter { whole.isAtOrBelow(BytePath(bytes: home.bytes + $0.path.bytes).cleaned) }
            .max { $0.path.bytes.count < $1.path.bytes.count }
        guard let mount else {
            throw ExecutorError.badRequest("write \(target): a symbolic link leads out of the volumes, to \(whole)")
        }
        if mount.isReadOnly {
            throw ExecutorError.badRequest("write \(target): a symbolic link leads to \(mount.path), a read-only volume")
        }
    }

    /// Whether the directory is found without links as well.
    private func isPlain(_ directory: ContainedDirectory, _ path: ArraySlice<BytePath>) -> Bool {
        guard let strict = try? SharedPlace(place.path),
            let status = try? strict.directory.status(BytePath.joining(path)),
            let found = try? directory.status(".")
        else { return false }
        return status.kind == .directory && status.device == found.device && status.inode == found.inode
    }
}
