import Foundation
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts

/// Answers that say less than those before: what was told when the object was found still counts.
@Suite struct UnmeasuredAnswerTests {
    private typealias Reply = S3StandIn.Reply

    private static let small = patternBytes(100_000)
    /// Read in ranges, where the store knows them.
    private static let large = patternBytes(33 << 20)
    private static func bytes(_ size: String) -> [UInt8] { size == "small" ? small : large }

    private static let chunked = "Transfer-Encoding: chunked"

    /// A store behind a proxy that passes the whole on without a length, whatever was asked for.
    private func fixture(
        _ size: String, always: Bool = false, tagged: Bool = true, _ change: @escaping @Sendable ([UInt8], Int) -> [UInt8]
    ) throws -> StandInFixture {
        let bytes = Self.bytes(size)
        return try StandInFixture(
            ["a": bytes],
            rule: { request, server in
                guard request.operation == "get" else { return nil }
                return Reply(
                    headers: (tagged ? ["ETag: \(server.etag(bytes))"] : []) + [Self.chunked],
                    change(bytes, server.count("get")))
            }, change: { $0.verifiesAlways = always })
    }

    @Test(arguments: ["small", "large"], [true, false]) func loadsWhatIsWhole(size: String, tagged: Bool) throws {
        #expect(try fixture(size, tagged: tagged) { bytes, _ in bytes }.load("a") == Self.bytes(size))
        #expect(try fixture(size, tagged: tagged) { bytes, _ in bytes }.stream("a") == Self.bytes(size))
    }

    @Test(arguments: ["small", "large"], [true, false]) func refusesHalf(size: String, tagged: Bool) throws {
        let fixture = try fixture(size, tagged: tagged) { bytes, _ in Array(bytes[..<(bytes.count / 2)]) }
        for call in [{ _ = try fixture.load("a") }, { _ = try fixture.stream("a") }] {
            let message = fixture.failure(call)?.message ?? "no error"
            #expect(message.contains("unexpected EOF") || message.contains("of \(Self.bytes(size).count)"), "\(message)")
        }
    }

    @Test func readsOnWhereHalfCameOnce() throws {
        let fixture = try fixture("small") { bytes, count in count == 1 ? Array(bytes[..<5000]) : bytes }
        #expect(try fixture.load("a") == Self.small)
    }

    @Test(arguments: [false, true]) func comparesTheMD5OfTheETagAllTheSame(always: Bool) throws {
        let fixture = try fixture("small", always: always) { bytes, count in
            var damaged = bytes
            damaged[count] ^= 1
            return damaged
        }
        #expect(fixture.failure { _ = try fixture.load("a") }?.code == .damaged)
        // Nor need the answer repeat the tag.
        let bare = try self.fixture("small", always: always, tagged: false) { bytes, count in
            var damaged = bytes
            damaged[count] ^= 1
            return damaged
        }
        #expect(bare.failure { _ = try bare.load("a") }?.code == .damaged)
    }

    @Test func refusesAPartThatDoesNotSayWhichOneItIs() throws {
        let fixture = try StandInFixture(["a": Self.small]) { request, server in
            guard request.operation == "get" else { return nil }
            return Reply(206, headers: ["ETag: \(server.etag(Self.small))"], Array(Self.small[..<50_000]))
        }
        #expect(fixture.failure { _ = try fixture.load("a") } != nil)
    }

    /// A store that refuses its own tag, and is quick to say that it has that very object: other ranges find that out meanwhile.
    @Test func manyRangesGetOverARefusedConditionAtOnce() throws {
        for tag in ["\"abcd\"", "W/\"abcd\""] {
            let fixture = try StandInFixture(["a": Self.large]) { request, _ in
                if request.operation == "head" {
                    return Reply(headers: ["ETag: \(tag)", "Accept-Ranges: bytes", "Content-Length: \(Self.large.count)"], [])
                }
                guard request.operation == "get" else { return nil }
                if request.header("if-match") != nil { return .refusal(412, "PreconditionFailed") }
                let ends = (request.header("range") ?? "bytes=0-").dropFirst(6).split(separator: "-").compactMap { Int($0) }
                let last = min(ends.count > 1 ? ends[1] : .max, Self.large.count - 1)
                return Reply(
                    206, headers: ["ETag: \(tag)", "Content-Range: bytes \(ends[0])-\(last)/\(Self.large.count)"],
                    Array(Self.large[ends[0]...last]))
            }
            #expect(try fixture.load("a") == Self.large)
        }
    }

    /// Proxies add the mark of a weak tag, or lose the quotes.
    @Test(arguments: ["W/\"abcd\"", "abcd"]) func takesATagForTheSameInAnotherForm(told: String) throws {
        let fixture = try StandInFixture(["a": Self.large]) { request, _ in
            if request.operation == "head" {
                return Reply(
                    headers: ["ETag: \"abcd\"", "Accept-Ranges: bytes", "Content-Length: \(Self.large.count)"], [])
            }
            guard request.operation == "get" else { return nil }
            let ends = (request.header("range") ?? "bytes=0-").dropFirst(6).split(separator: "-").compactMap { Int($0) }
            let last = min(ends.count > 1 ? ends[1] : .max, Self.large.count - 1)
            return Reply(
                206, headers: ["ETag: \(told)", "Content-Range: bytes \(ends[0])-\(last)/\(Self.large.count)"],
                Array(Self.large[ends[0]...last]))
        }
        #expect(try fixture.load("a") == Self.large)
    }

    @Test func takesTheLengthOfAnEmptyHeadForNone() throws {
        let fixture = try StandInFixture(["a": Self.small]) { request, server in
            guard request.operation == "head" else { return nil }
            return Reply(headers: ["ETag: \(server.etag(Self.small))", "Content-Length: 0"], [])
        }
        #expect(try fixture.load("a") == Self.small)
    }
}
