package import FileTrees
package import SystemSupport

extension ArtifactDownload {
    /// Has a driver write a file or a directory beneath a directory of ours; what an attempt that failed has left is removed.
    ///
    /// - Parameter name: which nothing has yet.
    /// - Throws: `ArtifactError` (`invalid`) where what was written is neither a file nor a directory.
    @discardableResult
    package func tree(
        _ tree: any StoredTree, at name: BytePath, in directory: ContainedDirectory
    ) throws -> TransferRecord {
        let meter = TransferMeter()
        try store.watched(.loading, tree.subject, meter, total: nil) {
            try store.retry(.load, meter).run {
                do {
                    try store.context.budget.withConnection {
                        try Self.write(tree, name, directory) { meter.add(bytes: $0) }
                    }
                    try Self.check(tree, name, directory)
                } catch {
                    try TreeRemoval.remove(name, in: directory)
                    throw error
                }
            }
            meter.addObject()
        }
        return meter.record
    }

    /// What others write, they write in a folder that is open to all, in one that they can pass but not look into.
    private static func write(
        _ tree: any StoredTree, _ name: BytePath, _ directory: ContainedDirectory, _ moved: @escaping @Sendable (Int64) -> Void
    ) throws {
        guard tree.isWrittenByOthers else { return try tree.write(to: name, in: directory, moved: moved) }
        let open: BytePath = "open"
        try directory.makeDirectory(open, mode: 0o700)
        defer { try? TreeRemoval.remove(open, in: directory) }
        let inner = try directory.subdirectory(open)
        try inner.chmod(".", mode: 0o777)
        try directory.chmod(".", mode: 0o711)
        try tree.write(to: name, in: inner, moved: moved)
        guard (try? inner.status(name)) != nil else { return }
        try inner.chmod(".", mode: 0o700)
        try directory.rename(open.appending(name), to: name)
    }

    private static func check(_ tree: any StoredTree, _ name: BytePath, _ directory: ContainedDirectory) throws {
        let kind: FileKind
        do { kind = try directory.status(name).kind } catch {
            throw ArtifactError.invalid("load", tree.subject, "nothing was written: \(error.cause)")
        }
        guard kind == .file || kind == .directory else {
            throw ArtifactError.invalid(
                "load", tree.subject, "what was written is a \(kind.word), neither a file nor a directory")
        }
    }
}
