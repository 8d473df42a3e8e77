import Digests
import Foundation
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts

/// Reads over requests that fail, of stores with few gifts.
@Suite struct ObjectReadingTests {
    /// An object whose requests do what a script says: the bytes to give before breaking off; after the script's end all.
    private final class ScriptedObject: StoredObject {
        let bytes: [UInt8]
        let template: ObjectHead
        private let script: Mutex<[Int]>
        let requests = Mutex<[(offset: Int64, length: Int64?, validator: String?)]>([])

        init(_ bytes: [UInt8], _ template: ObjectHead, script: [Int]) {
            self.bytes = bytes
            self.template = template
            self.script = Mutex(script)
        }

        var subject: String { "scripted" }
        var head: ObjectHead { ObjectHead(supportsRanges: template.supportsRanges) }
        func describe() throws -> ObjectHead { template }

        func read(
            from offset: Int64, length: Int64?, validator: String?, receive: (ObjectHead) throws -> any ByteSink
        ) throws {
            requests.withLock { $0.append((offset, length, validator)) }
            var head = template
            head.offset = template.supportsRanges ? offset : 0
            let sink = try receive(head)
            let end = length.map { min(bytes.count, Int(head.offset + $0)) } ?? bytes.count
            let limit = script.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            let stop = min(end, Int(head.offset) + (limit ?? .max - Int(head.offset)))
            let given = Array(bytes[Int(head.offset)..<stop])
            try sink.write(given.span)
            if limit != nil { throw ExecutorError.transient("connection reset by peer") }
        }
    }

    private func stream(_ object: ScriptedObject) throws -> [UInt8] {
        let sink = CollectingSink()
        try StoreFixture.makeLocal().retrying("any").download.stream(object, into: sink)
        return sink.bytes
    }

    private let bytes = patternBytes(100_000)

    @Test func asksForTheRestOnlyAndOfTheSameObject() throws {
        let object = ScriptedObject(
            bytes, ObjectHead(length: 100_000, validator: "v1", supportsRanges: true), script: [10, 0, 500])
        #expect(try stream(object) == bytes)
        let requests = object.requests.withLock { $0 }
        #expect(requests.map(\.offset) == [0, 10, 10, 510])
        #expect(requests.map(\.validator) == [nil, "v1", "v1", "v1"])
    }

    @Test func skipsWhatItHasWhereTheStoreKnowsNoRanges() throws {
        let object = ScriptedObject(
            bytes, ObjectHead(length: 100_000, validator: "v1", supportsRanges: false), script: [40_000, 70_000, 10])
        #expect(try stream(object) == bytes)
        #expect(object.requests.withLock { $0.map(\.offset) } == [0, 0, 0, 0])
    }

    @Test func goesOnAsLongAsSomethingComes() throws {
        let object = ScriptedObject(
            bytes, ObjectHead(length: 100_000, validator: "v1", supportsRanges: true), script: Array(repeating: 100, count: 300)
        )
        #expect(try stream(object) == bytes)
    }

    @Test func givesUpWhereNothingComesAnyMore() throws {
        let object = ScriptedObject(
            bytes, ObjectHead(length: 100_000, validator: "v1", supportsRanges: true),
            script: [100] + Array(repeating: 0, count: 50))
        let error = #expect(throws: ArtifactError.self) { try stream(object) }
        #expect(error?.code == .exhausted)
        #expect(error?.message == "timed out waiting for the condition: connection reset by peer")
        // The one that brought something is the first of the schedule's five.
        #expect(object.requests.withLock { $0.count } == 5)
    }

    @Test func noticesAnObjectThatEndsTooEarly() throws {
        let short = ScriptedObject(Array(bytes[..<60_000]), ObjectHead(length: 100_000, supportsRanges: true), script: [])
        let error = #expect(throws: ArtifactError.self) { try stream(short) }
        #expect(error?.message.contains("60000 of 100000 bytes came") == true)
    }

    @Test func isCompleteWhenTheLastByteCameBeforeTheBreak() throws {
        let object = ScriptedObject(
            bytes, ObjectHead(length: 100_000, validator: "v", supportsRanges: true), script: [100_000])
        #expect(try stream(object) == bytes)
        #expect(object.requests.withLock { $0.count } == 1)
    }

    @Test func readsLargeObjectsInRangesAndJoinsTheChecksum() throws {
        let large = patternBytes(33 << 20 | 12345)
        let fixture = try StoreFixture.makeLocal()
        let value = CyclicChecksum.crc32c.update(0, large.span)
        let right = ObjectHead(
            length: Int64(large.count), validator: "v", checksum: .cyclic(.crc32c, value), supportsRanges: true)
        let object = ScriptedObject(large, right, script: [1 << 20, 5, 0])
        try fixture.retrying("any").download.file(object, at: fixture.path("f"))
        #expect(try fixture.content("f") == Data(large))
        #expect(object.requests.withLock { $0.allSatisfy { $0.length != nil && $0.validator == "v" } })

        var wrong = right
        wrong.checksum = .cyclic(.crc32c, value ^ 1)
        let error = #expect(throws: ArtifactError.self) {
            try fixture.retrying("any").download.file(ScriptedObject(large, wrong, script: []), at: fixture.path("g"))
        }
        #expect(error?.message.contains("checksum") == true)
        // What is damaged does not stay.
        #expect(!FileManager.default.fileExists(atPath: fixture.path("g").text))
    }

    @Test func doesNotReadInRangesWithoutAValidator() throws {
        let large = patternBytes(33 << 20)
        let fixture = try StoreFixture.makeLocal()
        let object = ScriptedObject(large, ObjectHead(length: Int64(large.count), supportsRanges: true), script: [])
        try fixture.retrying("any").download.file(object, at: fixture.path("f"))
        #expect(object.requests.withLock { $0.count } == 1)
        #expect(try fixture.content("f") == Data(large))
    }
}
