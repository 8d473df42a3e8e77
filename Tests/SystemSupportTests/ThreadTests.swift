import Glibc
import Synchronization
import SystemSupport
import Testing

private struct Odd: Error, Equatable { let index: Int }

@Suite struct ThreadTests {
    @Test func runsEveryIndexOnce() throws {
        let counts = Mutex([Int](repeating: 0, count: 500))
        try Parallel.forEach(count: 500, width: 16) { index in counts.withLock { $0[index] += 1 } }
        #expect(counts.withLock { $0.allSatisfy { $0 == 1 } })
    }

    @Test(arguments: [1, 4]) func throwsTheFirstFailureByIndex(width: Int) {
        let error = #expect(throws: Odd.self) {
            try Parallel.forEach(count: 100, width: width) { index in if index >= 3 { throw Odd(index: index) } }
        }
        #expect(error == Odd(index: 3))
    }

    @Test func neverRunsMoreThanItsWidth() throws {
        let running = Mutex((now: 0, most: 0))
        try Parallel.forEach(count: 64, width: 3) { _ in
            running.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            sched_yield()
            running.withLock { $0.now -= 1 }
        }
        #expect(running.withLock { $0.most } <= 3)
    }

    @Test func followsAWidthThatGrowsAndShrinks() throws {
        let width = Atomic(1)
        let running = Monitor((now: 0, most: 0))
        let done = Mutex([Int]())
        try Parallel.forEach(count: 300, width: { width.load(ordering: .sequentiallyConsistent) }) { index in
            let now = running.update { state in
                state = (state.now + 1, max(state.most, state.now + 1))
                return state.now
            }
            if index < 20 { #expect(now == 1) }
            if index == 20 { width.store(3, ordering: .sequentiallyConsistent) }
            // Only a second thread can end this wait.
            if index == 30 { #expect(running.wait(atMost: 60_000_000_000) { $0.most > 1 ? true : nil } != nil) }
            if index == 150 { width.store(0, ordering: .sequentiallyConsistent) }
            done.withLock { $0.append(index) }
            running.update { $0.now -= 1 }
        }
        #expect(done.withLock { $0.sorted() } == Array(0..<300))
        #expect(running.current.most <= 3)
    }

    @Test func threadsLeaveWhereTheWidthShrinks() throws {
        let width = Atomic(4)
        let begun = Mutex([pthread_t: Int]())
        try Parallel.forEach(count: 200, width: { width.load(ordering: .sequentiallyConsistent) }) { index in
            if width.load(ordering: .sequentiallyConsistent) == 1 {
                begun.withLock { $0[pthread_self(), default: 0] += 1 }
            }
            if index == 50 { width.store(1, ordering: .sequentiallyConsistent) }
        }
        // Each of the three that leave may have been about to begin one more.
        let counts = begun.withLock { Array($0.values) }
        #expect(counts.reduce(0, +) - (counts.max() ?? 0) <= 3)
    }

    @Test func pipeCarriesEverythingInOrder() throws {
        let pipe = BytePipe(capacity: 1000)
        let total = 100_000
        let writer = try WorkerThread {
            var next: UInt8 = 0
            var sent = 0
            while sent < total {
                let block = (0..<min(777, total - sent)).map { UInt8(truncatingIfNeeded: Int(next) + $0) }
                try? pipe.write(block.span)
                sent += block.count
                next = UInt8(truncatingIfNeeded: sent)
            }
            pipe.finish()
        }
        var got: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 333)
        while true {
            var span = buffer.mutableSpan
            let count = try pipe.read(into: &span)
            if count == 0 { break }
            got += buffer[..<count]
        }
        writer.join()
        #expect(got.count == total)
        #expect(got.indices.allSatisfy { got[$0] == UInt8(truncatingIfNeeded: $0) })
    }

    @Test func pipeGivesTheWritersErrorAfterItsBytes() throws {
        let pipe = BytePipe(capacity: 10)
        try pipe.write([1, 2, 3].span)
        pipe.fail(Odd(index: 9))
        var buffer = [UInt8](repeating: 0, count: 8)
        var span = buffer.mutableSpan
        #expect(try pipe.read(into: &span) == 3)
        #expect(throws: Odd(index: 9)) {
            var again = buffer.mutableSpan
            _ = try pipe.read(into: &again)
        }
    }

    @Test func pipeTellsTheWriterThatTheReaderHasGone() {
        let pipe = BytePipe(capacity: 4)
        pipe.abandon()
        #expect(throws: BytePipe.ReaderGone.self) { try pipe.write([1].span) }
    }
}

