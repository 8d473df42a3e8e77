import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts

@Suite struct WorkQueueTests {
    @Test(arguments: [1, 2, 8]) func doesEachItemOnce(width: Int) throws {
        let seen = Mutex<[Int]>([])
        try WorkQueue.run(width: width, capacity: 3) { push in
            for item in 0..<1000 { try push(item) }
        } consume: { item in
            seen.withLock { $0.append(item) }
        }
        #expect(seen.withLock { $0.sorted() } == Array(0..<1000))
        if width == 1 { #expect(seen.withLock { $0 } == Array(0..<1000)) }
    }

    @Test func doesNothingForNothing() throws {
        try WorkQueue.run(width: 4, capacity: 1, produce: { (_: (Int) throws -> Void) in }, consume: { _ in })
    }

    @Test func workersRunSideBySide() throws {
        let running = Monitor(0)
        // Ends only if all four are at work at the same time.
        try WorkQueue.run(width: 4, capacity: 4) { push in
            for item in 0..<4 { try push(item) }
        } consume: { _ in
            running.update { $0 += 1 }
            running.wait { $0 == 4 ? true : nil }
        }
    }

    @Test func takesMoreWorkersWhenItsWidthGrows() throws {
        let width = Atomic(1)
        let running = Monitor(0)
        // Ends only if both the first worker and the three that come later are at work at the same time.
        try WorkQueue.run(width: width.load(ordering: .relaxed), capacity: 8) { push in
            try push(0)
            running.wait { $0 == 1 ? true : nil }
            width.store(4, ordering: .relaxed)
            for item in 1..<4 { try push(item) }
        } consume: { _ in
            running.update { $0 += 1 }
            running.wait { $0 == 4 ? true : nil }
        }
    }

    @Test func stopsAtTheFirstFailureAndTellsIt() throws {
        struct Broken: Error, Equatable { let item: Int }
        let done = Mutex(0)
        let pushed = Mutex(0)
        #expect(throws: Broken(item: 10)) {
            try WorkQueue.run(width: 1, capacity: 2) { push in
                for item in 0..<100_000 {
                    try push(item)
                    pushed.withLock { $0 += 1 }
                }
            } consume: { item in
                if item == 10 { throw Broken(item: item) }
                done.withLock { $0 += 1 }
            }
        }
        #expect(done.withLock { $0 } == 10)
        #expect(pushed.withLock { $0 } < 20)
    }

    @Test func tellsTheProducersFailureAfterTheWorkersHaveEnded() throws {
        struct Broken: Error {}
        let running = Mutex(0)
        #expect(throws: Broken.self) {
            try WorkQueue.run(width: 4, capacity: 4) { push in
                for item in 0..<50 { try push(item) }
                throw Broken()
            } consume: { _ in
                running.withLock { $0 += 1 }
                running.withLock { $0 -= 1 }
            }
        }
        #expect(running.withLock { $0 } == 0)
    }

    @Test func aFarStoreGetsMoreRequestsAtATime() {
        let budget = TransferBudget(memoryLimit: nil)
        #expect(budget.usefulRequests(nil) == budget.connections)
        #expect(budget.usefulRequests(1_000_000) == budget.connections)
        #expect(budget.usefulRequests(20_000_000) == 80)
        #expect(budget.usefulRequests(.max) == budget.smallRequests)
        // Where memory is short there are never more.
        let small = TransferBudget(memoryLimit: 32 << 20)
        #expect(small.usefulRequests(.max) == small.connections)
    }

    @Test func aMeterKnowsTheQuickestRequest() throws {
        let meter = TransferMeter()
        #expect(meter.latency == nil)
        meter.timed { sleepNanoseconds(3_000_000) }
        let first = try #require(meter.latency)
        #expect(first >= 3_000_000)
        meter.timed {}
        #expect(try #require(meter.latency) < first)
    }

    /// A request for a large object takes the place of several for small ones.
    @Test func largeRequestsTakeMoreOfTheBudget() throws {
        let budget = TransferBudget(connections: 2, smallRequests: 8, partMemory: 0)
        for (length, most) in [(Int64(1000), 8), (TransferBudget.smallObject + 1, 2), (nil, 2)] as [(Int64?, Int)] {
            let running = Monitor(0)
            let peak = Atomic(0)
            try Parallel.forEach(count: 64, width: 16) { _ in
                budget.withConnection(for: length) {
                    running.update { running in
                        running += 1
                        peak.max(running, ordering: .relaxed)
                    }
                    // All that may run together have time to.
                    _ = running.wait(atMost: 5_000_000) { $0 >= most ? true : nil }
                    running.update { $0 -= 1 }
                }
            }
            #expect(peak.load(ordering: .relaxed) <= most)
            #expect(peak.load(ordering: .relaxed) > most / 2)
        }
    }

    @Test func fewLargeObjectsOfADirectoryAreUnderWay() throws {
        let budget = TransferBudget(connections: 2, smallRequests: 8, partMemory: 0)
        let running = Mutex((now: 0, most: 0))
        try Parallel.forEach(count: 40, width: 8) { _ in
            budget.withObject(of: 1 << 30) {
                running.withLock { running in
                    running.now += 1
                    running.most = max(running.most, running.now)
                }
                running.withLock { $0.now -= 1 }
            }
        }
        #expect(running.withLock { $0.most } <= 2)
    }

    @Test func theBudgetLimitsWhatRunsAtOnce() throws {
        let budget = TransferBudget(connections: 3, partMemory: 0)
        let state = Mutex((running: 0, most: 0))
        try Parallel.forEach(count: 200, width: 12) { _ in
            budget.withConnection {
                state.withLock { state in
                    state.running += 1
                    state.most = max(state.most, state.running)
                }
                sleepNanoseconds(100_000)
                state.withLock { $0.running -= 1 }
            }
        }
        #expect(state.withLock { $0.most } <= 3)
    }
}

