package import Artifacts
import Encodings
import FileTrees
import Glibc
package import SystemSupport
package import WorkflowModel

/// A folder in place of a store, for runs on one machine: objects lie byte-identical under `BUCKET/KEY`, as they
/// would in a bucket. What a file system cannot name is percent-encoded.
package struct LocalStoreDriver: ArtifactDriver {
    private let folder: BytePath
    private let bucket: String
    private let key: String

    package init(folder: BytePath, bucket: String, key: String) {
        self.folder = folder
        self.bucket = bucket
        self.key = key
    }

    package var loadedModes: LoadedModes { .ownerOnly }
    package var subject: String { "\(folder)/\(bucket)/\(key)" }
    package var needs: DriverNeeds { DriverNeeds(length: false) }

    package func schedule(for verb: ArtifactVerb) -> RetrySchedule { .once }

    // MARK: Loading

    package func find() throws -> FoundArtifact {
        guard let root = try root(), let status = try status(root) else {
            throw ArtifactError.notFound("find", subject, "no such object")
        }
        if status.kind == .file, !key.hasSuffix("/") {
            return .object(LocalObject(root: root, path: objectPath, length: status.size, subject: subject))
        }
        let objects = status.kind == .directory ? try objects(root, below: directoryPath) : []
        guard !objects.isEmpty else { throw ArtifactError.notFound("find", subject, "no such object") }
        return .directory(LocalDirectory(subject: subject, entries: objects))
    }

    package func isDirectory() throws -> Bool {
        guard let root = try root(), try status(root)?.kind == .directory else { return false }
        return try !objects(root, below: directoryPath).isEmpty
    }

    package func list(after continuation: String?) throws -> KeyPage {
        guard let root = try root(), let status = try status(root) else {
            throw ArtifactError.notFound("list", subject, "no such object")
        }
        guard status.kind == .directory else { return KeyPage(keys: [], next: nil) }
        let prefix = key.isEmpty ? BytePath("") : BytePath(key).cleaned
        let keys = try objects(root, below: directoryPath).map { prefix.appending($0.name).text }
        guard !keys.isEmpty else { throw ArtifactError.notFound("list", subject, "no such object") }
        return KeyPage(keys: keys, next: nil)
    }

    // MARK: Saving

    package func put(_ content: ObjectContent, at relative: BytePath?) throws {
        let root = try SharedPlace(making: folder, mode: 0o755).directory
        let path = relative.map { Self.path(bucket, BytePath(key).appending($0).cleaned) } ?? objectPath
        if path.components.count > 1 {
            // Whoever may write into the bucket may write below it: steps have users of their own.
            let home = try? root.status(BytePath(bytes: LocalStoreNames.encode(Array(bucket.utf8)[...])))
            try root.makeDirectories(path.directory, mode: home?.permissions ?? 0o755)
        }
        // Written under a temporary name, so that no reader sees half an object.
        let (parent, name) = try root.parent(of: path)
        Leftovers.sweepOnce(parent, Self.aside)
        let file = try TemporaryFile.make(in: parent, names: Self.aside, mode: 0o644, subject: root.subject(path))
        do {
            try Self.write(content.body, to: file.file.raw, subject: root.subject(path))
            try file.publish(as: name, mode: nil)
        } catch {
            file.remove()
            throw error
        }
    }

    private static func write(_ body: ObjectBody, to raw: Int32, subject: String) throws {
        switch body {
        case .bytes(let bytes): try DescriptorIO.write(raw, bytes.span, subject: subject)
        case .file(let stretch):
            let size = try FileStatus.of(stretch.file.descriptor.raw, subject: stretch.file.subject).size
            if stretch.offset == 0, stretch.length == size, FileCopy.share(stretch.file.descriptor.raw, with: raw) { return }
            let sink = DescriptorSink(raw, subject: subject)
            try FileReading.copy(
                stretch.file.descriptor.raw, from: stretch.offset, length: stretch.length, into: sink,
                subject: stretch.file.subject)
        case .stream(let source): try source.forEachBlock { try DescriptorIO.write(raw, $0, subject: subject) }
        }
    }

    // MARK: Deleting

    package func delete(after continuation: String?) throws -> String? {
        guard !key.isEmpty else { throw ArtifactError.invalid("delete", subject, "the key is empty") }
        guard let root = try root() else { return nil }
        try TreeRemoval.remove(objectPath, in: root)
        // As in a real store, an empty folder is none.
        var parent = objectPath.directory
        while parent.components.count > 1, (try? root.removeDirectory(parent)) != nil { parent = parent.directory }
        return nil
    }

    // MARK: Paths

    /// No key is stored under such a name: a percent sign in a key is encoded.
    static let asidePrefix = "%aside-"
    static let aside = TemporaryNames(prefix: asidePrefix)

    private var objectPath: BytePath { Self.path(bucket, BytePath(key.hasSuffix("/") ? String(key.dropLast()) : key)) }
    private var directoryPath: BytePath { Self.path(bucket, key.isEmpty ? "" : BytePath(key).cleaned) }

    private static func path(_ bucket: String, _ key: BytePath) -> BytePath {
        let bucket = LocalStoreNames.encode(Array(bucket.utf8)[...])
        if key.isEmpty { return BytePath(bytes: bucket) }
        return BytePath(bytes: bucket).appending(LocalStore.path(ofKey: key.bytes))
    }

    /// nil while nothing was ever stored.
    private func root() throws -> ContainedDirectory? {
        do { return try SharedPlace(folder).directory } catch {
            guard error.code == ENOENT else { throw error }
            return nil
        }
    }

    private func status(_ root: ContainedDirectory) throws -> FileStatus? {
        let path = key.hasSuffix("/") || key.isEmpty ? directoryPath : objectPath
        do { return try root.status(path) } catch {
            guard [ENOENT, ENOTDIR].contains(error.code) else { throw error }
            return nil
        }
    }

    private func objects(_ root: ContainedDirectory, below path: BytePath) throws -> [StoredEntry] {
        var entries: [StoredEntry] = []
        let walk = try TreeWalk(try root.openDirectory(path), path: root.path.appending(path))
        while let entry = try walk.next() {
            if entry.status.kind == .directory || entry.name.bytes.starts(with: Array(Self.asidePrefix.utf8)) { continue }
            guard entry.status.kind == .file else {
                throw ArtifactError.invalid(
                    "list", subject, "'\(walk.subject(entry))' is a \(entry.status.kind.word), not an object")
            }
            let name = entry.path.components.map { LocalStoreNames.decode($0.bytes) }.joined(separator: [UInt8(ascii: "/")])
            if name.contains(0) {
                throw ArtifactError.invalid(
                    "list", subject, "the key of '\(walk.subject(entry))' has a NUL, as no file's name can")
            }
            let full = path.appending(entry.path)
            entries.append(
                StoredEntry(
                    name: BytePath(bytes: Array(name)),
                    object: LocalObject(
                        root: root, path: full, length: entry.status.size, subject: root.subject(full))))
        }
        return entries
    }
}

