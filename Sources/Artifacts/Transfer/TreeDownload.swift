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
                        try tree.write(to: name, in: directory) { meter.add(bytes: $0) }
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
