import Foundation
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts

/// Stores that lack what Amazon's offers: each thing is tried once, and done without from then on.
@Suite struct StoreExtensionTests {
    private typealias Reply = S3StandIn.Reply

    struct Refusal: Sendable, CustomTestStringConvertible {
        let status: Int
        let word: String
        var text = "A header you provided implies functionality that is not implemented."
        var testDescription: String { "\(status) \(word)" }
        var reply: S3StandIn.Reply { .refusal(status, word, text) }
    }

    private static let refusals = [
        Refusal(
            status: 400, word: "InvalidArgument", text: "Unsupported header 'x-amz-checksum-crc32c' received for this API call."
        ),
        Refusal(status: 400, word: "InvalidRequest"), Refusal(status: 501, word: "NotImplemented"),
    ]

    @Test(arguments: refusals) func savesWithoutChecksumHeadersWhereTheyAreRefused(refusal: Refusal) throws {
        let fixture = try StandInFixture { request, _ in
            request.headers.keys.contains { $0.hasPrefix("x-amz-checksum-") } && request.method != "HEAD"
                ? refusal.reply : nil
        }
        let large = patternBytes(17 << 20)
        for _ in 0..<2 {
            try fixture.save([1, 2, 3], "small")
            try fixture.save(large, "large")
        }
        #expect(fixture.server.objects == ["small": [1, 2, 3], "large": large])
        // It was refused once and never sent again; what every store checks goes along.
        let sent = fixture.server.requests.filter { ["put", "begin", "part"].contains($0.operation) }
        #expect(sent.filter { $0.headers.keys.contains { $0.hasPrefix("x-amz-checksum-") } }.count == 1)
        #expect(sent.filter { $0.operation != "begin" }.allSatisfy { $0.header("content-md5") != nil })
        #expect(fixture.log.contains("checksum headers on saves"))
    }

    @Test func sendsChecksumsToAStoreThatTakesThem() throws {
        let fixture = try StandInFixture()
        try fixture.save([1], "a")
        try fixture.save([2], "b")
        #expect(fixture.server.requests.allSatisfy { $0.header("x-amz-checksum-crc32c") != nil })
        #expect(fixture.server.count("put") == 2)
    }

    @Test func tellsWhatIsRefusedForAnotherReason() throws {
        let fixture = try StandInFixture { request, _ in
            request.operation == "put" ? .refusal(400, "InvalidStorageClass") : nil
        }
        let error = fixture.failure { try fixture.save([1], "a") }
        #expect(error?.code == .refused(status: 400, word: "InvalidStorageClass"))
        #expect(fixture.server.requests.count == 1)
        // A refusal that leaving things out does not end is no reason to do without them.
        let stubborn = try StandInFixture { request, _ in request.operation == "put" ? .refusal(501, "NotImplemented") : nil }
        #expect(stubborn.failure { try stubborn.save([1], "a") }?.code == .refused(status: 501, word: "NotImplemented"))
        #expect(!stubborn.log.contains("lacks"))
    }

