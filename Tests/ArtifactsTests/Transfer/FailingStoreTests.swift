import Documents
import FileTrees
import Foundation
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts

/// A store behind which everything goes wrong now and then, and what must not be tried again.
@Suite(.requires(.seaweedFS)) struct FailingStoreTests {
    private static let kinds = ["408", "429", "500", "502", "503", "expired", "reset", "stall", "end"]

    /// The directory succeeds, and what had worked is not sent again.
    @Test func aDirectoryOfManyFilesSucceedsWhereRequestsFail() async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        let count = 2000
        for index in 0..<count {
            try fixture.folder.write(
                Data(patternBytes(500 + index, seed: UInt64(index + 1))), to: "many/\(index % 19)/\(index)")
        }
        let relay = try await FailingRelay(to: fixture.kind.endpoint!, share: 0.05, kinds: Self.kinds)
        var context = fixture.context
        context.stallTimeout = 1
        let saved = try fixture.store("many", endpoint: relay.endpoint, context: context).upload.directory(
            at: fixture.path("many"))
        #expect(saved.objects == count)
        let loaded = try fixture.loadDirectory("many", endpoint: relay.endpoint, into: "back", context: context)
        #expect(loaded?.objects == count)
        for index in 0..<count {
            let bytes = patternBytes(500 + index, seed: UInt64(index + 1))
            #expect(try fixture.content("back/\(index % 19)/\(index)") == Data(bytes))
        }
        let statistics = try await relay.statistics()
        for kind in Self.kinds { #expect(statistics.faults[kind, default: 0] > 5, "\(kind)") }
        for method in ["PUT", "GET"] {
            let sent = statistics.requests.filter { $0.key.hasPrefix("\(method) /\(fixture.bucket)/many/") }
            #expect(sent.count == count)
            #expect(sent.values.reduce(0, +) <= count * 12 / 10)
        }
        // No request is made only to look.
        #expect(!statistics.requests.keys.contains { $0.hasPrefix("HEAD /\(fixture.bucket)/many/") })
    }

    /// Silence does not last for ever, and is told of meanwhile.
    @Test func readsOnWhereATransferStalls() async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        let bytes = patternBytes(3 << 20)
        try fixture.save(bytes, "k")
        let proxy = try fixture.proxy([.stall(after: 1 << 20)])
        var context = fixture.context
        context.stallTimeout = 1
        context.progressInterval = 100_000_000
        let store = try fixture.store("k", endpoint: proxy.endpoint, context: context)
        guard case .object(let object) = try store.find() else { throw StoreFixture.NoObject() }
        let sink = CollectingSink()
        let record = try store.download.stream(object, into: sink)
        #expect(sink.bytes == bytes)
        #expect(record.retries == 1)
        #expect(proxy.answered < bytes.count + 100_000)
        #expect(fixture.log.text.contains("no byte within 1 s"))
        let told = fixture.log.text.split(separator: "\n").filter { $0.contains("msg=loading") }
        #expect(told.count >= 5)
        #expect(told.allSatisfy { $0.contains("total=3145728") && $0.contains("remainingSeconds=") })
    }

    @Test func sendsAgainWhereASaveStalls() async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        let proxy = try fixture.proxy([.stall(after: 0), .stall(after: 10)])
        try Data(patternBytes(1000)).write(to: fixture.folder.url.appending(path: "f"))
        var context = fixture.context
        context.stallTimeout = 1
        let record = try fixture.store("k", endpoint: proxy.endpoint, context: context).upload.file(at: fixture.path("f"))
        #expect(record.retries == 2)
        #expect(try fixture.load("k") == patternBytes(1000))
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let status: Int
        let word: String
        var testDescription: String { "\(status) \(word)" }
    }

    /// What will not go away is not tried again.
    @Test(arguments: [
        Refusal(status: 403, word: "AccessDenied"), Refusal(status: 403, word: "InvalidAccessKeyId"),
        Refusal(status: 403, word: "SignatureDoesNotMatch"), Refusal(status: 404, word: "NoSuchBucket"),
        Refusal(status: 404, word: "NoSuchKey"), Refusal(status: 400, word: "InvalidArgument"),
        Refusal(status: 405, word: "MethodNotAllowed"), Refusal(status: 409, word: "InvalidBucketState"),
        Refusal(status: 501, word: "NotImplemented"),
    ])
    func failsAtOnceWhereTheStoreRefuses(refusal: Refusal) async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        let answer = FaultyProxy.Act.answer(
            status: refusal.status, body: "<Error><Code>\(refusal.word)</Code><Message>No.</Message></Error>")
        try Data(patternBytes(1000)).write(to: fixture.folder.url.appending(path: "f"))
        let verbs: [(ArtifactStore) throws -> Void] = [
            { try $0.upload.file(at: fixture.path("f")) }, { _ = try $0.list() },
        ]
        for verb in verbs {
            let proxy = try fixture.proxy(Array(repeating: answer, count: 20))
            // The region is told, so that a refusal does not make the client ask for it.
            let error = #expect(throws: ArtifactError.self) {
                try verb(fixture.store("k/", endpoint: proxy.endpoint, ["region": "us-east-1"]))
            }
            #expect(error?.isTransient == false)
            #expect(error?.message.contains("\(refusal.status) \(refusal.word)") == true)
            // Some of these may be because of what not every store knows: that is left out, once each.
            let attempts = ["InvalidArgument": 3, "NotImplemented": 3, "MethodNotAllowed": 2][refusal.word] ?? 1
            #expect(proxy.connections == attempts)
        }
        #expect(!fixture.log.text.contains("retrying"))
    }
}
