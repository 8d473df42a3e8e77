import ExecutorCore
import FileTrees
import Glibc
import Synchronization

/// Loads the objects of a directory side by side.
struct DirectoryDownload: Sendable {
    let download: ArtifactDownload
    let directory: any StoredDirectory
    let root: ContainedDirectory
    let meter: TransferMeter
    private let made = MadeDirectories()

    init(download: ArtifactDownload, directory: any StoredDirectory, root: ContainedDirectory, meter: TransferMeter) {
        self.download = download
        self.directory = directory
        self.root = root
        self.meter = meter
    }

    func run() throws {
        let store = download.store
        let budget = store.context.budget
        try WorkQueue.run(width: budget.usefulRequests(meter.latency), capacity: 1000) { push in
            var next: String?
            repeat {
                let page = try store.retry(.load, meter).run {
                    try budget.withConnection { try meter.timed { try directory.page(after: next) } }
                }
                for entry in page.entries {
                    try check(entry.name)
                    try push(entry)
                }
                next = page.next
            } while next != nil
        } consume: { entry in
            try budget.withObject(of: entry.object.head.length) { try load(entry) }
        }
    }

    /// Refuses names that lead out of the directory: stores take any.
    private func check(_ name: BytePath) throws {
        let parts = name.components
        if name.isAbsolute || parts.isEmpty || parts.contains("..") || name.bytes.last == UInt8(ascii: "/") {
            throw ArtifactError.invalid("load", directory.subject, "the object name '\(name)' leads out of the directory")
        }
    }

    private func load(_ entry: StoredEntry) throws {
        let parts = entry.name.components
        if parts.count > 1 {
            try made.once(parts.dropLast().reduce(BytePath("")) { $0.appending($1) }) { path in
                try root.makeDirectories(path, mode: download.store.driver.loadedModes.directory)
            }
        }
        let file = OpenFile(
            try root.open(entry.name, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: download.store.driver.loadedModes.file),
            subject: root.subject(entry.name))
        try download.file(
            entry.object, into: file, meter, rangesAtOnce: ArtifactDownload.rangesAtOnceInDirectory)
    }
}

/// Remembers which directories were made, to spare the calls for each file; not all of them for ever.
private final class MadeDirectories: Sendable {
    private let known = Mutex<Set<BytePath>>([])
    private static let limit = 4096

    func once(_ path: BytePath, _ make: (BytePath) throws -> Void) throws {
        if known.withLock({ $0.contains(path) }) { return }
        try make(path)
        known.withLock { known in
            if known.count >= Self.limit { known = [] }
            known.insert(path)
        }
    }
}
