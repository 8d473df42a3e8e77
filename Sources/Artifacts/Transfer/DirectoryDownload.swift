import FileTrees
import Glibc
import Synchronization
import SystemSupport

/// Loads the objects of a directory side by side.
struct DirectoryDownload: Sendable {
    let download: ArtifactDownload
    let directory: any StoredDirectory
    let root: ContainedDirectory
    let meter: TransferMeter
    private let made = MadeDirectories()
    private let names: NamesInDirectory

    init(download: ArtifactDownload, directory: any StoredDirectory, root: ContainedDirectory, meter: TransferMeter) {
        self.download = download
        self.directory = directory
        self.root = root
        self.meter = meter
        names = NamesInDirectory(foldsCase: NamesInDirectory.foldsCase(root))
    }

    /// An object, and the path beneath the directory that its name means.
    private struct Item: Sendable {
        let entry: StoredEntry
        let path: BytePath
    }

    func run() throws {
        let store = download.store
        let budget = store.context.budget
        try WorkQueue.run(width: budget.usefulRequests(meter.latency), capacity: 1000) { push in
            var position = PagePosition()
            var before: [BytePath: StoredEntry] = [:]
            repeat {
                let page = try store.retry(.load, meter).run {
                    try budget.withConnection { try meter.timed { try directory.page(after: position.token) } }
                }
                for entry in try new(in: page, &before) {
                    let path = try path(of: entry.name)
                    if let other = names.claim(path, for: entry.name) { throw oneFile(entry, other, path) }
                    try push(Item(entry: entry, path: path))
                }
                try position.advance(to: page.next, "load", directory.subject)
            } while position.token != nil
        } consume: { item in
            try budget.withObject(of: item.entry.object.head.length) { try load(item) }
        }
    }

    /// The entries of a page but those that it has twice or shares with the page before: pages may overlap.
    ///
    /// - Parameter before: the entries of the page before; afterwards those of this one.
    private func new(in page: StoredPage, _ before: inout [BytePath: StoredEntry]) throws -> [StoredEntry] {
        var known: [BytePath: StoredEntry] = [:]
        let entries = page.entries.filter { entry in
            defer { known[entry.name] = entry }
            guard let other = known[entry.name] ?? before[entry.name] else { return true }
            return other.object.head.length != entry.object.head.length
                || other.object.head.validator != entry.object.head.validator
        }
        if entries.isEmpty, !page.entries.isEmpty, page.next != nil {
            throw ArtifactError.unintelligible("load", directory.subject, "the store lists the same keys again and again")
        }
        before = known
        return entries
    }

    /// The path that a name means, as the reference joins it (contract 03 §6.1): doubled slashes and `.` count for nothing, `..`
    /// takes back what stands before it.
    ///
    /// - Throws: for names that lead out of the directory, or name no file: stores take any.
    private func path(of name: BytePath) throws -> BytePath {
        let parts = BytePath.joining(name.components[...]).cleaned.components
        if parts.contains("..") {
            throw ArtifactError.invalid("load", directory.subject, "the object name '\(name)' leads out of the directory")
        }
        if parts.isEmpty || name.bytes.last == UInt8(ascii: "/") {
            throw ArtifactError.invalid("load", directory.subject, "the object name '\(name)' cannot be a file name")
        }
        return BytePath.joining(parts[...])
    }

    private func load(_ item: Item) throws {
        let parts = item.path.components
        if parts.count > 1 {
            let parent = BytePath.joining(parts.dropLast())
            do {
                try made.once(parent) { path in
                    try root.makeDirectories(path, mode: download.store.driver.loadedModes.directory)
                }
            } catch let error as SystemError where [ENOTDIR, EEXIST].contains(error.code) {
                for count in 1..<parts.count {
                    let above = BytePath.joining(parts[..<count])
                    guard (try? root.status(above).kind) == .file else { continue }
                    throw fileAndDirectory(item.entry, names.name(of: above) ?? above)
                }
                throw error
            }
        }
        let file: OpenFile
        do { file = try create(item.path) } catch let error as SystemError where [EEXIST, EISDIR].contains(error.code) {
            throw try taken(item) ?? error
        }
        try download.file(
            item.entry.object, into: file, meter, rangesAtOnce: ArtifactDownload.rangesAtOnceInDirectory)
    }

