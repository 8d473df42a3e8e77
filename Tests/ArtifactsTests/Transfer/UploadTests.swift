import Foundation
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts

/// Uploads in parts to a store that keeps them in memory, counts, and fails as told.
@Suite struct UploadTests {
    final class MemoryStore: ArtifactDriver, MultipartTarget, MultipartUpload {
        struct State {
            var object: [UInt8]?
            var parts: [Int: [UInt8]] = [:]
            var partSizes: [Int] = []
            var kinds: Set<String> = []
            var aborts = 0
            var running = 0
            var mostRunning = 0
            var failures: [Int: Int] = [:]
            var completionError: (any Error)?
        }
        let state = Mutex(State())
        let limits: MultipartLimits
        let needs: DriverNeeds
        let hasParts: Bool

        init(
            limits: MultipartLimits = MultipartLimits(minimumPart: 5 << 20, maximumPart: 5 << 30, maximumCount: 10_000),
            needsLength: Bool = true, hasParts: Bool = true
        ) {
            self.limits = limits
            needs = DriverNeeds(length: needsLength)
            self.hasParts = hasParts
        }

        var subject: String { "memory://object" }
        func schedule(for verb: ArtifactVerb) -> RetrySchedule {
            RetrySchedule(Backoff(duration: 1000, factor: 1, jitter: 0, steps: 3))
        }
        func find() throws -> FoundArtifact { throw ArtifactError.notFound("find", subject, "never") }
        func delete(after continuation: String?) throws -> String? { nil }
        func list(after continuation: String?) throws -> KeyPage { KeyPage(keys: [], next: nil) }
        func isDirectory() throws -> Bool { false }

        func put(_ content: ObjectContent, at relative: BytePath?) throws {
            let bytes = try read(content.body)
            state.withLock { $0.object = bytes }
        }

        func multipart(at relative: BytePath?, fileName: BytePath) throws -> (any MultipartTarget)? { hasParts ? self : nil }
        func begin() throws -> any MultipartUpload { self }

        func put(part number: Int, _ body: ObjectBody) throws -> PartReceipt {
            let fails = state.withLock { state -> Bool in
                state.running += 1
                state.mostRunning = max(state.mostRunning, state.running)
                let left = state.failures[number] ?? 0
                state.failures[number] = left - 1
                return left > 0
            }
            defer { state.withLock { $0.running -= 1 } }
            if fails { throw ExecutorError.transient("part \(number) was lost") }
            let bytes = try read(body)
            state.withLock { state in
                state.parts[number] = bytes
                state.partSizes.append(bytes.count)
                if case .file = body { state.kinds.insert("file") } else { state.kinds.insert("memory") }
            }
            return PartReceipt(number: number, length: Int64(bytes.count), tag: "t\(number)", crc32c: nil)
        }

        func complete(_ parts: [PartReceipt]) throws {
            try state.withLock { state in
                if let error = state.completionError { throw error }
                #expect(parts.map(\.number) == Array(1...parts.count))
                state.object = parts.flatMap { state.parts[$0.number]! }
            }
        }

        func abort() throws { state.withLock { $0.aborts += 1 } }

        private func read(_ body: ObjectBody) throws -> [UInt8] {
            switch body {
            case .bytes(let bytes): return bytes
            case .file(let stretch):
                let sink = CollectingSink()
                try FileReading.copy(
                    stretch.file.descriptor.raw, from: stretch.offset, length: stretch.length, into: sink,
                    subject: stretch.file.subject)
                return sink.bytes
            case .stream(let source):
                var all: [UInt8] = []
                var block = [UInt8](repeating: 0, count: 1000)
                while true {
                    var span = block.mutableSpan
                    let count = try source.read(into: &span)
                    if count == 0 { return all }
                    all += block[..<count]
                }
            }
        }
    }

    private let fixture: StoreFixture
    init() throws { fixture = try StoreFixture.makeLocal() }

    private func store(_ driver: any ArtifactDriver, _ change: (inout DriverContext) -> Void = { _ in }) -> ArtifactStore {
        var context = fixture.context
        change(&context)
        return ArtifactStore(driver: driver, context: context)
    }

    private func file(_ bytes: [UInt8]) throws -> BytePath {
        try Data(bytes).write(to: fixture.folder.url.appending(path: "f"))
        return fixture.path("f")
    }