@Suite struct BlockSinkTests {
    private final class Pieces: ByteSink {
        var pieces: [[UInt8]] = []
        func write(_ bytes: Span<UInt8>) { pieces.append(bytes.indices.map { bytes[$0] }) }
    }

    @Test(arguments: [1, 3, 7, 10, 11, 25]) func handsOnEverythingInOrderAndInBlocks(piece: Int) throws {
        let pieces = Pieces()
        let sink = BlockSink(pieces, capacity: 10)
        let all = (0..<100).map { UInt8($0) }
        for start in stride(from: 0, to: 100, by: piece) { try sink.write(Array(all[start..<min(100, start + piece)]).span) }
        try sink.flush()
        try sink.flush()
        #expect(Array(pieces.pieces.joined()) == all)
        #expect(pieces.pieces.dropLast().allSatisfy { $0.count >= min(piece * (10 / max(1, piece)), piece) })
        #expect(pieces.pieces.allSatisfy { !$0.isEmpty && $0.count <= max(10, piece) })
    }
}

@Suite struct BackoffTests {
    private static let quick = Backoff(duration: 100, factor: 2, jitter: 0, steps: 4, cap: 300)

    @Test func triesAsOftenAsItSays() {
        var pauses: [Int64] = []
        var attempts = 0
        #expect(throws: ExecutorError.self) {
            try Self.quick.run(sleep: {
                pauses.append($0); return true
            }) {
                attempts += 1
                throw ExecutorError.transient("again")
            }
        }
        #expect(attempts == 4)
        #expect(pauses == [100, 200, 300])
    }

    @Test func doesNotRetryWhatWillNotGoAway() {
        var attempts = 0
        #expect(throws: ExecutorError.self) {
            try Self.quick.run {
                attempts += 1
                throw ExecutorError.badRequest("no")
            }
        }
        #expect(attempts == 1)
    }

    @Test func stopsWhenItsSleepIsCutShort() {
        var attempts = 0
        #expect(throws: ExecutorError.self) {
            try Self.quick.run(sleep: { _ in false }) {
                attempts += 1
                throw ExecutorError.transient("again")
            }
        }
        #expect(attempts == 1)
    }

    /// The numbers come from the environment: none of them may end the process.
    @Test(arguments: [1e300, -1e300, .infinity, -.infinity, .nan, 0, 1e-300, -1] as [Double]) func waitsByAnyNumbers(
        number: Double
    ) {
        for (factor, jitter) in [(number, 0), (number, 0.5), (1.6, number), (number, number)] {
            for duration in [1, 1_000_000_000, Int64.max, Int64.min] {
                var pauses = BackoffPauses(Backoff(duration: duration, factor: factor, jitter: jitter, steps: 6))
                for _ in 1..<6 { #expect(pauses.next().map { (0...BackoffPauses.longest).contains($0) } == true) }
                #expect(pauses.next() == nil)
            }
        }
    }

    @Test func aFactorOfZeroKeepsTheDelay() {
        var pauses = BackoffPauses(Backoff(duration: 7, factor: 0, jitter: -1, steps: 4))
        #expect([pauses.next(), pauses.next(), pauses.next(), pauses.next()] == [7, 7, 7, nil])
    }

    @Test func keepsJitterWithinItsShare() {
        var pauses: [Int64] = []
        let backoff = Backoff(duration: 1000, factor: 1, jitter: 0.5, steps: 200)
        _ = try? backoff.run(sleep: {
            pauses.append($0); return true
        }) { throw ExecutorError.transient("again") }
        #expect(pauses.count == 199 && pauses.allSatisfy { (1000...1500).contains($0) } && Set(pauses).count > 20)
    }
}
