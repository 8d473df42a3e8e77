import FileTrees
import Glibc
import SystemSupport

/// Makes an archive's entries beneath one directory, and nothing outside it: names are judged by text first, then resolved by the
/// kernel beneath the directory. Links on the way to an entry are followed as the directory's `Resolution` says; one under the
/// entry's own name never is.
final class TreeExtraction {
    private let root: ContainedDirectory
    private let options: UnpackOptions
    private let operation: String
    /// Whether directories get the modes of their entries.
    private let keepsDirectoryModes: Bool
    /// What directories get when all in them has been made; the root's path is empty.
    private var deferred: [BytePath: (mode: UInt32, entry: ArchiveEntry?)] = [:]
    /// Directories of a zip file that have no entry of their own get the mode of the file that they were made for (contract
    /// 03 §2); nil where such directories are 0755.
    private var impliedModes: [BytePath: UInt32]?
    private var knownDirectories: Set<BytePath> = []
    /// Links that the archive has made: what lies behind one has another name, and is not implied by it.
    private var links: Set<BytePath> = []
    /// The directory in which something was made last: entries come directory by directory.
    private var parent: (path: BytePath, directory: OpenDirectory)?
    private(set) var summary = UnpackSummary()

    private final class OpenDirectory {
        let descriptor: Descriptor
        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }

    init(_ root: ContainedDirectory, _ options: UnpackOptions, operation: String, keepsDirectoryModes: Bool) {
        self.root = root
        self.options = options
        self.operation = operation
        self.keepsDirectoryModes = keepsDirectoryModes || options.isFaithful
        if keepsDirectoryModes, !options.isFaithful { impliedModes = [:] }
    }

    /// Makes one entry.
    ///
    /// - Parameter content: hands over the file's pieces with their places, until all are written or it throws.
    func make(_ entry: ArchiveEntry, content: ((Span<UInt8>, Int64) throws -> Void) throws -> Void) throws {
        let components = try containedComponents(entry.name)
        if !options.isFaithful, !entry.attributes.isEmpty || entry.hasAccessList { summary.droppedAttributes += 1 }
        guard let name = components.last else {
            guard case .directory = entry.kind else { throw escapes(entry.name, "it would replace the directory itself") }
            if options.isFaithful { deferred[""] = (entry.mode, entry) }
            return
        }
        if case .special = entry.kind {
            summary.droppedSpecials += 1
            return
        }
        let path = BytePath.joining(components[...])
        let directory = try openParent(components.dropLast(), entry.name)
        noteImplied(components.dropLast(), mode: entry.mode & 0o777)
        if case .directory = entry.kind {
            if impliedModes != nil {
                impliedModes?[path] = nil
                knownDirectories.insert(path)
            }
        } else {
            // It takes the place of a link to a directory, if anything.
            deferred[path] = nil
        }
        let parent = directory?.descriptor.raw ?? root.raw
        switch entry.kind {
        case .file: try makeFile(parent, name, path, entry, content)
        case .directory: try makeDirectory(parent, name, path, entry)
        case .symlink(let target): try makeSymlink(parent, name, path, entry, to: target)
        case .hardLink(let target): try makeHardLink(parent, name, path, to: target)
        case .special: break
        }
    }

    private func noteImplied(_ components: ArraySlice<BytePath>, mode: UInt32) {
        guard impliedModes != nil else { return }
        var components = components
        if !links.isEmpty, components.indices.contains(where: { links.contains(BytePath.joining(components[...$0])) }) {
            return
        }
        while !components.isEmpty {
            let path = BytePath.joining(components)
            if !knownDirectories.insert(path).inserted { return }
            impliedModes?[path] = mode
            components.removeLast()
        }
    }

    /// Gives directories what had to wait.
    func finish() throws(SystemError) {
        parent = nil
        for (path, mode) in impliedModes ?? [:] { deferred[path] = (mode, nil) }
        // The inner ones first, since the outer ones may not be accessible any more.
        for (path, (mode, entry)) in deferred.sorted(by: { $1.key < $0.key }) {
            let path = path.isEmpty ? "." : path
            let directory = try root.openDirectory(path)
            let subject = root.subject(path)
            if options.isFaithful, let entry {
                try setAttributes(directory.raw, entry, subject)
                try setTimes(directory.raw, entry, subject)
            }
            try checked("chmod", subject) { fchmod(directory.raw, mode) }
        }
    }

    // MARK: Names

    /// The name's components, cleaned by text; none for the directory itself.
    private func containedComponents(_ name: BytePath) throws -> [BytePath] {
        if name.isEmpty { throw ArchiveError(.corrupt, operation, "", "an entry has no name") }
        // A leading slash means the target directory, as in the reference.
        let cleaned = BytePath(bytes: name.bytes.drop { $0 == UInt8(ascii: "/") }).cleaned
        if cleaned == ".." || cleaned.isAtOrBelow("..") { throw escapes(name, "it leads out of the target directory") }
        return cleaned.components
    }

