import FileTrees
import Glibc
import SystemSupport

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
        walk.onVanished = { path in Self.tellVanished(path, store) }
        try WorkQueue.run(width: budget.usefulRequests(meter.latency), capacity: 64) { push in
            while let entry = try walk.next() {
                switch entry.status.kind {
                case .file:
                    guard let file = try open(walk, entry) else {
                        Self.tellVanished(walk.subject(entry), store)
                        continue
                    }
                    let status = try FileStatus.of(file.descriptor.raw, subject: file.subject)
                    guard status.kind == .file else {
                        Self.tellVanished(file.subject, store)
                        continue
                    }
                    try push(Item(path: entry.path, name: entry.name, file: file, length: status.size))
                case .directory: break
                case .symlink: links += 1
                default:
                    store.context.log.warn(
                        "left out of the artifact: neither file nor directory",
                        ["path": .text(walk.subject(entry)), "kind": .text(entry.status.kind.word)])
                }
            }
        } consume: { item in
            try budget.withObject(of: item.length) { try send(item) }
        }
        if links > 0 {
            store.context.log.info(
                "left symbolic links out of the artifact", ["artifact": .text(store.subject), "count": .count(links)])
        }
    }

    /// nil for what has gone, or has become something else, since it was listed.
    private func open(_ walk: TreeWalk, _ entry: TreeWalk.Entry) throws -> OpenFile? {
        func opened() throws -> OpenFile { OpenFile(try walk.openFile(entry), subject: walk.subject(entry)) }
        do { return try opened() } catch let error as SystemError where [ENOENT, ELOOP, ENXIO].contains(error.code) {
            return nil
        }
    }

    /// Sends a file as long as it is: one that was cut meanwhile is sent as it is now. What grows is sent as it was.
    private func send(_ item: Item) throws {
        var length = item.length
        while true {
            do {
                return try upload.send(
                    FileStretch(item.file, offset: 0, length: length), at: item.path, fileName: item.name, meter, isAlone: false
                )
            } catch {
                let now = try FileStatus.of(item.file.descriptor.raw, subject: item.file.subject).size
                guard now < length, !upload.store.context.cancellation.isCancelled else { throw error }
                upload.store.context.log.warn(
                    "a file became shorter while it was being saved: saved as it is now",
                    ["path": .text(item.file.subject), "bytes": .integer(now)])
                length = now
            }
        }
    }

    private static func tellVanished(_ path: String, _ store: ArtifactStore) {
        store.context.log.warn(
            "left out of the artifact: it vanished while it was being saved",
            ["artifact": .text(store.subject), "path": .text(path)])
    }
}
