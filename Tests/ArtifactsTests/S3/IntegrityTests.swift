import Digests
import Encodings
import Foundation
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts
@testable import S3Artifacts

/// What a store says of an object is compared with what was moved; what only looks like a checksum is given up on proof.
@Suite struct IntegrityTests {
    private typealias Reply = S3StandIn.Reply

    private static let small = patternBytes(100_000)
    /// Read in ranges.
    private static let large = patternBytes(33 << 20)

    /// 32 hexadecimal digits that are no MD5.
    private static func otherHash(_ bytes: [UInt8]) -> String {
        StandInFixture.md5(Array("salt".utf8) + StandInFixture.md5(bytes).utf8)
    }

    private static func ranged(_ request: S3StandIn.Request, _ server: S3StandIn, _ bytes: [UInt8]) -> S3StandIn.Reply {
        let tag = ["ETag: \(server.etag(server.objects[request.key] ?? []))", "Accept-Ranges: bytes"]
        guard let range = request.header("range")?.dropFirst(6) else { return Reply(headers: tag, bytes) }
        let ends = range.split(separator: "-").compactMap { Int($0) }
        let last = min(ends[1], bytes.count - 1)
        return Reply(
            206, headers: tag + ["Content-Range: bytes \(ends[0])-\(last)/\(bytes.count)"], Array(bytes[ends[0]...last]))
    }

    /// By name: arguments of tests are written out.
    private static func bytes(_ size: String) -> [UInt8] { size == "small" ? small : large }

    // MARK: Loads

    @Test(arguments: ["small", "large"]) func loadsWhereETagsOnlyLookLikeMD5(size: String) throws {
        let bytes = Self.bytes(size)
        let fixture = try StandInFixture(["a": bytes, "b": bytes], hash: Self.otherHash)
        #expect(try fixture.load("a") == bytes)
        #expect(fixture.log.components(separatedBy: "are no MD5s").count == 2)
        // What was learnt spares the next object the second transfer.
        let before = fixture.server.requests.count
        #expect(try fixture.load("b") == bytes)
        #expect(fixture.server.requests.count - before == (bytes.count > 1 << 20 ? 5 : 2))
        #expect(fixture.log.components(separatedBy: "are no MD5s").count == 2)

        let streamed = try StandInFixture(["a": bytes], hash: Self.otherHash)
        #expect(try streamed.stream("a") == bytes)
        #expect(streamed.server.count("get") == 2)
    }

    @Test(arguments: ["small", "large"]) func refusesThemWhereEverythingIsToBeVerified(size: String) throws {
        let bytes = Self.bytes(size)
        let fixture = try StandInFixture(["a": bytes], hash: Self.otherHash, change: { $0.verifiesAlways = true })
        for call in [{ _ = try fixture.load("a") }, { _ = try fixture.stream("a") }] {
            let error = fixture.failure(call)
            #expect(error?.code == .damaged)
            #expect(error?.message.contains("MD5") == true)
        }
        let right = try StandInFixture(["a": bytes], change: { $0.verifiesAlways = true })
        #expect(try right.load("a") == bytes)
    }

    /// Another byte is changed each time, as a faulty wire does.
    @Test(arguments: ["small", "large"]) func refusesBytesThatComeOtherwiseEachTime(size: String) throws {
        let bytes = Self.bytes(size)
        let fixture = try StandInFixture(["a": bytes]) { request, server in
            guard request.operation == "get" else { return nil }
            var damaged = bytes
            damaged[server.count("get") * 7] ^= 1
            return Self.ranged(request, server, damaged)
        }
        for call in [{ _ = try fixture.load("a") }, { _ = try fixture.stream("a") }] {
            #expect(fixture.failure(call)?.message.contains("different bytes") == true)
        }
        #expect(!fixture.log.contains("are no MD5s"))
    }

    @Test(arguments: ["small", "large"]) func loadsAgainWhatWasDamagedOnce(size: String) throws {
        let bytes = Self.bytes(size)
        let fixture = try StandInFixture(["a": bytes]) { request, server in
            guard request.operation == "get", server.count("get") == 1 else { return nil }
            var damaged = bytes
            damaged[5] ^= 1
            damaged[(16 << 20) % bytes.count] ^= 1
            damaged[(32 << 20) % bytes.count] ^= 1
            return Self.ranged(request, server, damaged)
        }
        #expect(try fixture.load("a") == bytes)
        #expect(!fixture.log.contains("are no MD5s"))
    }