    @Test func sendsAFileInPartsSideBySide() throws {
        let memory = MemoryStore()
        let bytes = patternBytes(70 << 20)
        let record = try store(memory) { $0.uploads = UploadSettings(threads: 4) }.upload.file(at: file(bytes))
        let state = memory.state.withLock { $0 }
        #expect(state.object == bytes)
        #expect(state.partSizes.sorted() == [6 << 20, 16 << 20, 16 << 20, 16 << 20, 16 << 20])
        #expect(state.mostRunning <= 4)
        #expect(record.bytes == Int64(bytes.count) && record.objects == 1)
    }

    /// Takes its time for each part.
    private final class SlowTarget: ArtifactDriver, MultipartTarget, MultipartUpload {
        let limits = MultipartLimits(minimumPart: 5 << 20, maximumPart: 5 << 30, maximumCount: 10_000)
        let most = Monitor((running: 0, most: 0, taken: 0))

        var subject: String { "slow" }
        var needs: DriverNeeds { DriverNeeds(length: true) }
        func schedule(for verb: ArtifactVerb) -> RetrySchedule { .once }
        func find() throws -> FoundArtifact { throw ArtifactError.notFound("find", subject, "never") }
        func put(_ content: ObjectContent, at relative: BytePath?) throws {}
        func multipart(at relative: BytePath?, fileName: BytePath) throws -> (any MultipartTarget)? { self }
        func begin() throws -> any MultipartUpload { self }
        func put(part number: Int, _ body: ObjectBody) throws -> PartReceipt {
            most.update { state in
                state.running += 1
                state.most = max(state.most, state.running)
            }
            // 5 MiB in 80 ms is slow: less than 80 MB/s.
            usleep(80_000)
            most.update { $0.running -= 1 }
            return PartReceipt(number: number, length: body.length ?? 0, tag: "t", crc32c: nil)
        }
        func complete(_ parts: [PartReceipt]) throws {}
        func abort() throws {}
        func delete(after continuation: String?) throws -> String? { nil }
        func list(after continuation: String?) throws -> KeyPage { KeyPage(keys: [], next: nil) }
        func isDirectory() throws -> Bool { false }
    }

    /// Sends 80 parts that each take long.
    private func mostAtOnce(_ budget: TransferBudget, threads: Int? = nil) throws -> Int {
        let target = SlowTarget()
        let descriptor = try Descriptor.open(fixture.path("sparse"), O_RDWR | O_CREAT | O_TRUNC, mode: 0o600)
        #expect(ftruncate(descriptor.raw, 400 << 20) == 0)
        try store(target) {
            $0.uploads = UploadSettings(threads: threads, partSize: 5 << 20)
            $0.budget = budget
        }.upload.file(OpenFile(descriptor, subject: "sparse"), fileName: "sparse")
        return target.most.current.most
    }

    @Test func sendsMorePartsAtATimeWhereEachTakesLong() throws {
        let budget = TransferBudget(connections: 32, partMemory: 16 << 20)
        let most = try mostAtOnce(budget)
        #expect(most > 4 && most <= 16)
        // In the memory that is there for parts, which is given back.
        #expect(budget.takePartMemory(16 << 20))
        #expect(try mostAtOnce(TransferBudget(connections: 32, partMemory: 1 << 20)) <= 6)
        #expect(try mostAtOnce(TransferBudget(connections: 32, partMemory: 16 << 20), threads: 4) <= 4)
    }

    @Test func usesTheSizeThatTheUserWants() throws {
        let memory = MemoryStore()
        try store(memory) { $0.uploads = UploadSettings(threads: 1, partSize: 5 << 20) }.upload.file(
            at: file(patternBytes(11 << 20)))
        #expect(memory.state.withLock { $0.partSizes } == [5 << 20, 5 << 20, 1 << 20])
        #expect(memory.state.withLock { $0.mostRunning } == 1)

        // Larger than the file: it counts as not set (contract 01 §5.2).
        let whole = MemoryStore()
        try store(whole) { $0.uploads = UploadSettings(partSize: 64 << 20) }.upload.file(at: file(patternBytes(11 << 20)))
        #expect(whole.state.withLock { $0.partSizes } == [])
        #expect(whole.state.withLock { $0.object?.count } == 11 << 20)
    }

    /// Takes parts without looking at their bytes, and adds up what they cover.
    private final class CountingTarget: ArtifactDriver, MultipartTarget, MultipartUpload {
        let limits: MultipartLimits
        let parts = Mutex<[Int: Int64]>([:])
        let whole = Mutex<Int64?>(nil)
        let completed = Mutex<[Int]>([])

