import Documents
import Foundation
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts

/// Buckets made when they are not there (contract 03 §6.1; 05 C23).
@Suite struct S3BucketTests {
    /// The region is told, so that a refusal does not make the client ask for it.
    private static let create: JSONValue = ["createBucketIfNotPresent": [:], "region": "us-east-1"]

    private func newName() -> String { "made-\(UUID().uuidString.lowercased())" }

    /// A store that answers requests without keys as told, in turn, and any PUT of an object well.
    private func requests(
        _ answers: [FaultyProxy.Act], _ fields: JSONValue
    ) throws -> (heads: [String], error: (any Error)?) {
        let fixture = try StoreFixture(.s3Stub(bucket: "bkt", secrets: ["keys/access": "AK", "keys/secret": "SK"]))
        let proxy = try FaultyProxy(target: 0, script: answers + [.answer(status: 200, headers: ["ETag: \"stored\""])])
        var context = fixture.context
        context.localStore = nil
        try Data([1]).write(to: fixture.folder.url.appending(path: "f"))
        var failure: (any Error)?
        do {
            try fixture.store("k", endpoint: proxy.endpoint, context: context, fields).upload.file(at: fixture.path("f"))
        } catch { failure = error }
        return (proxy.heads, failure)
    }

    private func lines(_ heads: [String]) -> [String] {
        heads.map { $0.prefix { $0 != "\r\n" }.replacingOccurrences(of: " HTTP/1.1", with: "") }
    }

    @Test func isLookedForFirst() throws {
        let there = try requests([.answer(status: 200)], Self.create)
        #expect(lines(there.heads) == ["HEAD /bkt", "PUT /bkt/k"])
        #expect(there.error == nil)
        // Whoever may not look is told nothing of it.
        #expect(try lines(requests([.answer(status: 403)], Self.create).heads) == ["HEAD /bkt", "PUT /bkt/k"])
        #expect(try lines(requests([], [:]).heads) == ["PUT /bkt/k"])
    }

    @Test func isMadeWhereTheLocationSays() throws {
        let made = try requests(
            [.answer(status: 404), .answer(status: 200)],
            ["createBucketIfNotPresent": ["objectLocking": true], "region": "eu-central-1"])
        #expect(lines(made.heads) == ["HEAD /bkt", "PUT /bkt", "PUT /bkt/k"])
        #expect(made.heads[1].lowercased().contains("x-amz-bucket-object-lock-enabled: true"))
        #expect(made.heads[1].contains("/eu-central-1/s3/aws4_request"))
        #expect(!made.heads[1].lowercased().contains("content-length: 0\r\n"))
        let plain = try requests([.answer(status: 404), .answer(status: 200)], Self.create)
        #expect(!plain.heads[1].lowercased().contains("object-lock"))
        // The first region of all is not named.
        #expect(plain.heads[1].lowercased().contains("content-length: 0\r\n"))
    }

    @Test(arguments: ["BucketAlreadyExists", "BucketAlreadyOwnedByYou"])
    func mayHaveBeenMadeMeanwhile(word: String) throws {
        let fields: JSONValue = ["createBucketIfNotPresent": [:], "encryptionOptions": ["enableEncryption": true]]
        let told = FaultyProxy.Act.answer(status: 409, body: "<Error><Code>\(word)</Code></Error>")
        let made = try requests([.answer(status: 404), told], fields)
        // And is left as it is.
        #expect(lines(made.heads) == ["HEAD /bkt", "PUT /bkt", "PUT /bkt/k"])
        #expect(made.error == nil)
    }

    @Test func isLookedForAgainWhileAnotherMakesIt() throws {
        let told = FaultyProxy.Act.answer(
            status: 409, body: "<Error><Code>OperationAborted</Code><Message>in progress</Message></Error>")
        let made = try requests([.answer(status: 404), told, .answer(status: 200)], Self.create)
        #expect(lines(made.heads) == ["HEAD /bkt", "PUT /bkt", "HEAD /bkt", "PUT /bkt/k"])
        #expect(made.error == nil)
    }

