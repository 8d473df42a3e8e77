import Foundation
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts

/// Listings: nothing in them is left out in silence, and what makes no sense is not asked for again.
@Suite struct S3ListingTests {
    private typealias Reply = S3StandIn.Reply

    private static func page(_ keys: [String], _ more: String = "<IsTruncated>false</IsTruncated>") -> S3StandIn.Reply {
        S3StandIn.Reply(
            "<ListBucketResult>\(more)" + keys.map { "<Contents><Key>\($0)</Key><Size>1</Size></Contents>" }.joined()
                + "</ListBucketResult>")
    }

    private func fixture(_ objects: [String: [UInt8]] = [:], list: @escaping @Sendable (S3StandIn.Request) -> S3StandIn.Reply?)
        throws -> StandInFixture
    {
        try StandInFixture(objects) { request, _ in request.operation == "list" ? list(request) : nil }
    }

    @Test func readsPages() throws {
        let fixture = try fixture { request in
            guard request.query["continuation-token"] == nil else { return Self.page(["d/z"]) }
            return Reply(
                """
                <?xml version="1.0" encoding="UTF-8"?>
                <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>true</IsTruncated>
                <NextContinuationToken>a/b+c==</NextContinuationToken><EncodingType>url</EncodingType>
                <Contents><Key>d/new%0Aline+x%2By</Key><Size>12</Size><ETag>"e"</ETag></Contents>
                <Contents><Key>d/%C3%A4</Key></Contents></ListBucketResult>
                """)
        }
        #expect(try fixture.store("d").list() == ["d/new\nline x+y", "d/ä", "d/z"])
        #expect(fixture.server.requests.last?.query["continuation-token"] == "a/b+c==")
    }

    /// A store that encodes as it is asked to, and does not say so.
    @Test(arguments: ["p%20q/a%2Bb", "p+q%2Fa%2Bb"]) func decodesKeysThatBeginWithThePrefixOnceDecoded(text: String) throws {
        let fixture = try fixture(["p q/a+b": [7], "p q/c": [8]]) { _ in
            Self.page([text, text.replacingOccurrences(of: "a%2Bb", with: "c")])
        }
        #expect(try fixture.directory("p q") == ["a+b": [7], "c": [8]])
    }

    /// A key with a percent sign may be meant as it is: the store is asked whether it has that one.
    @Test func asksWhetherKeysAreEncodedWhereThePrefixDoesNotTell() throws {
        let plain = try fixture(["d/100%25": [1]]) { request in
            request.query["prefix"] == "d/" || request.query["prefix"] == "d/100%25" ? Self.page(["d/100%25"]) : Self.page([])
        }
        #expect(try plain.directory("d") == ["100%25": [1]])
        let encoded = try fixture(["d/100%": [2]]) { request in
            request.query["prefix"] == "d/" ? Self.page(["d/100%25"]) : Self.page([])
        }
        #expect(try encoded.directory("d") == ["100%": [2]])
    }

    @Test func aKeyThatDoesNotBeginWithThePrefixIsAnError() throws {
        let fixture = try fixture { _ in Self.page(["d/a", "elsewhere"]) }
        let calls: [() throws -> Void] = [
            { _ = try fixture.directory("d") }, { _ = try fixture.store("d").list() },
            { _ = try fixture.store("d").isDirectory() },
            { try fixture.store("d/").delete() },
        ]
        for call in calls {
            let error = fixture.failure(call)
            #expect(error?.code == .unintelligible)
            #expect(error?.message.contains("'elsewhere', which does not begin with 'd/'") == true)
        }
        #expect(fixture.server.count("deleteMany") == 0)
        #expect(!fixture.log.contains("retrying"))
    }

    @Test(arguments: [
        "<Contents><Size>1</Size></Contents>", "<Contents><Key>d/a</Key><Size>-1</Size></Contents>",
        "<Contents><Key>d/a</Key><Size>99999999999999999999</Size></Contents>",
        "<Contents><Key>d/a</Key><Size>x</Size></Contents>",
    ])
    func anEntryThatMakesNoSenseIsAnError(entry: String) throws {
        let fixture = try fixture { _ in Reply("<ListBucketResult>\(entry)</ListBucketResult>") }
        #expect(fixture.failure { _ = try fixture.directory("d") }?.code == .unintelligible)
        #expect(fixture.server.count("list") == 1)
    }

