import Documents
import FileTrees
import Foundation
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts
@testable import S3Artifacts

/// What happens on a network that fails, before a real server.
@Suite(.requires(.seaweedFS)) struct FaultTests {
    @Test func triesAgainAfterErrorsThatMayGoAway() async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        try fixture.save(patternBytes(1000), "k")
        let proxy = try fixture.proxy([.answer(status: 503), .refuse, .answer(status: 429), .answer(status: 500)])
        guard case .object(let object) = try fixture.store("k", endpoint: proxy.endpoint).find() else { return }
        #expect(object.head.length == 1000)
        #expect(proxy.connections == 5)
    }

    @Test func countsWhatIsRepeated() async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        try Data(patternBytes(1000)).write(to: fixture.folder.url.appending(path: "f"))
        let proxy = try fixture.proxy([.answer(status: 503), .answer(status: 503)])
        let record = try fixture.store("k", endpoint: proxy.endpoint).upload.file(at: fixture.path("f"))
        #expect(record.retries == 2)
        #expect(try fixture.load("k") == patternBytes(1000))
    }

    @Test func givesUpWhenTheAttemptsAreUsedUp() async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        let slowDown = "<Error><Code>SlowDown</Code><Message>Please reduce\nyour rate</Message></Error>"
        let proxy = try fixture.proxy(Array(repeating: .answer(status: 503, body: slowDown), count: 9))
        let error = #expect(throws: ArtifactError.self) {
            try fixture.store("dir/", endpoint: proxy.endpoint).find()
        }
        #expect(
            error?.message
                == "timed out waiting for the condition: list s3://\(fixture.bucket)/dir/: 503 SlowDown: Please reduce your rate"
        )
        #expect(proxy.connections == 5)
    }

    @Test func triesQuicklyWithinEachSlowAttempt() async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        var context = fixture.context
        context.executorBackoff.steps = 3
        context.requestBackoff = Backoff(duration: 1_000_000, factor: 1, jitter: 0, steps: 4)
        let proxy = try fixture.proxy(Array(repeating: .refuse, count: 50))
        #expect(throws: ArtifactError.self) { try fixture.store("k", endpoint: proxy.endpoint, context: context).find() }
        // The transport asks once more by itself where a connection that was just opened is closed without a byte.
        #expect([12, 24].contains(proxy.connections))
    }

    @Test func doesNotRepeatWhatIsRefused() async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        try fixture.save([1], "k")
        let wrong: JSONValue = ["secretKeySecret": ["name": "keys", "key": "wrong"]]
        let proxy = try fixture.proxy([])
        let error = #expect(throws: ArtifactError.self) {
            try fixture.store("k", endpoint: proxy.endpoint, wrong).find()
        }
        #expect(error?.message == "find s3://\(fixture.bucket)/k: 403 AccessDenied")
        #expect(error?.isNotFound == false)
        let listing = #expect(throws: ArtifactError.self) { try fixture.store("k/", wrong).list() }
        #expect(listing?.message.contains("403 SignatureDoesNotMatch: ") == true)
        #expect(proxy.connections == 1)
    }

    @Test func aMissingBucketIsNotAMissingObject() async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        let error = #expect(throws: ArtifactError.self) {
            try fixture.store("k", ["bucket": "no-such-bucket-here"]).find()
        }
        #expect(error?.isNotFound == false)
        #expect(error?.message.contains("404 NoSuchBucket") == true)
    }

    @Test func resumesAStreamThatBreaksOff() async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        let bytes = patternBytes(20 << 20)
        try fixture.save(bytes, "k")
        let proxy = try fixture.proxy((0..<8).map { .cut(after: 1 << 20 | $0 << 15) } + [.cut(after: 700), .refuse])
        let store = try fixture.store("k", endpoint: proxy.endpoint)
        guard case .object(let object) = try store.find() else { return }
        let sink = CollectingSink()
        let record = try store.download.stream(object, into: sink)
        // More breaks than attempts: each that brought something counts as the first.
        #expect(sink.bytes == bytes)
        #expect(record.bytes == Int64(bytes.count))
        #expect(record.retries >= 9)
    }

    @Test func resumesRangesThatBreakOff() async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        let bytes = patternBytes(40 << 20)
        try fixture.save(bytes, "k")
        let proxy = try fixture.proxy((0..<6).map { .cut(after: 2_000_000 + $0 * 77_777) })
        let store = try fixture.store("k", endpoint: proxy.endpoint)
        guard case .object(let object) = try store.find() else { return }
        try store.download.file(object, at: fixture.path("f"))
        #expect(try fixture.content("f") == Data(bytes))
        #expect(proxy.connections > 6)
    }

    @Test func endsWhenTheObjectChangesMeanwhile() async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        try fixture.save(patternBytes(5 << 20), "k")
        final class Replacing: ByteSink {
            let replace: () throws -> Void
            var isDone = false
            init(_ replace: @escaping () throws -> Void) { self.replace = replace }
            func write(_ bytes: Span<UInt8>) throws {
                if !isDone { try replace() }
                isDone = true
            }
        }
        let proxy = try fixture.proxy([.cut(after: 1 << 20)])
        let store = try fixture.store("k", endpoint: proxy.endpoint)
        guard case .object(let object) = try store.find() else { return }
        let error = #expect(throws: ArtifactError.self) {
            try store.download.stream(object, into: Replacing { try fixture.save(patternBytes(5 << 20, seed: 2), "k") })
        }
        #expect(error?.code == .changed)
    }

    @Test func aSinkThatFailsIsNotAskedAgain() async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        try fixture.save(patternBytes(3 << 20), "k")
        final class Full: ByteSink {
            var writes = 0
            func write(_ bytes: Span<UInt8>) throws {
                writes += 1
                // Even an error that looks transient.
                throw SystemError("write", "somewhere", EPIPE)
            }
        }
        let sink = Full()
        #expect(throws: SystemError.self) {
            try fixture.store("k").download.stream(fixture.object("k"), into: sink)
        }
        #expect(sink.writes == 1)
    }

    @Test func sendsPartsAgainThatBreakOff() async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        let bytes = patternBytes(40 << 20)
        try Data(bytes).write(to: fixture.folder.url.appending(path: "f"))
        let proxy = try fixture.proxy([.cutRequest(after: 3 << 20), .cutRequest(after: 1 << 20), .cutRequest(after: 300)])
        let record = try fixture.store("k", endpoint: proxy.endpoint).upload.file(at: fixture.path("f"))
        // libcurl repeats a request by itself where the connection had served another before.
        #expect(record.retries >= 1)
        #expect(record.bytes == Int64(bytes.count))
        #expect(try fixture.load("k") == bytes)
        #expect(try fixture.openUploads() == 0)
    }

    @Test func dropsThePartsOfAnUploadThatFails() async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        struct Broken: Error {}
        #expect(throws: Broken.self) {
            try fixture.store("k").upload.stream(
                PatternSource(patternBytes(30 << 20), failsAtEnd: Broken()), fileName: "k")
        }
        #expect(try fixture.openUploads() == 0)
        #expect(throws: ArtifactError.self) { try fixture.store("k").find() }
    }

    @Test func dropsThePartsOfAnUploadThatIsCalledOff() async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        try Data(patternBytes(64 << 20)).write(to: fixture.folder.url.appending(path: "f"))
        // The upload is begun and one of its parts passes; to the others the store says nothing.
        let relay = try await FailingRelay(
            to: fixture.kind.endpoint!, share: 1, kinds: ["stall"], sparing: 1, method: "PUT")
        var context = fixture.context
        context.stallTimeout = 1
        let store = try fixture.store("k", endpoint: relay.endpoint, context: context)
        let cancelled = context
        Thread.detachNewThread {
            try? eventually("the parts stall") { fixture.log.text.contains("no byte within 1 s") }
            cancelled.cancel()
        }
        let error = #expect(throws: (any Error).self) { try store.upload.file(at: fixture.path("f")) }
        // It ended because it was called off, not because the attempts were used up.
        #expect((error as? ArtifactError)?.code != .exhausted)
        #expect(try fixture.openUploads() == 0)
        #expect(!fixture.log.text.contains("were not dropped"))
        #expect(throws: ArtifactError.self) { try fixture.object("k") }
    }

    @Test func aDirectorySurvivesAFailingNetwork() async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        for index in 0..<300 {
            try fixture.folder.write(
                Data(patternBytes(2000 + index, seed: UInt64(index + 1))), to: "many/\(index % 9)/\(index)")
        }
        // Every connection breaks after a few answers, some at once.
        let script: [FaultyProxy.Act] = (0..<60).map { index in
            switch index % 4 {
            case 0: .refuse
            case 1: .answer(status: 503)
            case 2: .cutRequest(after: 5000 + 700 * index)
            default: .cut(after: 300 + 70 * index)
            }
        }
        var context = fixture.context
        context.executorBackoff.steps = 12
        let up = try fixture.proxy(script)
        let saved = try fixture.store("many", endpoint: up.endpoint, context: context).upload.directory(
            at: fixture.path("many"))
        #expect(saved.objects == 300)
        #expect(up.connections >= 60)

        let down = try fixture.proxy(script)
        let store = try fixture.store("many", endpoint: down.endpoint, context: context)
        guard case .directory(let directory) = try store.find() else { return }
        try FileManager.default.createDirectory(
            at: fixture.folder.url.appending(path: "back"), withIntermediateDirectories: true)
        let loaded = try store.download.directory(directory, into: ContainedDirectory(fixture.path("back")))
        #expect(loaded.objects == 300)
        for index in 0..<300 {
            let bytes = patternBytes(2000 + index, seed: UInt64(index + 1))
            #expect(try fixture.content("back/\(index % 9)/\(index)") == Data(bytes))
        }
    }

    @Test func namesTheFileWhoseNameNoKeyCanBe() async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        try fixture.folder.write(Data("x".utf8), to: "odd/plain")
        try SmallFile.write(fixture.path("odd").appending(BytePath(bytes: [0xE4, 0x62])), [1])
        let error = #expect(throws: ArtifactError.self) {
            try fixture.store("odd").upload.directory(at: fixture.path("odd"))
        }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains("is not UTF-8") == true)
    }

    @Test func aCancelledTransferEndsAtOnce() async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        var context = fixture.context
        context.executorBackoff.duration = 3_600_000_000_000
        let proxy = try fixture.proxy(Array(repeating: .refuse, count: 4))
        let store = try fixture.store("k", endpoint: proxy.endpoint, context: context)
        let started = ContinuousClock.now
        let cancelled = context
        Thread.detachNewThread {
            try? eventually("it has connected") { proxy.connections > 0 }
            cancelled.cancel()
        }
        #expect(throws: (any Error).self) { try store.find() }
        #expect(ContinuousClock.now - started < .seconds(600))
        #expect(throws: (any Error).self) { try store.find() }
    }

    @Test func tellsNoSecretInErrorsAndLogs() async throws {
        let fixture = try await StoreFixture.make(on: .seaweedFS)
        let canary = "canary-7f3a9c"
        try fixture.folder.write(Data(canary.utf8), to: "secret/keys/canary")
        let proxy = try fixture.proxy([.answer(status: 503), .refuse])
        let location: JSONValue = [
            "secretKeySecret": ["name": "keys", "key": "canary"], "sessionTokenSecret": ["name": "keys", "key": "canary"],
        ]
        let error = #expect(throws: (any Error).self) {
            try fixture.store("k/", endpoint: proxy.endpoint, location).list()
        }
        #expect(!errorText(error!).contains(canary))
        #expect(fixture.log.text.contains("retrying"))
        #expect(!fixture.log.text.contains(canary))
        #expect(!fixture.log.text.contains("AWS4-HMAC"))
        #expect(!"\(try fixture.store("k", location).driver)".contains(canary))
    }
}

extension StoreFixture {
    /// Uploads in the bucket that were begun and neither completed nor aborted.
    func openUploads() throws -> Int {
        guard let driver = try store("any").driver as? S3Driver else { return 0 }
        var request = S3Request("GET")
        request.query = [("uploads", "")]
        let text = String(decoding: try driver.client.send(request, "list uploads", bucket).body, as: UTF8.self)
        return text.components(separatedBy: "<UploadId>").count - 1
    }
}