extension LocalStoreDriver {
    /// The driver for a location whose objects are in a folder of this machine; nil for all others.
    package static func serving(_ location: ArtifactLocation, context: DriverContext) -> LocalStoreDriver? {
        guard let store = context.localStore, store.standsIn(for: location), let place = LocalStore.place(of: location) else {
            return nil
        }
        return LocalStoreDriver(folder: store.folder, bucket: place.bucket, key: place.key)
    }
}

/// Components of keys as file names, and back.
enum LocalStoreNames {
    /// A name no file system refuses: `.` and `..` and what holds NUL or `%` is percent-encoded, an empty one is `%`.
    static func encode(_ component: ArraySlice<UInt8>) -> [UInt8] {
        if component.isEmpty { return [UInt8(ascii: "%")] }
        let isDots = component.count <= 2 && component.allSatisfy { $0 == UInt8(ascii: ".") }
        var name: [UInt8] = []
        for byte in component {
            if byte == 0 || byte == UInt8(ascii: "%") || isDots {
                name += Array("%\(hexadecimal([byte]).uppercased())".utf8)
            } else {
                name.append(byte)
            }
        }
        return name
    }

    static func decode(_ name: [UInt8]) -> [UInt8] { name == [UInt8(ascii: "%")] ? [] : PercentEncoding.decode(name) }
}