        init(maximumCount: Int) {
            limits = MultipartLimits(minimumPart: 5 << 20, maximumPart: 5 << 30, maximumCount: maximumCount)
        }

        var subject: String { "counting" }
        var needs: DriverNeeds { DriverNeeds(length: true) }
        func schedule(for verb: ArtifactVerb) -> RetrySchedule { .once }
        func find() throws -> FoundArtifact { throw ArtifactError.notFound("find", subject, "never") }
        func put(_ content: ObjectContent, at relative: BytePath?) throws { whole.withLock { $0 = content.body.length } }
        func multipart(at relative: BytePath?, fileName: BytePath) throws -> (any MultipartTarget)? { self }
        func begin() throws -> any MultipartUpload { self }
        func put(part number: Int, _ body: ObjectBody) throws -> PartReceipt {
            let length = body.length ?? 0
            parts.withLock { $0[number] = length }
            return PartReceipt(number: number, length: length, tag: "t", crc32c: nil)
        }
        func complete(_ parts: [PartReceipt]) throws { completed.withLock { $0 = parts.map(\.number) } }
        func abort() throws {}
        func delete(after continuation: String?) throws -> String? { nil }
        func list(after continuation: String?) throws -> KeyPage { KeyPage(keys: [], next: nil) }
        func isDirectory() throws -> Bool { false }
    }

    /// From nothing to the largest object there is, with the counts of parts that stores allow.
    @Test(arguments: [
        (0, 10_000), (1, 10_000), (16 << 20, 10_000), (16 << 20 | 1, 10_000), (5 << 30, 10_000), (5 << 30 | 1, 10_000),
        (156 << 30, 10_000), (160 << 30, 10_000), (5 << 40, 10_000), (16 << 30, 1000), (4 << 40, 1000),
    ])
    func coversFilesOfAnySize(length: Int, maximumCount: Int) throws {
        let target = CountingTarget(maximumCount: maximumCount)
        let descriptor = try Descriptor.open(fixture.path("sparse"), O_RDWR | O_CREAT | O_TRUNC, mode: 0o600)
        guard ftruncate(descriptor.raw, length) == 0 else {
            try Test.cancel("the file system of temporary files takes no file of \(length) bytes")
        }
        let record = try store(target) { $0.uploads.maximumParts = maximumCount }.upload.file(
            OpenFile(descriptor, subject: "sparse"), fileName: "sparse")
        #expect(record.bytes == Int64(length))
        let parts = target.parts.withLock { $0 }
        if length <= 16 << 20 {
            #expect(target.whole.withLock { $0 } == Int64(length))
            #expect(parts.isEmpty)
            return
        }
        #expect(target.whole.withLock { $0 } == nil)
        #expect(parts.count <= maximumCount)
        #expect(parts.values.reduce(0, +) == Int64(length))
        #expect(parts.values.allSatisfy { $0 <= 5 << 30 })
        #expect(target.completed.withLock { $0 } == Array(1...parts.count))
        for number in 1..<parts.count { #expect(parts[number, default: 0] >= 5 << 20) }
    }

    @Test func triesALostPartAgain() throws {
        let memory = MemoryStore()
        memory.state.withLock { $0.failures = [2: 2] }
        let bytes = patternBytes(40 << 20)
        let record = try store(memory).upload.file(at: file(bytes))
        #expect(memory.state.withLock { $0.object } == bytes)
        #expect(record.retries == 2)
        #expect(memory.state.withLock { $0.aborts } == 0)
    }

    @Test func dropsAllPartsWhenOneIsLostForGood() throws {
        let memory = MemoryStore()
        memory.state.withLock { $0.failures = [2: 99] }
        let error = #expect(throws: ArtifactError.self) { try store(memory).upload.file(at: file(patternBytes(40 << 20))) }
        #expect(error?.message == "timed out waiting for the condition: part 2 was lost")
        #expect(memory.state.withLock { $0.aborts } == 1)
        #expect(memory.state.withLock { $0.object } == nil)
    }

    @Test func dropsAllPartsWhenCompletingFails() throws {
        let memory = MemoryStore()
        memory.state.withLock { $0.completionError = ExecutorError.failed("no") }
        #expect(throws: ExecutorError.self) {
            try store(memory).upload.stream(PatternSource(patternBytes(12 << 20)), fileName: "x")
        }
        #expect(memory.state.withLock { $0.aborts } == 1)
    }

