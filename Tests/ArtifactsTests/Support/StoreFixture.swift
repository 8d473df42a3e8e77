import Artifacts
import Documents
import FileTrees
import Foundation
import HTTPTransport
import Synchronization
import SystemSupport
import TestSupport
import WorkflowModel

/// A store to test, with a bucket of its own.
struct StoreFixture: Sendable {
    let folder: TemporaryFolder
    let kind: StoreUnderTest
    let log = LogRecorder()

    var bucket: String { kind.bucket }

    init(_ kind: StoreUnderTest) throws {
        self.kind = kind
        folder = try TemporaryFolder()
        for (name, value) in kind.secrets { try folder.write(Data(value.utf8), to: "secret/\(name)") }
    }

    /// A new bucket on a running S3 server.
    ///
    /// - Parameter bucket: one of the test's own, that need not be there; nil for a new one.
    static func make(on kind: ServerKind, bucket: String? = nil) async throws -> StoreFixture {
        try StoreFixture(await .s3(kind, bucket: bucket))
    }

    /// The local store in a folder of its own.
    static func makeLocal() throws -> StoreFixture { try StoreFixture(.localStore) }

    /// Retries at once, so that tests need not wait.
    var context: DriverContext {
        var context = DriverContext(
            registry: kind.registry, clients: HTTPClients(HTTPClientConfiguration(trust: .system(file: kind.authority))),
            log: log.log,
            executorBackoff: Backoff(duration: 1_000_000, factor: 1, jitter: 0, steps: 5),
            secretsDirectory: path("secret"), requestBackoff: nil, spoolDirectory: path("."),
            localStore: kind.endpoint == nil ? LocalStore(folder: path("store")) : nil)
        context.uploads = UploadSettings()
        return context
    }

    /// A path in the fixture's folder.
    func path(_ name: String) -> BytePath { BytePath(folder.url.appending(path: name).path) }

    /// The store at a key.
    ///
    /// - Parameters:
    ///   - endpoint: another way to the server, e.g. a proxy.
    ///   - more: further fields of the location.
    func store(
        _ key: String, endpoint: String? = nil, context: DriverContext? = nil, _ more: JSONValue = [:]
    ) throws -> ArtifactStore {
        var context = context ?? self.context
        kind.adapt(&context, endpoint ?? kind.endpoint ?? "")
        return ArtifactStore(
            driver: try context.driver(for: try location(key, endpoint: endpoint, more), artifactName: "data"), context: context
        )
    }

    func location(_ key: String, endpoint: String? = nil, _ more: JSONValue = [:]) throws -> ArtifactLocation {
        var fields = kind.fields(key, endpoint ?? kind.endpoint ?? "store.invalid")
        for member in more.object?.members ?? [] { fields[member.name] = member.value.isNull ? nil : member.value }
        return try ArtifactLocation(document: .object(JSONObject([(kind.driver, fields)])))
    }

    /// A proxy in front of the server.
    func proxy(_ script: [FaultyProxy.Act]) throws -> FaultyProxy {
        try FaultyProxy(target: Int(kind.endpoint!.split(separator: ":")[1])!, script: script)
    }

    /// Saves bytes at a key.
    @discardableResult
    func save(_ bytes: [UInt8], _ key: String, endpoint: String? = nil, _ more: JSONValue = [:]) throws -> TransferRecord {
        let file = folder.url.appending(path: "to-save-\(UUID().uuidString)")
        try Data(bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try store(key, endpoint: endpoint, more).upload.file(at: BytePath(file.path))
    }

    /// The bytes at a key, streamed.
    func load(_ key: String, endpoint: String? = nil, _ more: JSONValue = [:]) throws -> [UInt8] {
        try store(key, endpoint: endpoint, more).load()
    }

    /// Loads a key into a file of the fixture's folder; one that is there already goes.
    @discardableResult
    func load(_ key: String, into name: String) throws -> TransferRecord {
        let store = try store(key)
        switch try store.find() {
        case .object(let object): return try store.download.file(object, at: path(name))
        case .tree(let tree):
            try? FileManager.default.removeItem(at: folder.url.appending(path: name))
            return try store.download.tree(tree, at: BytePath(name), in: ContainedDirectory(path(".")))
        case .directory: throw NoObject()
        }
    }

    struct NoObject: Error {}
}

/// Keeps what it is given; quicker than byte by byte, also in a debug build.
final class CollectingSink: ByteSink {
    private(set) var bytes: [UInt8] = []

    func write(_ span: Span<UInt8>) { span.withUnsafeBufferPointer { bytes.append(contentsOf: $0) } }
}

/// Keeps what is logged.
final class LogRecorder: Sendable {
    private let bytes = Mutex<[UInt8]>([])

    var log: Log { Log(level: .debug, sink: { line in self.bytes.withLock { $0 += line } }) }
    var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }
}

/// Bytes that differ everywhere and are the same each time.
func patternBytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    var bytes = [UInt8](repeating: 0, count: count)
    bytes.withUnsafeMutableBytes { buffer in
        var index = 0
        while index + 8 <= count {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            buffer.storeBytes(of: state, toByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < count {
            buffer[index] = UInt8(truncatingIfNeeded: state >> UInt64(8 * (index % 8)))
            index += 1
        }
    }
    return bytes
}

/// A stream of bytes that gives pieces of odd sizes.
final class PatternSource: ByteSource {
    private let bytes: [UInt8]
    private var position = 0
    private let failsAtEnd: (any Error)?

    init(_ bytes: [UInt8], failsAtEnd: (any Error)? = nil) {
        self.bytes = bytes
        self.failsAtEnd = failsAtEnd
    }

    func read(into buffer: inout MutableSpan<UInt8>) throws -> Int {
        let count = min(buffer.count, bytes.count - position, 77_777)
        if count == 0, let failsAtEnd { throw failsAtEnd }
        let start = position
        buffer.withUnsafeMutableBytes { target in
            bytes.withUnsafeBytes { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + count])) }
        }
        position += count
        return count
    }
}

extension StoreFixture {
    /// A store whose driver never answers, with the schedule of S3: for objects that tests bring along.
    func retrying(_ key: String) throws -> ArtifactStore {
        var context = context
        context.localStore = nil
        for name in ["access", "secret"] { try folder.write(Data("x".utf8), to: "secret/keys/\(name)") }
        return try store(key, context: context)
    }
}

extension ArtifactStore {
    /// The bytes at the location, streamed where that can be.
    func load() throws -> [UInt8] {
        switch try find() {
        case .object(let object):
            let sink = CollectingSink()
            try download.stream(object, into: sink)
            return sink.bytes
        case .tree(let tree):
            let folder = try TemporaryFolder()
            try download.tree(tree, at: "loaded", in: ContainedDirectory(BytePath(folder.url.path)))
            return Array(try Data(contentsOf: folder.url.appending(path: "loaded")))
        case .directory: throw StoreFixture.NoObject()
        }
    }
}