    @Test func comparesAnMD5OfAnySizeWhereEverythingIsToBeVerified() throws {
        let bytes = patternBytes(64 << 20 | 1)
        let rule: @Sendable (S3StandIn.Request, S3StandIn) -> S3StandIn.Reply? = { request, server in
            guard request.operation == "get" else { return nil }
            var damaged = bytes
            damaged[server.count("get") + 3] ^= 1
            return Self.ranged(request, server, damaged)
        }
        let always = try StandInFixture(["a": bytes], rule: rule, change: { $0.verifiesAlways = true })
        #expect(always.failure { _ = try always.load("a") }?.code == .damaged)
        #expect(
            S3Answer.head(
                status: 200, headers: ["ETag": "\"5eb63bbbe01eeed093cb22bb8f5acdc3\"", "Content-Length": "\(64 << 20)"]
            ).checksum != nil)
    }

    /// A real checksum is a proof: the same bytes twice do not make them right. It is tried three times, not a hundred.
    @Test func aChecksumThatIsToldCountsWhateverComesTwice() throws {
        for header in [
            "x-amz-checksum-crc32c: AAAAAA==", "x-amz-checksum-sha256: \(Base64.encode([UInt8](repeating: 1, count: 32)))",
            "x-goog-hash: crc32c=AAAAAA==",
        ] {
            let fixture = try StandInFixture(["a": Self.small]) { request, server in
                ["get", "head"].contains(request.operation) ? Reply(headers: ["ETag: \"e\"", header], Self.small) : nil
            }
            for call in [{ _ = try fixture.load("a") }, { _ = try fixture.stream("a") }] {
                let before = fixture.server.count("get")
                #expect(fixture.failure(call)?.message.contains("do not have the checksum that the store tells") == true)
                #expect(fixture.server.count("get") - before == 3)
            }
        }
        let right = try StandInFixture(["a": Self.small]) { request, _ in
            let hash = Base64.encode(Digest.hash(.sha256, Self.small))
            return ["get", "head"].contains(request.operation)
                ? Reply(headers: ["ETag: \"e\"", "x-amz-checksum-sha256: \(hash)"], Self.small) : nil
        }
        #expect(try right.load("a") == Self.small)
    }

    @Test func triesAsOftenAsTheScheduleAllows() throws {
        let rule: @Sendable (S3StandIn.Request, S3StandIn) -> S3StandIn.Reply? = { request, _ in
            request.operation == "get" ? Reply(headers: ["x-amz-checksum-crc32c: AAAAAA=="], Self.small) : nil
        }
        let fixture = try StandInFixture(["a": Self.small], rule: rule, change: { $0.executorBackoff.steps = 1 })
        #expect(fixture.failure { _ = try fixture.load("a") }?.code == .damaged)
        #expect(fixture.server.count("get") == 1)
    }

    @Test func twoLengthsOfOneObjectAreDamage() throws {
        let fixture = try StandInFixture(["a": Self.small]) { request, server in
            request.operation == "get"
                ? Reply(headers: ["ETag: \(server.etag(Self.small))"], Array(Self.small.dropLast())) : nil
        }
        #expect(fixture.failure { _ = try fixture.load("a") }?.message.contains("two lengths of one object") == true)
        // A page in the object's place names no object at all.
        let page = try StandInFixture(["d/a": Self.small]) { request, server in
            request.operation == "list"
                ? Reply(
                    "<ListBucketResult><Contents><Key>d/a</Key><Size>100000</Size><ETag>\"e\"</ETag></Contents></ListBucketResult>"
                )
                : request.operation == "get" ? Reply("<html>Sign in</html>") : nil
        }
        #expect(page.failure { _ = try page.directory("d") } != nil)
    }

    // MARK: Saves

    @Test func believesAnETagThatIsNoMD5OnceTheObjectWasReadBack() throws {
        let fixture = try StandInFixture(hash: Self.otherHash)
        try fixture.save(Self.small, "a")
        #expect(fixture.server.count("get") == 1)
        try fixture.save(Self.small, "b")
        #expect(fixture.server.count("get") == 1)
        #expect(fixture.server.objects == ["a": Self.small, "b": Self.small])
        #expect(fixture.log.components(separatedBy: "are no MD5s").count == 2)
        // An ETag that is the MD5, or that does not look like one, makes no request.
        let hashes: [@Sendable ([UInt8]) -> String] = [{ StandInFixture.md5($0) }, { _ in "version-7" }]
        for hash in hashes {
            let quiet = try StandInFixture(hash: hash)
            try quiet.save(Self.small, "a")
            #expect(quiet.server.requests.map(\.operation) == ["put"])
        }
    }

    @Test func refusesASaveOfWhichTheStoreHoldsOtherBytes() throws {
        let fixture = try StandInFixture { request, server in
            guard request.operation == "put" else { return nil }
            let damaged = [request.body[0] ^ 1] + request.body.dropFirst()
            server.objects[request.key] = damaged
            return Reply(headers: ["ETag: \(server.etag(damaged))"])
        }
        let error = fixture.failure { try fixture.save(Self.small, "a") }
        #expect(error?.message.contains("read back, the object is not what was sent") == true)
        #expect(fixture.server.count("put") == 3)
        // A fault that goes away does no harm.
        let once = try StandInFixture { request, server in
            guard request.operation == "put", server.count("put") == 1 else { return nil }
            server.objects[request.key] = [1]
            return Reply(headers: ["ETag: \(server.etag([1]))"])
        }
        try once.save(Self.small, "a")
        #expect(once.server.objects == ["a": Self.small])
    }

    @Test(arguments: [
        "x-amz-checksum-crc32c: AAAAAA==", "x-amz-checksum-crc32: AAAAAA==", "x-amz-checksum-crc64nvme: AAAAAAAAAAA=",
        "x-amz-object-size: 7",
    ])
    func comparesWhatTheAnswerToASaveTells(header: String) throws {
        let fixture = try StandInFixture { request, _ in
            request.operation == "put" ? Reply(headers: ["ETag: \"e\"", header]) : nil
        }
        #expect(fixture.failure { try fixture.save(Self.small, "a") }?.code == .exhausted)
    }

    @Test func looksForAnObjectOfWhichTheAnswerTellsNothing() throws {
        let lost = try StandInFixture { request, _ in request.operation == "put" ? Reply() : nil }
        #expect(lost.failure { try lost.save(Self.small, "a") }?.message.contains("has no such object") == true)
        let short = try StandInFixture { request, server in
            guard request.operation == "put" else { return nil }
            server.objects[request.key] = [1]
            return Reply()
        }
        #expect(short.failure { try short.save(Self.small, "a") }?.message.contains("1 bytes of 100000") == true)
        let right = try StandInFixture { request, server in
            guard request.operation == "put" else { return nil }
            server.objects[request.key] = request.body
            return Reply()
        }
        try right.save(Self.small, "a")
        #expect(right.server.requests.map(\.operation) == ["put", "head"])
    }

    @Test(arguments: ["put", "begin", "part", "complete"]) func aPageInPlaceOfTheStoresAnswerIsNoSuccess(operation: String)
        throws
    {
        for page in ["<html><body>Sign in to the network</body></html>", "<!DOCTYPE html><p>Hello"] {
            let fixture = try StandInFixture { request, _ in
                request.operation == operation ? Reply(headers: ["ETag: \"e\""], page) : nil
            }
            let error = fixture.failure { try fixture.save(operation == "put" ? Self.small : Self.large, "a") }
            #expect(error?.code == .unintelligible)
            #expect(error?.message.contains("a page for people") == true)
            #expect(fixture.server.objects.isEmpty)
            #expect(fixture.server.count(operation) <= 4)
        }
    }

    @Test(arguments: [
        "<CompleteMultipartUploadResult><Error><Code>InvalidPart</Code><Message>gone</Message></Error></CompleteMultipartUploadResult>",
        "<CompleteMultipartUploadResult><Key>other</Key><ETag>\"x-3\"</ETag></CompleteMultipartUploadResult>",
        "<CompleteMultipartUploadResult><ChecksumCRC32C>AAAAAA==</ChecksumCRC32C></CompleteMultipartUploadResult>",
        "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>", "<Result/>",
    ])
    func anAnswerThatDoesNotFitIsNoCompletion(body: String) throws {
        let fixture = try StandInFixture { request, _ in request.operation == "complete" ? Reply(body) : nil }
        #expect(fixture.failure { try fixture.save(Self.large, "a") } != nil)
    }

    private static func complete(_ request: S3StandIn.Request, _ server: S3StandIn, etag: String, damaging: Bool = false)
        -> S3StandIn.Reply
    {
        let reply = server.answer(request)
        if damaging { server.objects[request.key]?[9] ^= 1 }
        return reply.status == 200
            ? Reply("<CompleteMultipartUploadResult><ETag>\"\(etag)\"</ETag></CompleteMultipartUploadResult>") : reply
    }

    @Test func comparesTheETagOfPartsWithTheirMD5s() throws {
        let parts = [large[..<(16 << 20)], large[(16 << 20)..<(32 << 20)], large[(32 << 20)...]]
        let right = StandInFixture.md5(parts.flatMap { Digest.hash(.md5, Array($0)) }) + "-3"
        let wrong = StandInFixture.md5([1]) + "-3"
        for (etag, reads) in [(right, 0), (wrong, 1), ("x-3", 0), (StandInFixture.md5([1]) + "-2", 1)] {
            let fixture = try StandInFixture { request, server in
                request.operation == "complete" ? Self.complete(request, server, etag: etag) : nil
            }
            try fixture.save(Self.large, "a")
            try fixture.save(Self.large, "b")
            #expect(fixture.server.count("get") == reads)
            #expect(fixture.log.contains("are no MD5s") == (reads > 0))
        }
        let damaged = try StandInFixture { request, server in
            request.operation == "complete" ? Self.complete(request, server, etag: wrong, damaging: true) : nil
        }
        let error = damaged.failure { try damaged.save(Self.large, "a") }
        #expect(error?.message.contains("read back, the object is not what was sent") == true)
        #expect(damaged.server.count("complete") == 1)
    }

    private var large: [UInt8] { Self.large }

    @Test func readsBackAnObjectWhosePartsHaveOtherETags() throws {
        let fixture = try StandInFixture(hash: Self.otherHash)
        try fixture.save(Self.large, "a")
        try fixture.save(Self.large, "b")
        #expect(fixture.server.count("get") == 1)
        #expect(fixture.server.objects == ["a": Self.large, "b": Self.large])
        let damaging = try StandInFixture { request, server in
            guard request.operation == "part", request.query["partNumber"] == "2" else { return nil }
            let body = [request.body[0] ^ 1] + request.body.dropFirst()
            return server.answer(
                S3StandIn.Request(
                    method: "PUT", key: request.key, query: request.query, headers: request.headers, body: Array(body)))
        }
        let error = damaging.failure { try damaging.save(Self.large, "a") }
        #expect(error?.message.contains("read back, the object is not what was sent") == true)
    }

    // MARK: What the answers to saves tell besides

    @Test(arguments: [
        "x-amz-checksum-sha256: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "Content-MD5: AAAAAAAAAAAAAAAAAAAAAA==",
        "x-goog-hash: crc32c=AAAAAA==", "x-goog-hash: md5=AAAAAAAAAAAAAAAAAAAAAA==",
    ])
    func comparesAllHashesThatTheAnswerToASaveTells(header: String) throws {
        let fixture = try StandInFixture { request, _ in
            request.operation == "put" ? Reply(headers: ["ETag: \"e\"", header]) : nil
        }
        #expect(fixture.failure { try fixture.save(Self.small, "a") }?.code == .exhausted)
    }

    @Test func anEmptyChecksumTellsNothing() throws {
        let fixture = try StandInFixture { request, server in
            guard request.operation == "put" else { return nil }
            var reply = server.answer(request)
            reply.headers.append("x-amz-checksum-crc32c: ")
            return reply
        }
        try fixture.save(Self.small, "a")
        #expect(fixture.server.count("put") == 1)
    }

    @Test(arguments: [
        ("<ChecksumCRC32>AAAAAA==</ChecksumCRC32>", ""), ("<Size>7</Size>", ""), ("", "x-amz-checksum-crc32c: AAAAAA=="),
        ("", "x-amz-object-size: 7"), ("", "x-goog-hash: crc32c=AAAAAA=="),
    ])
    func comparesAllThatACompletionTells(element: String, header: String) throws {
        let fixture = try StandInFixture { request, server in
            guard request.operation == "complete", server.answer(request).status == 200 else { return nil }
            return Reply(
                headers: header.isEmpty ? [] : [header],
                "<CompleteMultipartUploadResult><ETag>x</ETag>\(element)</CompleteMultipartUploadResult>")
        }
        #expect(fixture.failure { try fixture.save(Self.large, "a") }?.code == .damaged)
        #expect(fixture.server.count("complete") == 1)
    }

    @Test func readsBackOnceWhereACompletionTellsAnMD5OfTheWhole() throws {
        for isDamaging in [false, true] {
            let fixture = try StandInFixture { request, server in
                request.operation == "complete"
                    ? Self.complete(request, server, etag: StandInFixture.md5([1]), damaging: isDamaging) : nil
            }
            if isDamaging {
                #expect(fixture.failure { try fixture.save(Self.large, "a") }?.code == .damaged)
            } else {
                try fixture.save(Self.large, "a")
                try fixture.save(Self.large, "b")
            }
            #expect(fixture.server.count("get") == 1)
        }
    }

    @Test(arguments: [(404, ""), (400, "InvalidPart")]) func looksForTheObjectAfterACompletionWhoseAnswerWasCut(
        status: Int, word: String
    ) throws {
        let fixture = try StandInFixture { request, server in
            guard request.operation == "complete" else { return nil }
            if server.answer(request).status == 200 { return Reply("<CompleteMultip") }
            return word.isEmpty ? Reply(status) : .refusal(status, word)
        }
        try fixture.save(Self.large, "a")
        #expect(fixture.server.objects == ["a": Self.large])
    }
}
