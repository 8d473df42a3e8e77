import Documents
import Foundation
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts

/// The region that requests are signed for, and how it is found out (contract 03 §6.1).
@Suite struct S3RegionTests {
    private let fixture: StoreFixture

    init() throws {
        fixture = try StoreFixture(.s3Stub(bucket: "bkt", secrets: ["keys/access": "AK", "keys/secret": "SK"]))
    }

    private var context: DriverContext {
        var context = fixture.context
        context.localStore = nil
        return context
    }

    private static let listing =
        "<ListBucketResult><Contents><Key>k/x</Key><Size>1</Size></Contents></ListBucketResult>"

    /// A bucket in a region: any other is answered as told, and the question for it as told.
    private func bucket(
        in region: String, otherwise wrong: AWSStandIn.Answer, location: AWSStandIn.Answer = .init(status: 403)
    ) throws -> AWSStandIn {
        try AWSStandIn { request, _ in
            if request.target == "/bkt?location=" { return location }
            return request.region == region ? .init(body: Self.listing) : wrong
        }
    }

    private func list(_ standIn: AWSStandIn, _ more: JSONValue = [:], context: DriverContext? = nil) throws -> [String] {
        try fixture.store("k", endpoint: standIn.endpoint, context: context ?? self.context, more).list()
    }

    private func locationIs(_ text: String) -> AWSStandIn.Answer {
        .init(
            body: "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(text)</LocationConstraint>")
    }

    @Test(arguments: ["AuthorizationHeaderMalformed", "InvalidRegion", "AccessDenied", "PermanentRedirect"])
    func repeatsInTheRegionThatAnErrorNames(word: String) throws {
        let status = word == "PermanentRedirect" ? 301 : word == "AccessDenied" ? 403 : 400
        let wrong = AWSStandIn.refusal(status, word, "<Region>eu-central-1</Region>")
        let standIn = try bucket(in: "eu-central-1", otherwise: wrong)
        let context = context
        #expect(try list(standIn, context: context) == ["k/x"])
        #expect(standIn.requests.map(\.region) == ["us-east-1", "eu-central-1"])
        // It is remembered for the bucket.
        #expect(try list(standIn, context: context) == ["k/x"])
        #expect(standIn.requests.map(\.region) == ["us-east-1", "eu-central-1", "eu-central-1"])
    }

    @Test(arguments: [301, 307, 400, 403]) func readsTheRegionInAHeader(status: Int) throws {
        var wrong = AWSStandIn.Answer(
            status: status, headers: ["x-amz-bucket-region: ap-south-1", "Location: http://127.0.0.1:1/"])
        if status == 400 { wrong.body = "<Error><Code>AuthorizationHeaderMalformed</Code></Error>" }
        let standIn = try bucket(in: "ap-south-1", otherwise: wrong)
        #expect(try list(standIn) == ["k/x"])
        #expect(standIn.requests.map(\.region) == ["us-east-1", "ap-south-1"])
    }

    @Test(arguments: [("EU", "eu-west-1"), ("eu-north-1", "eu-north-1")])
    func asksForTheRegionWhereTheErrorDoesNotTell(told: String, region: String) throws {
        for wrong in [
            AWSStandIn.refusal(403, "SignatureDoesNotMatch"), AWSStandIn.refusal(400, "AuthorizationHeaderMalformed"),
            .init(status: 400), .init(status: 301),
        ] {
            let standIn = try bucket(in: region, otherwise: wrong, location: locationIs(told))
            #expect(try list(standIn) == ["k/x"])
            #expect(standIn.requests.map(\.region) == ["us-east-1", "us-east-1", region])
            #expect(standIn.lines[1] == "GET /bkt?location=")
        }
    }

    @Test func learnsTheRegionFromARefusedQuestion() throws {
        let standIn = try bucket(
            in: "eu-south-1", otherwise: .init(status: 400),
            location: AWSStandIn.refusal(403, "AccessDenied", "<Region>eu-south-1</Region>"))
        #expect(try list(standIn) == ["k/x"])
    }

    @Test(arguments: ["", "us-east-1"]) func theErrorStandsWhereTheRegionWasRight(location: String) throws {
        let standIn = try bucket(
            in: "nowhere", otherwise: AWSStandIn.refusal(403, "AccessDenied"), location: locationIs(location))
        let context = context
        for _ in 0..<2 {
            let error = #expect(throws: ArtifactError.self) { try list(standIn, context: context) }
            #expect(error?.code == .refused(status: 403, word: "AccessDenied"))
        }
        // Asked once for the bucket.
        #expect(standIn.lines.filter { $0 == "GET /bkt?location=" }.count == 1)
        #expect(standIn.requests.count == 3)
    }

    @Test func theErrorStandsWhereNobodyKnowsTheRegion() throws {
        for location in [AWSStandIn.Answer(status: 403), .init(status: 500), .init(body: "<html>"), locationIs("a/b\nc")] {
            let standIn = try bucket(in: "nowhere", otherwise: AWSStandIn.refusal(403, "AccessDenied"), location: location)
            let error = #expect(throws: ArtifactError.self) { try list(standIn) }
            #expect(error?.code == .refused(status: 403, word: "AccessDenied"))
            #expect(standIn.requests.count == 2)
        }
    }

    @Test func goesNoFurtherThanOneCorrection() throws {
        let standIn = try AWSStandIn { _, number in
            AWSStandIn.refusal(400, "AuthorizationHeaderMalformed", "<Region>r-\(number)</Region>")
        }
        #expect(throws: ArtifactError.self) { try list(standIn) }
        #expect(standIn.requests.count == 2)
    }

    @Test func keepsToTheRegionOfTheLocation() throws {
        for wrong in [
            AWSStandIn.refusal(400, "AuthorizationHeaderMalformed", "<Region>eu-central-1</Region>"), .init(status: 301),
        ] {
            let standIn = try bucket(in: "eu-central-1", otherwise: wrong)
            let error = #expect(throws: ArtifactError.self) { try list(standIn, ["region": "eu-west-3"]) }
            #expect(error?.message.contains(String(wrong.status)) == true)
            #expect(standIn.requests.map(\.region) == ["eu-west-3"])
        }
    }

    /// Elsewhere a redirect is an error; it is never followed with signed headers.
    @Test(arguments: [302, 303, 308]) func followsNoRedirect(status: Int) throws {
        let standIn = try AWSStandIn { _, _ in .init(status: status, headers: ["Location: /elsewhere"]) }
        let error = #expect(throws: ArtifactError.self) { try list(standIn) }
        #expect(error?.code == .refused(status: status, word: ""))
        #expect(standIn.requests.count == 1)
    }

    @Test func sendsABodyAnewInTheRightRegion() throws {
        let standIn = try AWSStandIn { request, _ in
            request.region == "eu-central-1"
                ? .init(headers: ["ETag: \"stored\""])
                : AWSStandIn.refusal(400, "AuthorizationHeaderMalformed", "<Region>eu-central-1</Region>")
        }
        try fixture.folder.write(Data("hello world".utf8), to: "f")
        let record = try fixture.store("k", endpoint: standIn.endpoint, context: context).upload.file(at: fixture.path("f"))
        #expect(standIn.requests.map { String(decoding: $0.body, as: UTF8.self) } == ["hello world", "hello world"])
        #expect(record.retries == 0)
    }
}
