import Archiving
import ArtifactRegistry
import Artifacts
import Digests
import Documents
import FileTrees
import Foundation
import HTTPTransport
import SystemSupport
import TestSupport
import Testing
import WorkflowModel

@testable import Executor

/// Inputs from a store that damages what it sends.
@Suite struct ArtifactLoaderTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "loader-\(UUID().uuidString)")

    private static func md5(_ bytes: [UInt8]) -> String {
        Digest.hash(.md5, bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func path(_ name: String) -> BytePath { BytePath(folder.appending(path: name).path) }

    /// A gzipped tar of two files.
    private func archive() throws -> [UInt8] {
        let tree = folder.appending(path: "tree")
        try FileManager.default.createDirectory(at: tree, withIntermediateDirectories: true)
        // Nothing that compression could shrink: a changed byte is seen late.
        let noise = (0..<200_000).map { _ in UInt8.random(in: 0...255) }
        try Data(noise).write(to: tree.appending(path: "a"))
        try Data("B".utf8).write(to: tree.appending(path: "b"))
        let sink = MemorySink()
        try TarGzip.pack(path("tree"), into: sink, options: PackOptions(threads: 1, userNames: .none))
        return sink.bytes
    }

    private func load(_ server: S3StandIn, archive: JSONValue?, steps: Int = 5) throws {
        for name in ["access", "secret"] {
            let keys = folder.appending(path: "secret/keys")
            try FileManager.default.createDirectory(at: keys, withIntermediateDirectories: true)
            try Data("x".utf8).write(to: keys.appending(path: name))
        }
        var artifact: JSONValue = [
            "name": "data", "path": "/vol/in",
            "s3": [
                "endpoint": .string(server.endpoint), "bucket": "bkt", "key": "k", "insecure": true, "region": "us-east-1",
                "accessKeySecret": ["name": "keys", "key": "access"], "secretKeySecret": ["name": "keys", "key": "secret"],
            ],
        ]
        if let archive { artifact["archive"] = archive }
        let document: JSONValue = [
            "container": ["image": "x", "volumeMounts": [["name": "v", "mountPath": "/vol"]]],
            "inputs": ["artifacts": [artifact]],
        ]
        let template = try Template.load(from: document.serialized())
        var paths = ExecutorPaths()
        paths.mirror = path("mirror")
        let plan = try #require(try InputPlan(template.inputArtifacts[0], index: 0, template: template, paths: paths))
        let drivers = DriverContext(
            registry: ArtifactDrivers(), clients: HTTPClients(HTTPClientConfiguration()), log: .silent,
            executorBackoff: Backoff(duration: 1_000_000, factor: 1, jitter: 0, steps: steps),
            secretsDirectory: path("secret"), requestBackoff: nil)
        try ArtifactLoader(drivers: drivers, unpacking: UnpackOptions(), log: .silent).load(plan)
    }

    private func names() -> [String] {
        (try? FileManager.default.subpathsOfDirectory(atPath: path("mirror").text).sorted()) ?? []
    }

    private static func damaged(_ bytes: [UInt8], at index: Int) -> [UInt8] {
        var bytes = bytes
        bytes[index] ^= 0xFF
        return bytes
    }

    /// Where the damage lies: in the header of gzip, in the middle, and in the checksum at the end.
    @Test(arguments: [0, 1, 2], ["none", "tar", "nothing"]) func loadsAgainWhatCameDamaged(place: Int, strategy: String) throws
    {
        defer { try? FileManager.default.removeItem(at: folder) }
        let bytes = try archive()
        let index = [5, bytes.count / 2, bytes.count - 6][place]
        let server = try S3StandIn(["k": bytes], hash: Self.md5) { request, server in
            guard request.operation == "get", server.count("get") == 1 else { return nil }
            return .init(headers: ["ETag: \(server.etag(bytes))"], Self.damaged(bytes, at: index))
        }
        defer { server.stop() }
        try load(server, archive: strategy == "none" ? ["none": [:]] : strategy == "tar" ? ["tar": [:]] : nil)
        #expect(names() == (strategy == "none" ? ["vol", "vol/in"] : ["vol", "vol/in", "vol/in/a", "vol/in/b"]))
        #expect(server.count("get") == 2)
    }

    @Test(arguments: ["none", "tar", "nothing"]) func givesUpOnWhatIsDamagedAgainAndAgain(strategy: String) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let bytes = try archive()
        let server = try S3StandIn(["k": bytes], hash: Self.md5) { request, server in
            guard request.operation == "get" else { return nil }
            return .init(
                headers: ["x-amz-checksum-crc32c: AAAAAA=="], Self.damaged(bytes, at: bytes.count - 1 - server.count("get")))
        }
        defer { server.stop() }
        let archive: JSONValue? = strategy == "none" ? ["none": [:]] : strategy == "tar" ? ["tar": [:]] : nil
        #expect(throws: (any Error).self) { try load(server, archive: archive) }
        #expect((2...3).contains(server.count("get")))
        #expect(names() == ["vol"])
    }

    /// An archive that is broken in its store is fetched twice, and then told of as what it is.
    @Test func tellsOfAnArchiveThatIsBrokenInItsStore() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let bytes = Array(try archive().dropLast(1000))
        let server = try S3StandIn(["k": bytes], hash: Self.md5)
        defer { server.stop() }
        let error = #expect(throws: (any Error).self) { try load(server, archive: ["tar": [:]]) }
        #expect(error.map { errorText($0) }?.contains("unexpected EOF") == true)
        #expect(server.count("get") == 2)
        #expect(names() == ["vol"])
    }
}
