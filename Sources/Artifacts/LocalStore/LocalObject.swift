import Artifacts
import FileTrees
import SystemSupport

/// An object that is a file.
struct LocalObject: StoredObject {
    let root: ContainedDirectory
    let path: BytePath
    let length: Int64
    let subject: String

    var head: ObjectHead { ObjectHead(length: length) }

    var identity: String? {
        guard let status = try? root.status(path) else { return nil }
        return "\(status.device)-\(status.inode)-\(status.size)-\(status.modified.seconds).\(status.modified.nanoseconds)"
    }

    func share(with file: Int32) throws -> Bool {
        let source = try root.openFile(path)
        return FileCopy.share(source.raw, with: file)
    }

    func read(
        from offset: Int64, length: Int64?, validator: String?, receive: (ObjectHead) throws -> any ByteSink
    ) throws {
        let file = try root.openFile(path)
        let size = try FileStatus.of(file.raw, subject: subject).size
        let sink = try receive(ObjectHead(length: size))
        try FileReading.copy(file.raw, from: 0, length: size, into: sink, subject: subject)
    }
}

/// The objects below a folder.
struct LocalDirectory: StoredDirectory {
    let subject: String
    let entries: [StoredEntry]

    func page(after continuation: String?) throws -> StoredPage { StoredPage(entries: entries, next: nil) }
}
