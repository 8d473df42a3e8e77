import FileTrees
import Glibc
import SystemSupport

/// What an archive format makes of each entry.
protocol EntryWriter: AnyObject {
    /// - Parameters:
    ///   - name: the entry's name in the archive.
    ///   - link: the target of a symbolic link.
    ///   - file: the open regular file or, in faithful archives, directory.
    func add(_ name: BytePath, _ status: FileStatus, link: BytePath?, file: Int32?, subject: String) throws
    func finish() throws
}

/// Goes through what shall be packed, the same for every format.
///
/// Sockets are left out (05 C11); a link at the root is followed, links below are kept.
struct TreePacker {
    /// What stands at the root.
    enum Root {
        case path(BytePath)
        case beneath(ContainedDirectory, BytePath)
    }

    let operation: String
    let options: PackOptions

    func pack(_ root: Root, named name: BytePath, _ writer: any EntryWriter, _ changes: PackChanges) throws {
        let subject = Self.subject(root)
        let status = try status(root, subject)
        switch status.kind {
        case .file:
            let file = try open(root, O_RDONLY | O_NONBLOCK | O_NOCTTY)
            let opened = try FileStatus.of(file.raw, subject: subject)
            guard opened.kind == .file else { throw unsupported(opened.kind, subject) }
            try writer.add(name, opened, link: nil, file: file.raw, subject: subject)
        case .directory:
            try packTree(root, subject, name, writer, changes)
        default: throw unsupported(status.kind, subject)
        }
        try writer.finish()
        changes.report(to: options.log, operation, subject)
    }

    private func packTree(
        _ root: Root, _ subject: String, _ name: BytePath, _ writer: any EntryWriter, _ changes: PackChanges
    ) throws {
        let directory = try open(root, O_RDONLY | O_DIRECTORY)
        let opened = try FileStatus.of(directory.raw, subject: subject)
        try writer.add(name, opened, link: nil, file: directory.raw, subject: subject)
        let walk = try TreeWalk(directory, path: BytePath(subject))
        walk.onVanished = tellVanished
        while let entry = try walk.next() {
            let entryName = name.appending(entry.path)
            let subject = walk.subject(entry)
            switch entry.status.kind {
            case .file:
                guard let file = try openFile(walk, entry) else {
                    tellVanished(subject)
                    continue
                }
                let opened = try FileStatus.of(file.raw, subject: subject)
                guard opened.kind == .file else {
                    tellVanished(subject)
                    continue
                }
                try writer.add(entryName, opened, link: nil, file: file.raw, subject: subject)
            case .directory where options.isFaithful:
                // Where it has gone the walk finds that too, and tells.
                guard let directory = try openDirectory(walk, entry) else { continue }
                try writer.add(entryName, entry.status, link: nil, file: directory.raw, subject: subject)
            case .symlink:
                guard let target = try readLink(walk, entry) else {
                    tellVanished(subject)
                    continue
                }
                try writer.add(entryName, entry.status, link: target, file: nil, subject: subject)
            case .socket: changes.skip(entry.path, .socket)
            default: try writer.add(entryName, entry.status, link: nil, file: nil, subject: subject)
            }
        }
    }

    private func tellVanished(_ path: String) {
        options.log.warn(
            "left out of the archive: it vanished while it was being packed",
            ["operation": .text(operation), "path": .text(path)])
    }

    /// nil for what has vanished or was replaced since it was listed.
    private func openFile(_ walk: TreeWalk, _ entry: TreeWalk.Entry) throws(SystemError) -> Descriptor? {
        do { return try walk.openFile(entry) } catch  where [ENOENT, ELOOP].contains(error.code) { return nil }
    }

    /// nil for what has vanished or was replaced since it was listed.
    private func openDirectory(_ walk: TreeWalk, _ entry: TreeWalk.Entry) throws(SystemError) -> Descriptor? {
        do {
            return try DirectoryIO.open(walk.parent, entry.name, O_RDONLY | O_DIRECTORY, subject: walk.subject(entry))
        } catch  where [ENOENT, ENOTDIR, ELOOP].contains(error.code) { return nil }
    }

    /// nil for what has vanished or was replaced since it was listed.
    private func readLink(_ walk: TreeWalk, _ entry: TreeWalk.Entry) throws(SystemError) -> BytePath? {
        do { return try walk.readLink(entry) } catch  where [ENOENT, EINVAL].contains(error.code) { return nil }
    }

    private func status(_ root: Root, _ subject: String) throws -> FileStatus {
        do {
            switch root {
            case .path(let path): return try FileStatus.of(path, followingLinks: true)
            case .beneath(let directory, let path):
                return try directory.status(path, followingLinks: directory.resolution != .noSymlinks)
            }
        } catch  where error.code == ENOENT {
            throw ArchiveError(.notFound, operation, subject, error.cause)
        }
    }

    private func open(_ root: Root, _ flags: Int32) throws(SystemError) -> Descriptor {
        switch root {
        case .path(let path): try Descriptor.open(path, flags)
        case .beneath(let directory, let path): try directory.open(path, flags)
        }
    }

    private static func subject(_ root: Root) -> String {
        switch root {
        case .path(let path): path.text
        case .beneath(let directory, let path): directory.subject(path)
        }
    }

    private func unsupported(_ kind: FileKind, _ subject: String) -> ArchiveError {
        ArchiveError(.unsupportedKind, operation, subject, "it is a \(kind.word), neither a file nor a directory")
    }
}

/// What differs between a tree and its archive, told once.
final class PackChanges {
    private var counts: [FileKind: Int] = [:]
    private var changed = 0
    private var example: BytePath?

    /// An entry that the archive leaves out.
    func skip(_ path: BytePath, _ kind: FileKind) {
        counts[kind, default: 0] += 1
        example = example ?? path
    }

    /// A file that grew or shrank while it was read.
    func change(_ path: BytePath) {
        changed += 1
        example = example ?? path
    }

    func report(to log: Log, _ operation: String, _ subject: String) {
        guard let example else { return }
        log.warn(
            "\(operation): the archive differs from the tree",
            [
                "path": .text(subject), "sockets": .count(counts[.socket] ?? 0),
                "specials": .count(counts.filter { $0.key != .socket }.values.reduce(0, +)),
                "changedFiles": .count(changed), "first": .path(example),
            ])
    }
}
