import Documents
import Foundation
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts

/// What goes over the wire, seen by a server that answers as it is told.
@Suite struct S3RequestTests {
    private func fixture() throws -> StoreFixture {
        try StoreFixture(
            .s3Stub(bucket: "bkt", secrets: ["keys/access": "AK\n", "keys/secret": " SK\r\n", "keys/token": "TOKEN\n"]))
    }

    private func context(_ fixture: StoreFixture) -> DriverContext {
        var context = fixture.context
        context.localStore = nil
        return context
    }

    private func header(_ name: String, in head: String) -> String? {
        for line in head.components(separatedBy: "\r\n").dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2, parts[0].lowercased() == name.lowercased() {
                return parts[1].trimmingCharacters(in: .whitespaces)
            }
        }
        return nil
    }

    private let hello = ["ETag: \"5eb63bbbe01eeed093cb22bb8f5acdc3\"", "x-amz-checksum-crc32c: yZRlqg=="]

    @Test func trimsKeysAndSendsTheSessionToken() throws {
        let fixture = try fixture()
        let proxy = try FaultyProxy(target: 0, script: [.answer(status: 200, headers: hello, body: "hello world")])
        _ = try fixture.store(
            "a b/c+d", endpoint: proxy.endpoint, context: context(fixture),
            ["sessionTokenSecret": ["name": "keys", "key": "token"]]
        ).find()
        let head = try #require(proxy.heads.first)
        #expect(head.hasPrefix("HEAD /bkt/a%20b/c%2Bd HTTP/1.1\r\n"))
        #expect(header("x-amz-security-token", in: head) == "TOKEN")
        #expect(header("Authorization", in: head)?.contains("Credential=AK/") == true)
        #expect(header("Authorization", in: head)?.contains("/us-east-1/s3/aws4_request") == true)
        #expect(header("Host", in: head) == proxy.endpoint)
    }

    @Test func putsTheBucketIntoTheHostWhereAsked() throws {
        let fixture = try fixture()
        let proxy = try FaultyProxy(target: 0, script: [.answer(status: 200, headers: hello, body: "hello world")])
        _ = try fixture.store(
            "k", endpoint: "localhost:\(proxy.port)", context: context(fixture), ["addressingStyle": "virtual-hosted"]
        ).find()
        let head = try #require(proxy.heads.first)
        #expect(head.hasPrefix("HEAD /k HTTP/1.1\r\n"))
        #expect(header("Host", in: head) == "bkt.localhost:\(proxy.port)")
    }

    @Test func usesTheRegionThatAnErrorNames() throws {
        let fixture = try fixture()
        let malformed =
            "<Error><Code>AuthorizationHeaderMalformed</Code><Message>expecting 'eu-central-1'</Message><Region>eu-central-1</Region></Error>"
        let listing =
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>k/x</Key><Size>1</Size></Contents></ListBucketResult>"
        let proxy = try FaultyProxy(
            target: 0,
            script: [
                .answer(status: 400, body: malformed), .answer(status: 200, body: listing), .answer(status: 200, body: listing),
            ])
        let context = context(fixture)
        #expect(try fixture.store("k", endpoint: proxy.endpoint, context: context).list() == ["k/x"])
        // What was learnt holds for the next artifact in the bucket.
        #expect(try fixture.store("k", endpoint: proxy.endpoint, context: context).list() == ["k/x"])
        #expect(proxy.heads.map { $0.contains("/eu-central-1/s3/") } == [false, true, true])
    }

    @Test func asksForTheRegionWhereHEADCannotTell() throws {
        let fixture = try fixture()
        let proxy = try FaultyProxy(
            target: 0,
            script: [
                .answer(status: 400),
                .answer(
                    status: 200,
                    body: "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">EU</LocationConstraint>"),
                .answer(status: 200, headers: hello, body: "hello world"),
            ])
        _ = try fixture.store("k", endpoint: proxy.endpoint, context: context(fixture)).find()
        #expect(
            proxy.heads.map { String($0.prefix { $0 != "\r\n" }) } == [
                "HEAD /bkt/k HTTP/1.1", "GET /bkt?location= HTTP/1.1", "HEAD /bkt/k HTTP/1.1",
            ])
        #expect(proxy.heads[2].contains("/eu-west-1/s3/"))
    }

    @Test func keepsTheRegionThatIsGiven() throws {
        let fixture = try fixture()
        let malformed = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-central-1</Region></Error>"
        let proxy = try FaultyProxy(target: 0, script: [.answer(status: 400, body: malformed)])
        let error = #expect(throws: ArtifactError.self) {
            try fixture.store("k", endpoint: proxy.endpoint, context: context(fixture), ["region": "eu-west-3"]).list()
        }
        #expect(error?.code == .refused(status: 400, word: "AuthorizationHeaderMalformed"))
        #expect(proxy.heads.count == 1)
        #expect(proxy.heads[0].contains("/eu-west-3/s3/"))
    }

    @Test func sendsMD5UntilTheStoreIsSeenToCheckCRC32C() throws {
        let fixture = try fixture()
        try fixture.folder.write(Data("hello world".utf8), to: "page.HTML")
        let proxy = try FaultyProxy(
            target: 0,
            script: [
                .answer(status: 200, headers: ["ETag: e"]),
                .answer(status: 200, headers: ["x-amz-checksum-crc32c: yZRlqg=="]), .answer(status: 200, headers: ["ETag: e"]),
            ])
        let store = try fixture.store("k", endpoint: proxy.endpoint, context: context(fixture))
        for _ in 0..<3 { try store.upload.file(at: fixture.path("page.HTML")) }
        #expect(
            proxy.heads.map { header("Content-MD5", in: $0) } == [
                "XrY7u+Ae7tCTyyK7j1rNww==", "XrY7u+Ae7tCTyyK7j1rNww==", nil,
            ])
        #expect(proxy.heads.allSatisfy { header("x-amz-checksum-crc32c", in: $0) == "yZRlqg==" })
        #expect(proxy.heads.allSatisfy { header("x-amz-content-sha256", in: $0) == "UNSIGNED-PAYLOAD" })
        #expect(header("Content-Type", in: proxy.heads[0]) == "text/html; charset=utf-8")
        #expect(header("Content-Length", in: proxy.heads[0]) == "11")
    }

    @Test func refusesBytesThatTheStoreReceivedOtherwise() throws {
        let fixture = try fixture()
        try fixture.folder.write(Data("hello world".utf8), to: "f")
        let proxy = try FaultyProxy(
            target: 0, script: Array(repeating: .answer(status: 200, headers: ["x-amz-checksum-crc32c: AAAAAA=="]), count: 5))
        let error = #expect(throws: ArtifactError.self) {
            try fixture.store("k", endpoint: proxy.endpoint, context: context(fixture)).upload.file(at: fixture.path("f"))
        }
        #expect(error?.message.contains("the store received other bytes") == true)
        #expect(proxy.heads.count == 3)
    }

    @Test func completesAfterAnErrorInASuccessfulAnswer() throws {
        let fixture = try fixture()
        try Data(patternBytes(17 << 20)).write(to: fixture.folder.url.appending(path: "f"))
        let part = FaultyProxy.Act.answer(status: 200, headers: ["ETag: \"t\""])
        let proxy = try FaultyProxy(
            target: 0,
            script: [
                .answer(
                    status: 200,
                    body: "<InitiateMultipartUploadResult><UploadId>u/1 +</UploadId></InitiateMultipartUploadResult>"),
                part, part,
                .answer(status: 200, body: "   \n<Error><Code>InternalError</Code><Message>try again</Message></Error>"),
                .answer(status: 200, body: "  <CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"),
            ])
        try fixture.store("k", endpoint: proxy.endpoint, context: context(fixture)).upload.file(at: fixture.path("f"))
        #expect(proxy.heads.count == 5)
        // A store that does not say that it checks CRC32C gets MD5.
        #expect(header("Content-MD5", in: proxy.heads[1]) != nil)
        #expect(header("x-amz-checksum-crc32c", in: proxy.heads[1]) == nil)
        #expect(proxy.heads[4].hasPrefix("POST /bkt/k?uploadId=u%2F1%20%2B HTTP/1.1\r\n"))
    }

    @Test func anUploadCompletedUnheardIsASuccess() throws {
        let fixture = try fixture()
        try Data(patternBytes(17 << 20)).write(to: fixture.folder.url.appending(path: "f"))
        let part = FaultyProxy.Act.answer(status: 200, headers: ["ETag: \"t\""])
        let gone = "<Error><Code>NoSuchUpload</Code><Message>gone</Message></Error>"
        func run(length: Int) throws {
            let proxy = try FaultyProxy(
                target: 0,
                script: [
                    .answer(
                        status: 200,
                        body: "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"), part,
                    part, .answer(status: 500),
                    .answer(status: 404, body: gone),
                    .answer(status: 200, headers: ["ETag: \"x-2\""], body: String(repeating: "x", count: length)),
                    .answer(status: 204),
                ])
            try fixture.store("k", endpoint: proxy.endpoint, context: context(fixture)).upload.file(at: fixture.path("f"))
        }
        try run(length: 17 << 20)
        #expect(throws: ArtifactError.self) { try run(length: 5) }
    }

    @Test func fallsBackToOneRequestWhereRangesAreIgnored() throws {
        let fixture = try fixture()
        let bytes = patternBytes(33 << 20)
        let body = String(repeating: "0123456789abcdef", count: bytes.count / 16)
        let whole = FaultyProxy.Act.answer(status: 200, headers: ["ETag: \"e\""], body: body)
        let proxy = try FaultyProxy(target: 0, script: Array(repeating: whole, count: 20))
        let store = try fixture.store("k", endpoint: proxy.endpoint, context: context(fixture))
        guard case .object(let object) = try store.find() else { return }
        let record = try store.download.file(object, at: fixture.path("f"))
        #expect(try fixture.content("f") == Data(body.utf8))
        #expect(record.retries == 0)
    }

    @Test func noticesBytesThatAreNotThoseTold() throws {
        let fixture = try fixture()
        let wrong = FaultyProxy.Act.answer(
            status: 200, headers: ["ETag: \"e\"", "x-amz-checksum-crc32c: yZRlqg=="], body: "hello WORLD")
        let right = FaultyProxy.Act.answer(status: 200, headers: hello, body: "hello world")
        // A stream cannot be taken back; a file is fetched anew.
        let once = try FaultyProxy(target: 0, script: [wrong, wrong])
        let store = try fixture.store("k", endpoint: once.endpoint, context: context(fixture))
        guard case .object(let object) = try store.find() else { return }
        let error = #expect(throws: ArtifactError.self) { try store.download.stream(object, into: CollectingSink()) }
        #expect(error?.code == .damaged)

        let twice = try FaultyProxy(target: 0, script: [right, wrong, right])
        let other = try fixture.store("k", endpoint: twice.endpoint, context: context(fixture))
        guard case .object(let healed) = try other.find() else { return }
        try other.download.file(healed, at: fixture.path("f"))
        #expect(try fixture.content("f") == Data("hello world".utf8))
    }

    @Test func checksMD5AgainstThePlainETagOnly() throws {
        let fixture = try fixture()
        func load(_ headers: [String], _ body: String) throws {
            let answer = FaultyProxy.Act.answer(status: 200, headers: headers, body: body)
            let proxy = try FaultyProxy(target: 0, script: [answer, answer])
            let store = try fixture.store("k", endpoint: proxy.endpoint, context: context(fixture))
            guard case .object(let object) = try store.find() else { return }
            try store.download.stream(object, into: CollectingSink())
        }
        let etag = "ETag: \"5eb63bbbe01eeed093cb22bb8f5acdc3\""
        try load([etag], "hello world")
        #expect(throws: ArtifactError.self) { try load([etag], "hello WORLD") }
        try load([etag, "x-amz-server-side-encryption: AES256"], "hello world")
        // Under these the ETag is no MD5.
        try load([etag, "x-amz-server-side-encryption: aws:kms"], "hello WORLD")
        try load([etag, "x-amz-server-side-encryption-customer-algorithm: AES256"], "hello WORLD")
        try load(["ETag: \"5eb63bbbe01eeed093cb22bb8f5acdc3-2\""], "hello WORLD")
    }

    @Test func makesAMissingBucketWithItsRegion() throws {
        let fixture = try fixture()
        try fixture.folder.write(Data("x".utf8), to: "f")
        let proxy = try FaultyProxy(
            target: 0,
            script: [.answer(status: 404), .answer(status: 200)]
                + Array(repeating: .answer(status: 200, headers: ["ETag: e"]), count: 2))
        let context = context(fixture)
        for _ in 0..<2 {
            try fixture.store(
                "k", endpoint: proxy.endpoint, context: context,
                ["region": "eu-west-3", "createBucketIfNotPresent": ["objectLocking": true]]
            ).upload.file(at: fixture.path("f"))
        }
        #expect(
            proxy.heads.map { String($0.prefix { $0 != "\r\n" }) } == [
                "HEAD /bkt HTTP/1.1", "PUT /bkt HTTP/1.1", "PUT /bkt/k HTTP/1.1", "PUT /bkt/k HTTP/1.1",
            ])
        #expect(header("x-amz-bucket-object-lock-enabled", in: proxy.heads[1]) == "true")
        #expect(Int(header("Content-Length", in: proxy.heads[1]) ?? "") ?? 0 > 0)
    }

    @Test func removesOneByOneWhereTheStoreCannotRemoveMany() throws {
        let fixture = try fixture()
        let listing =
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>d/1</Key></Contents><Contents><Key>d/2</Key></Contents></ListBucketResult>"
        let proxy = try FaultyProxy(
            target: 0,
            script: [.answer(status: 200, body: listing), .answer(status: 501), .answer(status: 204), .answer(status: 404)])
        try fixture.store("d/", endpoint: proxy.endpoint, context: context(fixture)).delete()
        #expect(proxy.heads.map { String($0.prefix { $0 != " " }) } == ["GET", "POST", "DELETE", "DELETE"])
    }

    @Test func tellsWhichObjectCouldNotBeRemoved() throws {
        let fixture = try fixture()
        let listing =
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>d/1</Key></Contents></ListBucketResult>"
        let result =
            "<DeleteResult><Error><Key>d/1</Key><Code>AccessDenied</Code><Message>locked</Message></Error></DeleteResult>"
        let proxy = try FaultyProxy(
            target: 0, script: [.answer(status: 200, body: listing), .answer(status: 200, body: result)])
        let error = #expect(throws: ArtifactError.self) {
            try fixture.store("d/", endpoint: proxy.endpoint, context: context(fixture)).delete()
        }
        #expect(error?.message.contains("s3://bkt/d/1") == true)
        #expect(error?.message.contains("AccessDenied") == true)
    }
}
