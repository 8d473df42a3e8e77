import FileTrees
import Glibc
package import SystemSupport

/// Unpacks the layers of a container image onto each other (OCI image specification, "Image Layer Filesystem Changeset").
///
/// Owners are left out, device files and named pipes too. Nothing is made outside the root: links of lower layers are followed as if
/// the root were `/`.
package enum LayerUnpacker {
    /// Applies a layer to the root file system that the layers below it have made.
    ///
    /// - Throws: `ArchiveError`, `SystemError` (with the path), or what the source throws. What was changed until then stays.
    package static func apply(_ source: any ByteSource, as kind: ArchiveKind, to root: BytePath, log: Log = .silent) throws {
        let content: any ByteSource =
            switch kind {
            case .tar: source
            case .tarGzip: GzipReader(source)
            case .tarZstd: try ZstdReader(source)
            }
        let reader = try ArchiveReader(content, .tar, operation: LayerApplication.operation)
        let layer = try LayerApplication(root, log)
        while let entry = try reader.next() {
            try layer.apply(entry) { write in while try reader.nextPiece(write) {} }
        }
        try layer.finish()
        // What follows the archive's end is read for the sake of the checksums.
        try content.forEachBlock { _ in }
    }
}

/// One layer on its way onto a root.
private final class LayerApplication {
    static let operation = "unpack layer"
    private static let whiteout = Array(".wh.".utf8)
    private static let opaque: BytePath = ".wh..wh..opq"

    private let root: BytePath
    private let directory: ContainedDirectory
    private let extraction: TreeExtraction
    /// What this layer has made, which its own whiteouts do not concern.
    private var made: Set<BytePath> = []
    private var lastParent: (named: BytePath, real: BytePath)?

    init(_ root: BytePath, _ log: Log) throws {
        directory = try ContainedDirectory(root, resolution: .inRoot)
        self.root = try DirectoryIO.readLink(
            AT_FDCWD, BytePath("/proc/self/fd/\(directory.raw)"), subject: root.text)
        extraction = TreeExtraction(
            try ContainedDirectory(root), UnpackOptions(isFaithful: true, log: log), operation: Self.operation,
            keepsDirectoryModes: true)
    }

    func apply(_ entry: ArchiveEntry, _ content: ((Span<UInt8>, Int64) throws -> Void) throws -> Void) throws {
        let components = try components(of: entry.name)
        guard let name = components.last else { return try extraction.make(entry, content: content) }
        let parent = try realParent(components.dropLast())
        let path = parent.appending(name)
        if name == Self.opaque { return try removeLower(in: parent) }
        if name.bytes.starts(with: Self.whiteout) {
            return try remove(parent.appending(BytePath(bytes: name.bytes.dropFirst(Self.whiteout.count))))
        }
        let isDirectory = if case .directory = entry.kind { true } else { false }
        let existing = try? directory.status(path)
        if existing?.kind == .directory, !isDirectory { try TreeRemoval.remove(path, in: directory) }
        try extraction.make(entry.moved(to: path, linking: try realTarget(entry.kind)), content: content)
        note(path)
    }

    func finish() throws { try extraction.finish() }

    // MARK: Names

    private func components(of name: BytePath) throws -> [BytePath] {
        let cleaned = BytePath(bytes: name.bytes.drop { $0 == UInt8(ascii: "/") }).cleaned
        if cleaned == ".." || cleaned.isAtOrBelow("..") {
            throw ArchiveError(.escapes, Self.operation, name.text, "it leads out of the root")
        }
        return cleaned.components
    }

    /// Where a parent directory really is, made where it is missing.
    private func realParent(_ components: ArraySlice<BytePath>) throws -> BytePath {
        let named = BytePath.joining(components)
        if let lastParent, lastParent.named == named { return lastParent.real }
        let real = try realPath(try directory.makeDirectories(named, mode: 0o755))
        lastParent = (named, real)
        return real
    }

    private func realTarget(_ kind: ArchiveEntry.Kind) throws -> BytePath? {
        guard case .hardLink(let target) = kind else { return nil }
        let components = try components(of: target)
        guard let name = components.last else { return target }
        guard let parent = try? directory.openDirectory(BytePath.joining(components.dropLast())) else { return target }
        return try realPath(parent).appending(name)
    }

    /// An open directory's path relative to the root.
    private func realPath(_ opened: borrowing Descriptor) throws(SystemError) -> BytePath {
        let full = try DirectoryIO.readLink(AT_FDCWD, BytePath("/proc/self/fd/\(opened.raw)"), subject: root.text)
        return BytePath(bytes: full.bytes.dropFirst(root.bytes.count).drop { $0 == UInt8(ascii: "/") })
    }

    private func note(_ path: BytePath) {
        var prefix = path
        while !prefix.isEmpty, prefix != ".", made.insert(prefix).inserted { prefix = prefix.directory }
    }

    // MARK: Whiteouts

    private func remove(_ path: BytePath) throws(SystemError) {
        if !made.contains(path) { return try TreeRemoval.remove(path, in: directory) }
        if try directory.status(path).kind == .directory { try removeLower(in: path) }
    }

    /// Removes from a directory all that is not of this layer.
    private func removeLower(in path: BytePath) throws(SystemError) {
        var lower: [BytePath] = []
        let walk = try TreeWalk(try directory.openDirectory(path.isEmpty ? "." : path), path: directory.path.appending(path))
        while let entry = try walk.next() {
            let full = path.appending(entry.path)
            if made.contains(full) { continue }
            walk.skipDescendants()
            lower.append(full)
        }
        for path in lower { try TreeRemoval.remove(path, in: directory) }
    }
}

extension ArchiveEntry {
    /// The same entry under another name, and with another target where it is a hard link.
    fileprivate func moved(to name: BytePath, linking target: BytePath?) -> ArchiveEntry {
        ArchiveEntry(
            name: name, kind: target.map { .hardLink($0) } ?? kind, mode: mode, size: size, modified: modified,
            accessed: accessed, attributes: attributes, hasAccessList: hasAccessList)
    }
}
