import Documents
import Foundation
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts
@testable import S3Artifacts

/// What stands for directories in a store that has none.
@Suite struct S3DirectoryTests {
    @Test(arguments: [ServerKind.seaweedFS, .minIO, .moto]) func markersAreDirectoriesWithoutFiles(kind: ServerKind)
        async throws
    {
        let fixture = try await fixture(kind)
        for key in ["only/", "only/deep/", "some/", "some/file"] { try mark(fixture, key) }
        // Contract 03 §6.1: a prefix of nothing but markers loads as an empty directory.
        for key in ["only", "only/"] {
            let loaded = try fixture.loadDirectory(key, into: "back-\(key.count)")
            #expect(loaded?.objects == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.path("back-\(key.count)").text).isEmpty)
            #expect(try fixture.store(key).isDirectory())
            #expect(try fixture.store(key).list() == [])
        }
        #expect(try fixture.loadDirectory("some", into: "some")?.objects == 1)
        #expect(try fixture.store("some").list() == ["some/file"])
        // Deleting takes the markers too.
        try fixture.store("only/").delete()
        #expect(try !fixture.store("only").isDirectory())
        let error = #expect(throws: ArtifactError.self) { try fixture.load("only") }
        #expect(error?.isNotFound == true)
        try fixture.store("some").delete()
        #expect(try !fixture.store("some").isDirectory())
    }

    /// Everything works too where the bucket is a part of the host's name.
    @Test(.requires(.minIO)) func hasItsBucketInTheHostWhereAsked() async throws {
        let fixture = try await fixture(.minIO)
        let port = try #require(fixture.kind.endpoint?.split(separator: ":").last)
        let fields: JSONValue = ["endpoint": .string("localhost:\(port)"), "addressingStyle": "virtual-hosted"]
        let bytes = patternBytes(20_000_000)
        for key in ["dir/ä b+c", "dir/sub/large", "alone"] { try fixture.save(bytes, key, fields) }
        #expect(try fixture.load("dir/ä b+c", fields) == bytes)
        #expect(try fixture.store("dir", fields).list().sorted() == ["dir/sub/large", "dir/ä b+c"])
        #expect(try fixture.loadDirectory("dir/", into: "back", fields)?.objects == 2)
        #expect(try fixture.content("back/sub/large") == Data(bytes))
        try fixture.store("dir/", fields).delete()
        #expect(try !fixture.store("dir", fields).isDirectory())
        // The same bucket as by its path.
        #expect(try fixture.load("alone") == bytes)
    }

    /// More keys than one request may name, on either way.
    @Test func deletesOneByOneWhereNotTogether() async throws {
        for refusal in [
            FaultyProxy.Act.answer(status: 501, body: "<Error><Code>NotImplemented</Code></Error>"),
            .answer(status: 405, body: "<Error><Code>MethodNotAllowed</Code></Error>"),
            .answer(status: 400, body: "<Error><Code>MissingContentMD5</Code></Error>"),
            .answer(status: 400, body: "<Error><Code>MalformedXML</Code></Error>"), .answer(status: 403),
        ] {
            let fixture = try await StoreFixture.make(on: .seaweedFS)
            for index in 0..<3 { try fixture.save([1], "dir/\(index)") }
            // The list, then the refusal; what follows passes.
            let keys = (0..<3).map { "<Contents><Key>dir/\($0)</Key><Size>1</Size></Contents>" }.joined()
            let list = "<ListBucketResult><IsTruncated>false</IsTruncated>\(keys)</ListBucketResult>"
            let proxy = try fixture.proxy([.answer(status: 200, body: list), refusal])
            try fixture.store("dir/", endpoint: proxy.endpoint, ["region": "us-east-1"]).delete()
            #expect(proxy.heads.count == 2 && proxy.heads[1].hasPrefix("POST /\(fixture.bucket)?delete= "))
            #expect(try !fixture.store("dir").isDirectory())
        }
    }

    @Test func saysWhichKeysCannotBeDeleted() async throws {
        let fixture = try StoreFixture(.s3Stub(bucket: "bkt", secrets: ["keys/access": "AK", "keys/secret": "SK"]))
        var context = fixture.context
        context.localStore = nil
        let list =
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>dir/a</Key></Contents><Contents><Key>dir/b</Key></Contents></ListBucketResult>"
        let outcome =
            "<DeleteResult><Error><Key>dir/a</Key><Code>NoSuchKey</Code></Error><Error><Key>dir/b</Key><Code>AccessDenied</Code><Message>Object is WORM protected</Message></Error></DeleteResult>"
        let proxy = try FaultyProxy(target: 0, script: [.answer(status: 200, body: list), .answer(status: 200, body: outcome)])
        let error = #expect(throws: ArtifactError.self) {
            try fixture.store("dir/", endpoint: proxy.endpoint, context: context).delete()
        }
        #expect(
            error?.message
                == "delete s3://bkt/dir/b (and 0 more): 200 AccessDenied: Object is WORM protected")
        #expect(error?.isTransient == false)
    }

    @Test func triesAgainTheKeysThatFailForNow() async throws {
        let fixture = try StoreFixture(.s3Stub(bucket: "bkt", secrets: ["keys/access": "AK", "keys/secret": "SK"]))
        var context = fixture.context
        context.localStore = nil
        let list =
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>dir/a</Key></Contents></ListBucketResult>"
        let slow = "<DeleteResult><Error><Key>dir/a</Key><Code>SlowDown</Code></Error></DeleteResult>"
        let proxy = try FaultyProxy(
            target: 0,
            script: [
                .answer(status: 200, body: list), .answer(status: 200, body: slow), .answer(status: 200, body: list),
                .answer(status: 200, body: "<DeleteResult/>"),
            ])
        try fixture.store("dir/", endpoint: proxy.endpoint, context: context).delete()
        #expect(proxy.heads.count == 4)
    }

    /// An object of exactly that key, not something whose key has the same beginning.
    private func mark(_ fixture: StoreFixture, _ key: String) throws {
        let driver = try #require(try fixture.store(key).driver as? S3Driver)
        try driver.put(ObjectContent(.bytes([]), fileName: "x"), at: nil)
    }

    private func fixture(_ kind: ServerKind) async throws -> StoreFixture {
        do { return try await .make(on: kind) } catch let missing as ServerUnavailable { try Test.cancel("\(missing)") }
    }
}
