import ExecutorCore
import FileTrees

/// Saves the files of a directory side by side.
struct DirectoryUpload {
    let upload: ArtifactUpload
    let meter: TransferMeter

    /// An open file on its way; few wait, since each holds a descriptor.
    private struct Item: Sendable {
        let path: BytePath
        let name: BytePath
        let file: OpenFile
        let length: Int64
    }

    func run(_ walk: TreeWalk) throws {
        let store = upload.store
        var links = 0
        let budget = store.context.budget
        try WorkQueue.run(width: budget.usefulRequests(meter.latency), capacity: 64) { push in
            while let entry = try walk.next() {
                switch entry.status.kind {
                case .file:
                    let file = OpenFile(try walk.openFile(entry), subject: walk.subject(entry))
                    let status = try FileStatus.of(file.descriptor.raw, subject: file.subject)
                    guard status.kind == .file else { continue }
                    try push(Item(path: entry.path, name: entry.name, file: file, length: status.size))
                case .directory: break
                case .symlink: links += 1
                default:
                    store.context.log.warn(
                        "left out of the artifact: neither file nor directory",
                        ["path": .text(walk.subject(entry)), "kind": .text(entry.status.kind.word)])
                }
            }
        } consume: { [upload, meter] item in
            try budget.withObject(of: item.length) {
                try upload.send(
                    FileStretch(item.file, offset: 0, length: item.length), at: item.path, fileName: item.name, meter)
            }
        }
        if links > 0 {
            store.context.log.info(
                "left symbolic links out of the artifact", ["artifact": .text(store.subject), "count": .count(links)])
        }
    }
}