    private func escapes(_ name: BytePath, _ cause: String) -> ArchiveError {
        ArchiveError(.escapes, operation, name.text, cause)
    }

    private func openParent(_ components: ArraySlice<BytePath>, _ name: BytePath) throws -> OpenDirectory? {
        if components.isEmpty {
            // What is made here may be a link on the way to the directory that was used last.
            parent = nil
            return nil
        }
        let path = BytePath.joining(components)
        if let parent, parent.path == path { return parent.directory }
        do throws(SystemError) {
            let opened = OpenDirectory(try root.makeDirectories(path, mode: 0o755))
            parent = (path, opened)
            return opened
        } catch {
            switch error.code {
            case EXDEV: throw escapes(name, "its path leads through a link out of the target directory")
            case ELOOP, ENOTDIR: throw escapes(name, "a parent of its path is not a directory")
            default: throw error
            }
        }
    }

    // MARK: Kinds

    private func makeFile(
        _ parent: Int32, _ name: BytePath, _ path: BytePath, _ entry: ArchiveEntry,
        _ content: ((Span<UInt8>, Int64) throws -> Void) throws -> Void
    ) throws {
        let subject = root.subject(path)
        let file = try create(parent, name, mode: entry.mode & 0o777, subject)
        var end: Int64 = 0
        try content { piece, offset in
            let (next, overflow) = offset.addingReportingOverflow(Int64(piece.count))
            guard offset >= 0, !overflow else { throw ArchiveError(.corrupt, operation, entry.name.text, "impossible offset") }
            try write(file.raw, piece, at: offset, subject)
            end = max(end, next)
            summary.bytes += Int64(piece.count)
        }
        // A hole at the end, or one left out above.
        let size = max(end, entry.size ?? 0)
        if try FileStatus.of(file.raw, subject: subject).size < size {
            try checked("truncate", subject) { ftruncate(file.raw, Int(size)) }
        }
        if options.isFaithful {
            try setAttributes(file.raw, entry, subject)
            try checked("chmod", subject) { fchmod(file.raw, entry.mode) }
        }
        try setTimes(file.raw, entry, subject)
        try file.close(subject)
        summary.files += 1
    }

    /// Writes a piece; in faithful trees pages of zeros become holes.
    private func write(_ file: Int32, _ piece: Span<UInt8>, at offset: Int64, _ subject: String) throws(SystemError) {
        guard options.isFaithful else { return try DescriptorIO.write(file, piece, at: offset, subject: subject) }
        let page = 4096
        var start = 0
        while start < piece.count {
            // Pages of the file, not of the piece.
            var end = min(piece.count, start + page - Int((offset + Int64(start)) % Int64(page)))
            if isZero(piece.extracting(start..<end)) {
                start = end
                continue
            }
            while end < piece.count, !isZero(piece.extracting(end..<min(end + page, piece.count))) {
                end = min(end + page, piece.count)
            }
            try DescriptorIO.write(file, piece.extracting(start..<end), at: offset + Int64(start), subject: subject)
            start = end
        }
    }

