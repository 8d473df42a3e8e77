import Synchronization
import SystemSupport

/// Counts what one artifact's transfer has done so far; may be read from any thread while it runs.
package final class TransferMeter: Sendable {
    private let bytesMoved = Atomic<Int64>(0)
    private let objectsMoved = Atomic<Int>(0)
    private let repetitions = Atomic<Int>(0)
    private let shortestRequest = Atomic<Int64>(.max)
    private let start = monotonicNanoseconds()

    package init() {}

    package func add(bytes: Int64) { bytesMoved.add(bytes, ordering: .relaxed) }
    package func addObject() { objectsMoved.add(1, ordering: .relaxed) }
    package func addRetry() { repetitions.add(1, ordering: .relaxed) }

    /// Notes how long a request takes.
    func timed<R>(_ request: () throws -> R) rethrows -> R {
        let begun = monotonicNanoseconds()
        let result = try request()
        shortestRequest.min(monotonicNanoseconds() - begun, ordering: .relaxed)
        return result
    }

    /// Nanoseconds of the quickest request; nil before the first.
    var latency: Int64? {
        let shortest = shortestRequest.load(ordering: .relaxed)
        return shortest == .max ? nil : shortest
    }

    /// What has been done until now.
    package var record: TransferRecord {
        TransferRecord(
            bytes: bytesMoved.load(ordering: .relaxed), objects: objectsMoved.load(ordering: .relaxed),
            retries: repetitions.load(ordering: .relaxed), nanoseconds: monotonicNanoseconds() - start)
    }
}

/// What a transfer did.
package struct TransferRecord: Sendable, Equatable {
    package let bytes: Int64
    package let objects: Int
    /// Requests that had to be repeated.
    package let retries: Int
    package let nanoseconds: Int64

    package init(bytes: Int64, objects: Int, retries: Int, nanoseconds: Int64) {
        self.bytes = bytes
        self.objects = objects
        self.retries = retries
        self.nanoseconds = nanoseconds
    }

    /// Bytes a second; 0 while no time has passed.
    package var rate: Double { nanoseconds > 0 ? Double(bytes) * 1e9 / Double(nanoseconds) : 0 }

    /// MB/s with one digit after the point.
    package var rateText: String {
        let tenths = Int64(saturating: rate / 1e5)
        return "\(tenths / 10).\(tenths % 10)"
    }
}

/// Says at each interval how far a transfer is, also while nothing moves, and at its end what it was.
struct TransferWatch {
    enum Activity: String, Sendable {
        case loading, saving

        /// The word for what is over.
        var done: String { self == .loading ? "loaded" : "saved" }
    }

    let log: Log
    let activity: Activity
    let subject: String
    let meter: TransferMeter
    /// Bytes to be moved; nil where unknown.
    let total: Int64?
    /// Nanoseconds.
    let interval: Int64

    /// Runs `body` under watch.
    func run<R>(_ body: () throws -> R) throws -> R {
        let isDone = Monitor(false)
        // Without a thread to watch, the transfer itself goes on.
        try? WorkerThread { [self] in
            while isDone.wait(atMost: interval, { $0 ? true : nil }) == nil { say() }
        }.detach()
        defer { isDone.update { $0 = true } }
        let result = try body()
        let record = meter.record
        log.info(
            activity.done,
            [
                "artifact": .text(subject), "bytes": .integer(record.bytes), "objects": .count(record.objects),
                "milliseconds": .integer(record.nanoseconds / 1_000_000), "MBps": .text(record.rateText),
                "retries": .count(record.retries),
            ])
        return result
    }

    private func say() {
        let record = meter.record
        var seconds: Int64?
        if let total, record.rate > 0 { seconds = Int64(saturating: Double(max(0, total - record.bytes)) / record.rate) }
        log.info(
            activity.rawValue,
            [
                "artifact": .text(subject), "bytes": .integer(record.bytes),
                "total": total.map { .integer($0) } ?? "unknown", "MBps": .text(record.rateText),
                "remainingSeconds": seconds.map { .integer($0) } ?? "unknown",
                "objects": .count(record.objects), "retries": .count(record.retries),
            ])
    }
}