    @Test func signsBodiesWhereTheyMustBe() throws {
        let fixture = try StandInFixture { request, _ in
            request.header("x-amz-content-sha256") == "UNSIGNED-PAYLOAD"
                ? .refusal(400, "InvalidArgument", "x-amz-content-sha256 must be a valid sha256 value") : nil
        }
        let large = patternBytes(17 << 20)
        try fixture.save(Array("hello".utf8), "small")
        try fixture.save(large, "large")
        #expect(fixture.server.objects == ["small": Array("hello".utf8), "large": large])
        let puts = fixture.server.requests.filter { $0.operation == "put" }
        #expect(
            puts.map { $0.header("x-amz-content-sha256") } == [
                "UNSIGNED-PAYLOAD", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
            ])
        #expect(puts.last?.header("x-amz-checksum-crc32c") != nil)
    }

    private static let large = patternBytes(33 << 20)

    @Test(arguments: [501, 412, 400]) func loadsWithoutIfMatchWhereItIsRefused(status: Int) throws {
        let fixture = try StandInFixture(["k": Self.large]) { request, _ in
            guard request.header("if-match") != nil else { return nil }
            return .refusal(status, status == 412 ? "PreconditionFailed" : "NotImplemented")
        }
        #expect(try fixture.load("k") == Self.large)
        let refused = fixture.server.requests.filter { $0.header("if-match") != nil }.count
        #expect(refused <= 4)
        #expect(try fixture.load("k") == Self.large)
        #expect(fixture.server.requests.filter { $0.header("if-match") != nil }.count == refused)
        #expect(fixture.log.contains("lacks=If-Match"))
    }

    /// The neighbour: a condition that fails because the object is another.
    @Test func anObjectThatWasReplacedIsStillNoticed() throws {
        let other = patternBytes(33 << 20, seed: 2)
        for hasConditions in [true, false] {
            let fixture = try StandInFixture(["k": Self.large]) { request, server in
                if request.operation == "head", server.count("head") == 1 {
                    defer { server.objects["k"] = other }
                    return server.answer(request)
                }
                guard request.operation == "get" else { return nil }
                let isOther = request.header("if-match").map { $0 != server.etag(server.objects["k"]!) }
                if isOther == nil { return nil }
                return hasConditions ? (isOther! ? .refusal(412, "PreconditionFailed") : nil) : .refusal(501, "NotImplemented")
            }
            let error = fixture.failure { _ = try fixture.load("k") }
            #expect(error?.code == .changed)
        }
    }

    @Test(arguments: ["refused", "unsatisfiable", "ignored", "unnamed"]) func loadsByOneRequestWhereRangesAreUnknown(
        how: String
    )
        throws
    {
        let fixture = try StandInFixture(["k": Self.large]) { request, server in
            guard request.header("range") != nil, let bytes = server.objects["k"] else { return nil }
            let tag = "ETag: \(server.etag(bytes))"
            return switch how {
            case "refused": .refusal(501, "NotImplemented")
            case "unsatisfiable": .refusal(416, "InvalidRange")
            case "ignored": Reply(headers: [tag], bytes)
            default: Reply(206, headers: [tag], Array(bytes[..<(16 << 20)]))
            }
        }
        #expect(try fixture.load("k") == Self.large)
        let ranged = fixture.server.requests.filter { $0.header("range") != nil }.count
        #expect(ranged > 0)
        #expect(try fixture.load("k") == Self.large)
        #expect(fixture.server.requests.filter { $0.header("range") != nil }.count == ranged)
    }

    @Test(arguments: [405, 403, 501]) func asksByGETWhereHEADIsRefused(status: Int) throws {
        let fixture = try StandInFixture(["k": [1, 2, 3], "d/x": [4]]) { request, _ in
            request.method == "HEAD" ? Reply(status) : nil
        }
        #expect(try fixture.load("k") == [1, 2, 3])
        #expect(try fixture.directory("d") == ["x": [4]])
        #expect(fixture.failure { _ = try fixture.load("absent") }?.isNotFound == true)
        // 501 may be about what goes along as well.
        #expect(fixture.server.requests.filter { $0.method == "HEAD" }.count == (status == 501 ? 2 : 1))
    }

    @Test func whoMayNeitherLookNorReadIsToldSo() throws {
        let fixture = try StandInFixture(["k": [1]]) { request, _ in
            request.method == "HEAD" ? Reply(403) : request.operation == "get" ? .refusal(403, "AccessDenied") : nil
        }
        let error = fixture.failure { _ = try fixture.load("k") }
        #expect(error?.message == "find s3://bkt/k: 403 AccessDenied")
        #expect(fixture.server.requests.count == 2)
    }

    @Test func loadsWithoutAskingForChecksumsWhereThatIsRefused() throws {
        let fixture = try StandInFixture(["k": [1, 2, 3]]) { request, _ in
            request.header("x-amz-checksum-mode") == nil
                ? nil : request.method == "HEAD" ? Reply(400) : .refusal(400, "InvalidRequest")
        }
        #expect(try fixture.load("k") == [1, 2, 3])
        #expect(try fixture.load("k") == [1, 2, 3])
        #expect(fixture.server.requests.filter { $0.header("x-amz-checksum-mode") != nil }.count == 1)
        // The ETag is compared all the same.
        let damaging = try StandInFixture(["k": [1, 2, 3]]) { request, server in
            if request.header("x-amz-checksum-mode") != nil { return Reply(501) }
            guard request.operation == "get" else { return nil }
            return Reply(headers: ["ETag: \(server.etag([1, 2, 3]))"], [UInt8(server.count("get")), 2, 4])
        }
        #expect(damaging.failure { _ = try damaging.load("k") }?.code == .damaged)
    }

    @Test(arguments: ["encoding-type", "list-type"]) func listsWithoutWhatIsRefused(parameter: String) throws {
        let objects = Dictionary(uniqueKeysWithValues: (0..<2500).map { (String(format: "d/%04d", $0), [UInt8(1)]) })
        let fixture = try StandInFixture(objects) { request, _ in
            request.query[parameter] == nil ? nil : .refusal(400, "InvalidArgument", "Unknown argument \(parameter).")
        }
        #expect(try fixture.store("d").list() == objects.keys.sorted())
        #expect(fixture.server.requests.filter { $0.query[parameter] != nil }.count == 1)
        try fixture.store("d/").delete()
        #expect(fixture.server.objects.isEmpty)
    }

    @Test func goesOnByTheFirstVersionWhereTheStoreKnowsOnlyThat() throws {
        let objects = Dictionary(uniqueKeysWithValues: (0..<2500).map { (String(format: "d/%04d", $0), [UInt8(1)]) })
        let fixture = try StandInFixture(objects) { request, server in
            // The parameter is passed over.
            guard request.operation == "list", request.query["list-type"] != nil else { return nil }
            var query = request.query
            query["list-type"] = nil
            return server.answer(
                S3StandIn.Request(method: "GET", key: "", query: query, headers: request.headers, body: []))
        }
        #expect(try fixture.store("d").list() == objects.keys.sorted())
    }

    @Test func savesByOneRequestWhereThereAreNoParts() throws {
        let fixture = try StandInFixture { request, _ in request.operation == "begin" ? .refusal(501, "NotImplemented") : nil }
        let bytes = patternBytes(17 << 20)
        try fixture.store("stream").upload.stream(PatternSource(bytes), fileName: "x")
        try fixture.save(bytes, "file")
        try fixture.store("again").upload.stream(PatternSource(bytes), fileName: "x")
        #expect(fixture.server.objects == ["stream": bytes, "file": bytes, "again": bytes])
        // With checksums, and without.
        #expect(fixture.server.count("begin") == 2)
        #expect(fixture.server.count("abort") == 0)
    }

    @Test func deletesOneByOneFromThenOnWhereManyAtOnceAreUnknown() throws {
        let objects = Dictionary(uniqueKeysWithValues: (0..<2100).map { (String(format: "d/%04d", $0), [UInt8(1)]) })
        let fixture = try StandInFixture(objects) { request, _ in
            request.operation == "deleteMany" ? .refusal(501, "NotImplemented") : nil
        }
        try fixture.store("d/").delete()
        #expect(fixture.server.objects.isEmpty)
        #expect(fixture.server.count("deleteMany") == 1)
    }

    // MARK: Refusals in other words

    @Test(arguments: ["<html><br></html>", "no such header", "{\"error\": 1}"]) func fallsBackWithoutS3sWords(body: String)
        throws
    {
        let fixture = try StandInFixture { request, _ in
            request.operation == "put" && request.header("x-amz-checksum-crc32c") != nil ? Reply(400, body) : nil
        }
        try fixture.save([1], "a")
        #expect(fixture.server.objects == ["a": [1]])
        #expect(!fixture.log.contains("retrying"))
    }

    @Test(arguments: [(405, ""), (411, ""), (422, "X"), (500, "NotImplemented")]) func fallsBackOnOtherStatuses(
        status: Int, word: String
    ) throws {
        let fixture = try StandInFixture { request, _ in
            guard request.operation == "put", request.header("x-amz-checksum-crc32c") != nil else { return nil }
            return word.isEmpty ? Reply(status) : .refusal(status, word)
        }
        try fixture.save([1], "a")
        #expect(fixture.server.objects == ["a": [1]])
    }

    @Test(arguments: [406, 411]) func looksByGETWhereHEADIsRefused(status: Int) throws {
        let fixture = try StandInFixture(["k": [1]]) { request, _ in request.operation == "head" ? Reply(status) : nil }
        #expect(try fixture.load("k") == [1])
    }

    @Test(arguments: [400, 415]) func savesByOneRequestWherePartsCannotBeBegun(status: Int) throws {
        let fixture = try StandInFixture { request, _ in request.operation == "begin" ? Reply(status, "no") : nil }
        let bytes = patternBytes(17 << 20)
        try fixture.save(bytes, "a")
        #expect(fixture.server.objects == ["a": bytes])
    }

    @Test(arguments: ["part", "complete", "document"]) func goesOnWithMD5WhereAChecksumIsRefusedInTheMiddle(place: String)
        throws
    {
        let fixture = try StandInFixture { request, server in
            if request.operation == "begin" {
                var reply = server.answer(request)
                reply.headers = ["x-amz-checksum-algorithm: CRC32C", "x-amz-checksum-type: FULL_OBJECT"]
                return reply
            }
            let isInDocument = String(decoding: request.body.prefix(4096), as: UTF8.self).contains("ChecksumCRC32C")
            if place == "document", request.operation == "complete" {
                return isInDocument ? .refusal(400, "MalformedXML") : nil
            }
            return request.operation == place && request.header("x-amz-checksum-crc32c") != nil
                ? .refusal(400, "InvalidArgument") : nil
        }
        let bytes = patternBytes(17 << 20)
        try fixture.save(bytes, "a")
        #expect(fixture.server.objects == ["a": bytes])
    }
}