    private func isZero(_ bytes: Span<UInt8>) -> Bool {
        unsafe bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return true }
            return unsafe bytes[0] == 0 && memcmp(start, start + 1, bytes.count - 1) == 0
        }
    }

    /// Creates a file, in the place of anything but a directory.
    private func create(
        _ parent: Int32, _ name: BytePath, mode: UInt32, _ subject: String
    ) throws(SystemError) -> Descriptor {
        let flags = O_RDWR | O_CREAT | O_EXCL
        do {
            return try DirectoryIO.open(parent, name, flags, mode: mode, subject: subject)
        } catch  where error.code == EEXIST {
            try DirectoryIO.unlink(parent, name, subject: subject)
            return try DirectoryIO.open(parent, name, flags, mode: mode, subject: subject)
        }
    }

    private func makeDirectory(
        _ parent: Int32, _ name: BytePath, _ path: BytePath, _ entry: ArchiveEntry
    ) throws(SystemError) {
        let subject = root.subject(path)
        // Until all in it has been made, it must let us in.
        let mode = keepsDirectoryModes ? (entry.mode & 0o777) | 0o700 : 0o755
        do {
            try DirectoryIO.makeDirectory(parent, name, mode: mode, subject: subject)
        } catch  where error.code == EEXIST {
            if try !isDirectory(parent, name, path, subject) {
                try DirectoryIO.unlink(parent, name, subject: subject)
                try DirectoryIO.makeDirectory(parent, name, mode: mode, subject: subject)
            }
        }
        summary.directories += 1
        if options.isFaithful {
            deferred[path] = (entry.mode, entry)
        } else if keepsDirectoryModes, entry.mode & 0o700 != 0o700 {
            let made = try root.status(path, followingLinks: true).permissions
            deferred[path] = (made & entry.mode, entry)
        }
    }

    /// Whether a directory is there, be it behind a link that the path is allowed to follow: that one stays (contract 03 §2).
    private func isDirectory(
        _ parent: Int32, _ name: BytePath, _ path: BytePath, _ subject: String
    ) throws(SystemError) -> Bool {
        switch try DirectoryIO.status(parent, name, subject: subject).kind {
        case .directory: true
        case .symlink: (try? root.status(path, followingLinks: true))?.kind == .directory
        default: false
        }
    }

    private func makeSymlink(
        _ parent: Int32, _ name: BytePath, _ path: BytePath, _ entry: ArchiveEntry, to target: BytePath
    ) throws {
        let subject = root.subject(path)
        if target.isEmpty { throw ArchiveError(.corrupt, operation, entry.name.text, "the symbolic link has no target") }
        try putSymlink(parent, name, to: target, subject)
        links.insert(path)
        if options.isFaithful {
            try DirectoryIO.setTimes(
                parent, name, accessed: entry.accessed, modified: entry.modified, subject: subject)
        }
        summary.symlinks += 1
    }

    private func putSymlink(
        _ parent: Int32, _ name: BytePath, to target: BytePath, _ subject: String
    ) throws(SystemError) {
        do {
            try DirectoryIO.makeSymlink(parent, name, to: target, subject: subject)
        } catch  where error.code == EEXIST {
            try DirectoryIO.unlink(parent, name, subject: subject)
            try DirectoryIO.makeSymlink(parent, name, to: target, subject: subject)
        }
    }

    /// Makes a second name for what the archive made under another; a copy where the file system has no such links. A link to what
    /// is not there is left out, as the reference leaves out all of them.
    private func makeHardLink(
        _ parent: Int32, _ name: BytePath, _ path: BytePath, to target: BytePath
    ) throws(SystemError) {
        guard let components = try? containedComponents(target), let leaf = components.last,
            let source = try openExisting(components.dropLast()),
            let status = try statusIfThere(source.raw, leaf, target), status.kind != .directory
        else {
            summary.droppedLinks += 1
            return
        }
        let subject = root.subject(path)
        // Two names of one file already, perhaps one and the same by way of a link: to replace one could lose the other.
        if let there = try statusIfThere(parent, name, path), there.device == status.device, there.inode == status.inode {
            return
        }
        do {
            try putLink(parent, name, to: leaf, in: source.raw, subject)
        } catch  where [EPERM, EMLINK, EOPNOTSUPP, ENOSYS, EXDEV, EACCES].contains(error.code) && status.kind == .file {
            let from = try DirectoryIO.open(source.raw, leaf, O_RDONLY, subject: subject)
            let to = try create(parent, name, mode: status.permissions & 0o777, subject)
            summary.bytes += try FileCopy.copy(from.raw, to: to.raw, subject: subject)
            try to.close(subject)
        }
        summary.hardLinks += 1
    }

    /// nil when there is no such directory, or a link that leads out is in the way.
    private func openExisting(_ components: ArraySlice<BytePath>) throws(SystemError) -> Descriptor? {
        do { return try root.openDirectory(BytePath.joining(components)) } catch  where Self.isAbsence(error) { return nil }
    }

    private func statusIfThere(_ directory: Int32, _ name: BytePath, _ path: BytePath) throws(SystemError) -> FileStatus? {
        do { return try DirectoryIO.status(directory, name, subject: root.subject(path)) } catch  where Self.isAbsence(error) {
            return nil
        }
    }

    private static func isAbsence(_ error: SystemError) -> Bool { [ENOENT, ENOTDIR, ELOOP, EXDEV].contains(error.code) }

    private func putLink(
        _ parent: Int32, _ name: BytePath, to existing: BytePath, in source: Int32, _ subject: String
    ) throws(SystemError) {
        do {
            try DirectoryIO.makeLink(parent, name, to: existing, in: source, subject: subject)
        } catch  where error.code == EEXIST {
            try DirectoryIO.unlink(parent, name, subject: subject)
            try DirectoryIO.makeLink(parent, name, to: existing, in: source, subject: subject)
        }
    }

    // MARK: Attributes

    private func setTimes(_ file: Int32, _ entry: ArchiveEntry, _ subject: String) throws(SystemError) {
        guard entry.modified != nil || entry.accessed != nil else { return }
        do {
            try DirectoryIO.setTimes(file, accessed: entry.accessed, modified: entry.modified, subject: subject)
        } catch  where error.code == EINVAL {
            // A time that the file system cannot express.
        }
    }

    private func setAttributes(_ file: Int32, _ entry: ArchiveEntry, _ subject: String) throws(SystemError) {
        for attribute in entry.attributes {
            guard attribute.isUsers else {
                summary.droppedAttributes += 1
                continue
            }
            do { try ExtendedAttributes.write(file, attribute, subject: subject) } catch
                where [EPERM, EOPNOTSUPP, ENOSYS].contains(error.code)
            {
                summary.droppedAttributes += 1
            }
        }
    }
}