    /// Makes a file whose name nothing can have yet but another object.
    private func create(_ path: BytePath) throws -> OpenFile {
        OpenFile(
            try root.open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: download.store.driver.loadedModes.file),
            subject: root.subject(path))
    }

    // MARK: Names that meet

    /// The error for a file whose name is taken; nil where no object has taken it.
    private func taken(_ item: Item) throws -> ArtifactError? {
        let status = try root.status(item.path)
        if status.kind == .directory { return firstFile(below: item.path).map { fileAndDirectory(item.entry, $0) } }
        guard status.kind == .file else { return nil }
        if let other = names.name(of: item.path), other != item.entry.name { return oneFile(item.entry, other, item.path) }
        if item.path != item.entry.name { return oneFile(item.entry, item.path, item.path) }
        return .unintelligible("load", item.entry.object.subject, "the store lists this key twice")
    }

    private func firstFile(below path: BytePath) -> BytePath? {
        guard let folder = try? root.openDirectory(path), let walk = try? TreeWalk(folder, path: root.path.appending(path))
        else {
            return nil
        }
        while let entry = try? walk.next() {
            let full = path.appending(entry.path)
            if entry.status.kind == .file { return names.name(of: full) ?? full }
        }
        return path.suffixed("/")
    }

    private func oneFile(_ entry: StoredEntry, _ other: BytePath, _ path: BytePath) -> ArtifactError {
        .invalid(
            "load", directory.subject,
            "the keys '\(key(of: other, like: entry))' and '\(entry.object.subject)' are one file, '\(path)'")
    }

    private func fileAndDirectory(_ entry: StoredEntry, _ other: BytePath) -> ArtifactError {
        .invalid(
            "load", directory.subject,
            "of the keys '\(key(of: other, like: entry))' and '\(entry.object.subject)' one would have to be a file and a directory at once"
        )
    }

    /// The full key of another name, for messages.
    private func key(of other: BytePath, like entry: StoredEntry) -> String {
        let subject = entry.object.subject
        return subject.hasSuffix(entry.name.text) ? subject.dropLast(entry.name.text.count) + other.text : other.text
    }
}

/// Which names of objects the paths in a directory belong to. Only those that are not spelt like their path are kept, as there may
/// be millions, unless the file system takes upper and lower case for the same.
final class NamesInDirectory: Sendable {
    private struct State {
        var names: [BytePath: BytePath] = [:]
        /// By paths in lower case; compared as Unicode's equivalence has it.
        var folded: [String: (path: BytePath, name: BytePath)] = [:]
    }
    private let state = Mutex(State())
    private let foldsCase: Bool

    init(foldsCase: Bool) { self.foldsCase = foldsCase }

    /// Notes that a name means a path.
    ///
    /// - Returns: another name, noted before, that means the same file, or a directory in another spelling.
    func claim(_ path: BytePath, for name: BytePath) -> BytePath? {
        guard foldsCase || path != name else { return nil }
        return state.withLock { state in
            if path != name {
                if let other = state.names[path], other != name { return other }
                state.names[path] = name
            }
            guard foldsCase else { return nil }
            let parts = path.components
            for count in 1...max(1, parts.count) {
                let prefix = BytePath.joining(parts[..<min(count, parts.count)])
                let key = prefix.text.lowercased()
                if let known = state.folded[key] {
                    if known.path != prefix { return known.name }
                } else {
                    state.folded[key] = (prefix, name)
                }
            }
            return nil
        }
    }

    /// The name that was noted for a path; nil for none that differs from it.
    func name(of path: BytePath) -> BytePath? { state.withLock { $0.names[path] } }

    /// Whether a directory takes names for the same that differ in case only.
    static func foldsCase(_ root: ContainedDirectory) -> Bool {
        let random = UInt64.random(in: 0...UInt64.max)
        let upper = BytePath(".argoexec-CASE-\(random)")
        guard let file = try? root.createFile(upper, mode: 0o600) else { return false }
        defer { try? root.unlink(upper) }
        guard let made = try? FileStatus.of(file.raw, subject: upper.text),
            let seen = try? root.status(BytePath(".argoexec-case-\(random)"))
        else { return false }
        return made.inode == seen.inode
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