@Suite struct TransferWatchTests {
    @Test func saysHowFarItIsWhileItLasts() throws {
        let recorder = LogRecorder()
        let meter = TransferMeter()
        meter.add(bytes: 4_000_000)
        let watch = TransferWatch(
            log: recorder.log, activity: .loading, subject: "s3://b/k", meter: meter, total: 8_000_000, interval: 1_000_000)
        try watch.run {
            try eventually("it says how far it is") { recorder.text.contains("remainingSeconds=") }
        }
        #expect(recorder.text.contains("msg=loading argo=true artifact=s3://b/k bytes=4000000 total=8000000 MBps="))
    }

    @Test func saysAtTheEndWhatItWas() throws {
        let recorder = LogRecorder()
        let meter = TransferMeter()
        let watch = TransferWatch(
            log: recorder.log, activity: .saving, subject: "s", meter: meter, total: nil, interval: 3_600_000_000_000)
        let result = try watch.run {
            meter.add(bytes: 12)
            meter.addObject()
            meter.addRetry()
            return 7
        }
        #expect(result == 7)
        #expect(recorder.text.contains("msg=saved argo=true artifact=s bytes=12 objects=1 milliseconds="))
        #expect(recorder.text.hasSuffix("retries=1\n"))
        #expect(recorder.text.filter { $0 == "\n" }.count == 1)
    }

    @Test func saysNothingOfSuccessWhereThereIsNone() {
        struct Broken: Error {}
        let recorder = LogRecorder()
        let watch = TransferWatch(
            log: recorder.log, activity: .saving, subject: "s", meter: TransferMeter(), total: nil, interval: 3_600_000_000_000)
        #expect(throws: Broken.self) { try watch.run { throw Broken() } }
        #expect(recorder.text.isEmpty)
    }

    @Test func aPersonIsToldWhatIsWaitedFor() throws {
        let told = Mutex<[String]>([])
        let notice = IdleNotice(interval: 1_000_000) { line in told.withLock { $0.append(line) } }
        try notice.run("http://host/x") {
            try eventually("it says what is waited for") { told.withLock { !$0.isEmpty } }
        }
        #expect(told.withLock { $0[0] } == "waiting for http://host/x: no byte for 0 s")
        let silent = IdleNotice { _ in Issue.record("nothing is waited for") }
        #expect(silent.run("http://host/x") { 7 } == 7)
    }

    @Test func recordsRates() {
        let record = TransferRecord(bytes: 12_345_678, objects: 1, retries: 0, nanoseconds: 1_000_000_000)
        #expect(record.rateText == "12.3")
        #expect(TransferRecord(bytes: 1, objects: 1, retries: 0, nanoseconds: 0).rate == 0)
    }
}