    @Test func keepsSmallPartsOfAStreamInMemoryAndNoMoreThanAllowed() throws {
        let memory = MemoryStore()
        let bytes = patternBytes(40_000_000)
        let budget = TransferBudget(connections: 8, partMemory: 11 << 20)
        try store(memory) { $0.budget = budget }.upload.stream(PatternSource(bytes), fileName: "x")
        let state = memory.state.withLock { $0 }
        #expect(state.object == bytes)
        #expect(state.kinds == ["memory"])
        #expect(state.mostRunning <= 2)
        // All of it is given back.
        #expect(budget.takePartMemory(11 << 20))
    }

    @Test(arguments: [0, 5 << 20]) func spoolsPartsThatTheMemoryCannotHold(partMemory: Int) throws {
        let memory = MemoryStore()
        let bytes = patternBytes(40_000_000)
        try store(memory) { $0.budget = TransferBudget(connections: 8, partMemory: partMemory) }.upload.stream(
            PatternSource(bytes), fileName: "x")
        #expect(memory.state.withLock { $0.object } == bytes)
        #expect(memory.state.withLock { $0.kinds } == ["file"])
        // The files have no names.
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.path("").text).allSatisfy { !$0.contains("part-") })
    }

    @Test func spoolsTheLargeParts() throws {
        let memory = MemoryStore()
        let bytes = patternBytes(30_000_000)
        try store(memory) { $0.uploads = UploadSettings(partSize: 10 << 20) }.upload.stream(
            PatternSource(bytes), fileName: "x")
        #expect(memory.state.withLock { $0.object } == bytes)
        #expect(memory.state.withLock { $0.kinds } == ["file"])
        #expect(memory.state.withLock { $0.mostRunning } <= 2)
    }

    @Test func givesBackMemoryWhenAPartIsLostForGood() throws {
        let budget = TransferBudget(connections: 8, partMemory: 16 << 20)
        for number in [1, 3] {
            let memory = MemoryStore()
            memory.state.withLock { $0.failures = [number: 99] }
            #expect(throws: ArtifactError.self) {
                try store(memory) { $0.budget = budget }.upload.stream(PatternSource(patternBytes(60_000_000)), fileName: "x")
            }
            #expect(memory.state.withLock { $0.aborts } == 1)
        }
        #expect(budget.takePartMemory(16 << 20))
    }

    @Test func refusesAStreamOfMorePartsThanAllowed() throws {
        let memory = MemoryStore(limits: MultipartLimits(minimumPart: 1 << 10, maximumPart: 1 << 10, maximumCount: 10))
        let fits = patternBytes(10 << 10)
        try store(memory).upload.stream(PatternSource(fits), fileName: "x")
        #expect(memory.state.withLock { $0.object } == fits)
        let error = #expect(throws: ArtifactError.self) {
            try store(memory).upload.stream(PatternSource(patternBytes(10 << 10 | 1)), fileName: "x")
        }
        #expect(error?.code == .invalid)
        #expect(memory.state.withLock { $0.aborts } == 1)
    }

    @Test func spoolsAStreamWhereTheLengthMustBeKnown() throws {
        let memory = MemoryStore(hasParts: false)
        let bytes = patternBytes(3_000_000)
        try store(memory).upload.stream(PatternSource(bytes), fileName: "x")
        #expect(memory.state.withLock { $0.object } == bytes)
    }

    @Test func passesAStreamOnWhereNoLengthIsNeeded() throws {
        let memory = MemoryStore(needsLength: false, hasParts: false)
        let bytes = patternBytes(3_000_000)
        let record = try store(memory).upload.stream(PatternSource(bytes), fileName: "x")
        #expect(memory.state.withLock { $0.object } == bytes)
        #expect(record.bytes == 3_000_000)
    }

    @Test func noticesAFileThatBecomesShorter() throws {
        let path = try file(patternBytes(1000))
        let open = OpenFile(try Descriptor.open(path, O_RDONLY), subject: path.text)
        let stretch = FileStretch(open, offset: 0, length: 2000)
        let error = #expect(throws: ArtifactError.self) {
            try store(MemoryStore()).upload.send(stretch, at: nil, fileName: "f", TransferMeter())
        }
        #expect(error?.message.contains("became shorter") == true)
    }

    @Test func savesOnlyRegularFilesAsAFile() throws {
        mkfifo(fixture.path("pipe").text, 0o644)
        for (name, kind) in [("pipe", "named pipe"), (".", "directory")] {
            let error = #expect(throws: ArtifactError.self) {
                try store(MemoryStore()).upload.file(at: fixture.path(name))
            }
            #expect(error?.message.contains(kind) == true)
        }
    }
}