    @Test func aListThatGoesOnWithoutATokenIsToldAtOnce() throws {
        let fixture = try fixture { _ in Self.page(["d/a"], "<IsTruncated>true</IsTruncated><NextMarker>d/a</NextMarker>") }
        let error = fixture.failure { _ = try fixture.directory("d") }
        #expect(
            error?.message.contains("the store answers ListObjectsV2 without NextContinuationToken: it knows only version 1")
                == true)
        #expect(fixture.server.count("list") <= 4)
        #expect(!fixture.log.contains("retrying"))
    }

    @Test func aTokenThatComesAgainEndsTheList() throws {
        let fixture = try fixture { request in
            let next = request.query["continuation-token"] == "A" ? "B" : "A"
            return Self.page(
                ["d/\(next)"], "<IsTruncated>true</IsTruncated><NextContinuationToken>\(next)</NextContinuationToken>")
        }
        for call in [{ _ = try fixture.store("d").list() }, { try fixture.store("d/").delete() }] {
            let message = fixture.failure(call)?.message ?? "no error"
            #expect(message.contains("continuation token"), "\(message)")
        }
        // Here the second load of one key may come to an error first.
        #expect(fixture.failure { _ = try fixture.directory("d") } != nil)
        let same = try self.fixture { _ in
            Self.page(["d/x"], "<IsTruncated>true</IsTruncated><NextContinuationToken>A</NextContinuationToken>")
        }
        #expect(same.failure { _ = try same.store("d").list() }?.code == .unintelligible)
        #expect(same.server.count("list") == 2)
    }

    @Test(arguments: [
        ("", true), ("<ListBucketResult><IsTruncated>fal", true), ("<?xml version=\"1.0\"?>", true),
        ("<html><body>Sign in<br></body></html>", false), ("<!DOCTYPE html><html>", false), ("Sign in", false),
        ("<Other/>", false), ("{\"error\": 1}", false),
    ])
    func asksAgainOnlyWhereAnAnswerWasCut(body: String, isCut: Bool) throws {
        let fixture = try fixture { _ in Reply(body) }
        let error = fixture.failure { _ = try fixture.store("d").list() }
        #expect(fixture.server.count("list") == (isCut ? 5 : 1))
        #expect(error?.code == (isCut ? .exhausted : .unintelligible))
    }

    @Test func anErrorInAnAnswerOfSuccessIsOne() throws {
        let fixture = try fixture { _ in Reply("<Error><Code>AccessDenied</Code></Error>") }
        #expect(fixture.failure { _ = try fixture.store("d").list() }?.code == .refused(status: 200, word: "AccessDenied"))
    }

    @Test func namesWithNULAreRefused() throws {
        let fixture = try fixture(["d/a": [1]]) { _ in
            Reply(
                "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>d/a%00b</Key></Contents></ListBucketResult>")
        }
        let error = fixture.failure { _ = try fixture.directory("d") }
        #expect(error?.message.contains("'s3://bkt/d/a\\0b' has a NUL") == true)
        #expect(fixture.failure { _ = try fixture.store("a\0b") }?.code == .invalid)
    }

    @Test func warnsOfAMarkerThatHoldsSomething() throws {
        let fixture = try fixture(["d/a": [1]]) { _ in
            Reply(
                "<ListBucketResult><Contents><Key>d/</Key><Size>0</Size></Contents><Contents><Key>d/x/</Key><Size>9</Size></Contents><Contents><Key>d/a</Key></Contents></ListBucketResult>"
            )
        }
        #expect(try fixture.directory("d") == ["a": [1]])
        #expect(fixture.log.contains("left out an object whose key ends in a slash"))
        #expect(fixture.log.contains("s3://bkt/d/x/"))
        #expect(!fixture.log.contains("object=s3://bkt/d/ "))
    }

    @Test(arguments: ["<html>Sign in</html>", "<ListBucketResult/>", ""]) func onlyTheOutcomeOfADeletionIsOne(body: String)
        throws
    {
        let fixture = try StandInFixture(["d/a": [1], "d/b": [1]]) { request, _ in
            request.operation == "deleteMany" ? Reply(body) : nil
        }
        #expect(fixture.failure { try fixture.store("d/").delete() } != nil)
    }

    @Test func aDeletionOfWhatNobodyAskedForIsAnError() throws {
        for (told, isRight) in [("d/a", true), ("d%2Fa", true), ("other", false)] {
            let fixture = try StandInFixture(["d/a": [1], "d/b": [1]]) { request, _ in
                request.operation == "deleteMany"
                    ? Reply("<DeleteResult><Deleted><Key>\(told)</Key></Deleted></DeleteResult>") : nil
            }
            let error = fixture.failure { try fixture.store("d/").delete() }
            #expect((error == nil) == isRight)
        }
    }

    // MARK: What stores write otherwise

    @Test(arguments: [
        "<IsTruncated>True</IsTruncated>", "<IsTruncated>TRUE</IsTruncated>", "<IsTruncated>1</IsTruncated>",
        "<IsTruncated>\n true\n</IsTruncated>", "",
    ])
    func goesOnHoweverTheStoreSaysSo(truncated: String) throws {
        let fixture = try fixture { request in
            request.query["continuation-token"] == "A"
                ? Self.page(["d/b"]) : Self.page(["d/a"], truncated + "<NextContinuationToken>A</NextContinuationToken>")
        }
        #expect(try fixture.store("d").list() == ["d/a", "d/b"])
    }

    @Test(arguments: [
        ("<CommonPrefixes><Prefix>d/sub/</Prefix></CommonPrefixes>", "'d/sub/' in place of the keys below it"),
        ("<KeyCount>5</KeyCount>", "lists 1 keys, but counts 5"), ("<IsTruncated>maybe</IsTruncated>", "'maybe'"),
    ])
    func aListThatLeavesKeysOutIsAnError(more: String, cause: String) throws {
        let fixture = try fixture { _ in Self.page(["d/a"], more) }
        let error = fixture.failure { _ = try fixture.store("d").list() }
        #expect(error?.code == .unintelligible)
        #expect(error?.message.contains(cause) == true)
        #expect(fixture.server.count("list") == 1)
    }

    /// The first version of the request, with markers that are no keys, or with one that is listed again.
    @Test(arguments: [true, false]) func goesOnFromTheMarkerThatIsTold(refusesSecond: Bool) throws {
        let fixture = try fixture { request in
            if refusesSecond, request.query["list-type"] != nil { return .refusal(405, "MethodNotAllowed") }
            let more = "<IsTruncated>true</IsTruncated>"
            return switch request.query["marker"] {
            case nil: Self.page(["d/a", "d/b"], more + "<NextMarker>M1</NextMarker>")
            case "M1": Self.page(["d/c", "d/d"], more)
            case "d/d": Self.page(["d/d", "d/e"])
            default: .refusal(400, "InvalidArgument")
            }
        }
        #expect(try fixture.store("d").list() == ["d/a", "d/b", "d/c", "d/d", "d/e"])
    }

    @Test func sizesMayHaveBlanksAroundThem() throws {
        let fixture = try fixture(["d/a": [1, 2]]) { _ in
            Reply("<ListBucketResult><Contents><Key>d/a</Key><Size>\n 2 \n</Size></Contents></ListBucketResult>")
        }
        #expect(try fixture.directory("d") == ["a": [1, 2]])
    }

    @Test func pagesMayOverlapButNotForEver() throws {
        let fixture = try fixture(["d/a": [1], "d/b": [2], "d/c": [3]]) { request in
            request.query["continuation-token"] == "A"
                ? Self.page(["d/b", "d/c"])
                : Self.page(["d/a", "d/b"], "<IsTruncated>1</IsTruncated><NextContinuationToken>A</NextContinuationToken>")
        }
        #expect(try fixture.directory("d") == ["a": [1], "b": [2], "c": [3]])
        let endless = try self.fixture(["d/a": [1]]) { request in
            let next = (request.query["continuation-token"] ?? "") + "x"
            return Self.page(
                ["d/a"], "<IsTruncated>true</IsTruncated><NextContinuationToken>\(next)</NextContinuationToken>")
        }
        #expect(endless.failure { _ = try endless.directory("d") }?.message.contains("again and again") == true)
    }

    @Test(arguments: ["d/a&b", "d/a&#1;b"]) func aWholeDocumentThatIsNotWellFormedIsNotAskedForAgain(key: String) throws {
        let fixture = try fixture { _ in Self.page([key]) }
        let error = fixture.failure { _ = try fixture.store("d").list() }
        #expect(error?.code == .unintelligible)
        #expect(error?.message.contains("not well-formed XML") == true)
        #expect(fixture.server.count("list") == 1)
    }

    @Test func dotsTakeBackWhatStandsBeforeThemInside() throws {
        let inside = try StandInFixture(["d/a/../b": [1], "d/c": [2]])
        #expect(try inside.directory("d") == ["b": [1], "c": [2]])
        for objects in [["d/a/../../b": [UInt8(1)]], ["d/a/../b": [1], "d/b": [2]], ["d/a/..": [1]]] {
            let fixture = try StandInFixture(objects)
            #expect(fixture.failure { _ = try fixture.directory("d") }?.code == .invalid)
        }
    }
}