    @Test func isToldHowToEncryptOnceItIsMade() throws {
        let fields: JSONValue = [
            "createBucketIfNotPresent": [:], "encryptionOptions": ["enableEncryption": true, "kmsKeyId": "k&1"],
        ]
        let made = try requests([.answer(status: 404), .answer(status: 200), .answer(status: 200)], fields)
        #expect(lines(made.heads) == ["HEAD /bkt", "PUT /bkt", "PUT /bkt?encryption=", "PUT /bkt/k"])
        #expect(made.heads[2].lowercased().contains("content-md5: "))
        let there = try requests([.answer(status: 200)], fields)
        #expect(lines(there.heads) == ["HEAD /bkt", "PUT /bkt/k"])
    }

    @Test func thatMayNotBeMadeEndsTheSave() throws {
        let told = FaultyProxy.Act.answer(
            status: 403, body: "<Error><Code>AccessDenied</Code><Message>Not yours</Message></Error>")
        let made = try requests([.answer(status: 404), told], Self.create)
        #expect(lines(made.heads) == ["HEAD /bkt", "PUT /bkt"])
        #expect(errorText(made.error!) == "create bucket s3://bkt: 403 AccessDenied: Not yours")
    }

    // MARK: Real servers

    @Test(arguments: [ServerKind.seaweedFS, .minIO, .moto]) func severalMakeItAtOnce(kind: ServerKind) async throws {
        let fixture = try await fixture(kind)
        let saved = Atomic(0)
        try Parallel.forEach(count: 8, width: 8) { index in
            // Each is a process of its own: nothing is shared.
            let path = fixture.path("f\(index)")
            try SmallFile.write(path, [UInt8(index)])
            try fixture.store("k\(index)", context: fixture.context, Self.create).upload.file(at: path)
            saved.add(1, ordering: .relaxed)
        }
        #expect(saved.load(ordering: .relaxed) == 8)
        for index in 0..<8 { #expect(try fixture.load("k\(index)") == [UInt8(index)]) }
    }

    @Test(arguments: [ServerKind.minIO, .moto]) func keepsWhatIsLocked(kind: ServerKind) async throws {
        let fixture = try await fixture(kind)
        let server = try await S3Server.shared(kind)
        let fields: JSONValue = ["createBucketIfNotPresent": ["objectLocking": true]]
        try fixture.store("any", fields).driver.prepareSave()
        #expect(try await server.ask(bucket: fixture.bucket, "object-lock=").contains("<ObjectLockEnabled>Enabled<"))
        // From now on every object is kept for a day, and what is saved must carry a hash.
        try await server.setRetention(bucket: fixture.bucket, days: 1)
        let large = patternBytes(20_000_000)
        for (key, bytes) in [("small", [UInt8](repeating: 7, count: 100)), ("large", large)] {
            try fixture.save(bytes, key, fields)
            #expect(try fixture.load(key) == bytes)
        }
        for name in ["a", "b/c"] { try fixture.save([1], "dir/\(name)") }
        // In a bucket of versions an object is deleted by a mark; the version stays, as it must.
        try fixture.store("small").delete()
        try fixture.store("dir").delete()
        for key in ["small", "dir"] {
            let error = #expect(throws: ArtifactError.self) { try fixture.load(key) }
            #expect(error?.isNotFound == true)
        }
        #expect(try await server.ask(bucket: fixture.bucket, "versions=").contains("<Key>dir/b/c</Key>"))
        try fixture.save([9], "small")
        #expect(try fixture.load("small") == [9])
    }

    @Test func standsInTheRegionAskedFor() async throws {
        let fixture = try await fixture(.moto)
        try fixture.save([1], "k", ["createBucketIfNotPresent": [:], "region": "eu-west-3"])
        let server = try await S3Server.shared(.moto)
        #expect(try await server.ask(bucket: fixture.bucket, "location=").contains(">eu-west-3</LocationConstraint>"))
        #expect(try fixture.load("k") == [1])
    }

    private func fixture(_ kind: ServerKind) async throws -> StoreFixture {
        do { return try await .make(on: kind, bucket: newName()) } catch let missing as ServerUnavailable {
            try Test.cancel("\(missing)")
        }
    }
}
