import Digests
import Documents
import FileTrees
import Foundation
import SystemSupport
import TestSupport

@testable import Artifacts

/// A stand-in for a store, and what loads and saves there: one context, so that what is learnt of the store is kept.
struct StandInFixture: Sendable {
    let server: S3StandIn
    let fixture: StoreFixture
    let context: DriverContext

    static func md5(_ bytes: [UInt8]) -> String { Digest.hash(.md5, bytes).map { hexadecimalByte($0) }.joined() }

    private static func hexadecimalByte(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

    init(
        _ objects: [String: [UInt8]] = [:],
        rule: @escaping @Sendable (S3StandIn.Request, S3StandIn) -> S3StandIn.Reply? = { _, _ in nil },
        hash: @escaping @Sendable ([UInt8]) -> String = StandInFixture.md5,
        change: (inout DriverContext) -> Void = { _ in }
    ) throws {
        server = try S3StandIn(objects, hash: hash, rule: rule)
        fixture = try StoreFixture(.s3Stub(bucket: "bkt", secrets: ["keys/access": "AK", "keys/secret": "SK"]))
        var context = fixture.context
        context.localStore = nil
        change(&context)
        self.context = context
    }

    var log: String { fixture.log.text }

    func store(_ key: String) throws -> ArtifactStore {
        try fixture.store(key, endpoint: server.endpoint, context: context, ["region": "us-east-1"])
    }

    func save(_ bytes: [UInt8], _ key: String) throws {
        let file = fixture.folder.url.appending(path: "to-save")
        try Data(bytes).write(to: file)
        try store(key).upload.file(at: BytePath(file.path))
    }

    /// As a file.
    func load(_ key: String) throws -> [UInt8] {
        let store = try store(key)
        guard case .object(let object) = try store.find() else { throw StoreFixture.NoObject() }
        try store.download.file(object, at: fixture.path("loaded"))
        return Array(try fixture.content("loaded"))
    }

    /// As a stream, begun anew where it was damaged.
    func stream(_ key: String) throws -> [UInt8] {
        let store = try store(key)
        guard case .object(let object) = try store.find() else { throw StoreFixture.NoObject() }
        return try store.repeatingDamage { evidence in
            let sink = CollectingSink()
            try store.download.stream(object, into: sink, evidence: evidence)
            return sink.bytes
        }
    }

    /// The files of a directory by their names.
    func directory(_ key: String) throws -> [String: [UInt8]] {
        let target = "dir-\(UUID().uuidString)"
        let store = try store(key)
        guard case .directory(let directory) = try store.find() else { throw StoreFixture.NoObject() }
        let url = fixture.folder.url.appending(path: target)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        try store.download.directory(directory, into: ContainedDirectory(fixture.path(target)))
        var found: [String: [UInt8]] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: url.path) {
            if let bytes = try? Data(contentsOf: url.appending(path: name)) { found[name] = Array(bytes) }
        }
        return found
    }

    /// The error of a call, which must fail.
    func failure(_ body: () throws -> Void) -> ArtifactError? {
        do {
            try body()
            return nil
        } catch { return error as? ArtifactError }
    }
}
