import SystemSupport

/// Stores one object in parts, several at a time; each part is tried again by itself. What fails is dropped at the store.
struct MultipartUploader {
    let store: ArtifactStore
    let target: any MultipartTarget
    let meter: TransferMeter

    private var threads: Int { target.limits.isSequential ? 1 : store.context.uploads.threads }

    /// Bytes that one more part on its way takes, in libcurl mostly.
    private static let memoryOfPart = 512 << 10

    /// Sends a file, whose parts are read in place: more at a time where that moves more, in the memory that is there for parts.
    ///
    /// - Parameter mayWiden: not where many objects are on their way already.
    func send(_ stretch: FileStretch, _ plan: PartPlan, mayWiden: Bool) throws {
        let budget = store.context.budget
        let wanted =
            mayWiden && !target.limits.isSequential && store.context.uploads.widens
            ? min(UploadSettings.mostThreads, plan.count) - threads : 0
        let added = (0..<max(0, wanted)).prefix { _ in budget.takePartMemory(Self.memoryOfPart) }.count
        defer { budget.returnPartMemory(added * Self.memoryOfPart) }
        let width = TransferWidth(threads...(threads + added))
        try collecting { upload, receipts in
            try Parallel.forEach(count: plan.count, width: { width.current }) { index in
                let offset = Int64(index) * plan.partSize
                let part = FileStretch(
                    stretch.file, offset: stretch.offset + offset, length: min(plan.partSize, stretch.length - offset))
                receipts.add(try width.moving(bytes: part.length) { try put(upload, index + 1, .file(part)) })
            }
        }
    }

    /// Sends parts as they come to be.
    ///
    /// - Parameters:
    ///   - first: the part that is there already.
    ///   - next: fills the part of that number; nil at the end.
    func send(first: SpooledPart, next: (Int) throws -> SpooledPart?) throws {
        try collecting { upload, receipts in
            try WorkQueue.run(width: threads, capacity: 1) { push in
                var number = 1
                var part: SpooledPart? = first
                while let ready = part {
                    try push((number, ready))
                    number += 1
                    part = try next(number)
                }
            } consume: { number, part in
                defer { part.release() }
                receipts.add(try put(upload, number, part.body))
            }
        }
    }

    private func put(_ upload: any MultipartUpload, _ number: Int, _ body: ObjectBody) throws -> PartReceipt {
        let receipt = try store.retry(.save, meter).run {
            try store.context.budget.withConnection { try upload.put(part: number, body) }
        }
        meter.add(bytes: receipt.length)
        return receipt
    }

    private func collecting(_ body: (any MultipartUpload, Receipts) throws -> Void) throws {
        let upload = try store.retry(.save, meter).run {
            try store.context.budget.withConnection { try target.begin() }
        }
        let receipts = Receipts()
        do {
            try body(upload, receipts)
            try store.retry(.save, meter).run {
                try store.context.budget.withConnection { try upload.complete(receipts.inOrder) }
            }
        } catch {
            // Parts of an unfinished upload cost money for ever.
            do { try store.retry(.delete).run { try upload.abort() } } catch let second {
                store.context.log.warn("the parts of a failed upload were not dropped", ["error": .error(second)])
            }
            throw error
        }
        meter.addObject()
    }

    private final class Receipts: Sendable {
        private let receipts = Monitor<[PartReceipt]>([])
        func add(_ receipt: PartReceipt) { receipts.update { $0.append(receipt) } }
        var inOrder: [PartReceipt] { receipts.current.sorted { $0.number < $1.number } }
    }
}
