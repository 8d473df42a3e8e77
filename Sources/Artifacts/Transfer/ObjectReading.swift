import Digests
import SystemSupport

/// Reads one object, or a stretch of it, into a sink; over as many requests as it takes, each byte once.
final class ObjectReading {
    private let object: any StoredObject
    private let start: Int64
    /// Bytes wanted; nil for all to the end.
    private let length: Int64?
    private let sink: any ByteSink
    private let meter: TransferMeter

    /// Bytes that the sink has.
    private var received: Int64 = 0
    /// What is known of the object; what the first answer says counts for all later ones.
    private var head: ObjectHead?
    private var checksum: ChecksumMeter?
    /// CRC32C of what the sink has, where a store cannot read on from there: the same must come again.
    private var prefix: UInt64?
    /// What was told when the object was found or looked at, before the first answer.
    private let found: ObjectHead
    /// The sink's own failure: no reason to ask the store again.
    private var sinkFailure: (any Error)?

    /// - Parameters:
    ///   - expecting: what was learnt of the object before a stretch of it is read; other answers are refused.
    ///   - found: what was learnt of the object before all of it is read; nil for no more than when it was found.
    init(
        _ object: any StoredObject, offset: Int64, length: Int64?, sink: any ByteSink, meter: TransferMeter,
        expecting head: ObjectHead? = nil, found: ObjectHead? = nil
    ) {
        self.object = object
        start = offset
        self.length = length
        self.sink = sink
        self.meter = meter
        self.head = head
        self.found = found ?? object.head
        if length != nil, case .cyclic? = head?.checksum { checksum = head?.checksum.map { ChecksumMeter($0) } }
    }

    /// Reads to the end.
    func run(_ store: ArtifactStore) throws {
        var before = received
        let failure: (any Error)? = try store.retry(.load, meter).run(madeProgress: { received > before }) {
            before = received
            do {
                if !isComplete {
                    try store.context.budget.withConnection(for: length ?? object.head.length) {
                        try meter.timed { try attempt() }
                    }
                }
            } catch {
                if let sinkFailure { return sinkFailure }
                if isComplete { return nil }
                throw error
            }
            if let wanted, received < wanted {
                throw ArtifactError.truncated("load", object.subject, received: received, of: wanted)
            }
            return nil
        }
        if let failure { throw failure }
    }

    /// - Throws: `ArtifactError` (`damaged`) when the bytes read do not have the checksum told.
    func verify(_ evidence: TransferEvidence) throws {
        if let checksum { try evidence.judge(checksum, of: object) }
    }

    /// The checksum of the stretch, where a cyclic one is told of the whole.
    var cyclicValue: UInt64? { checksum?.cyclicValue }

    /// Bytes to be read in all; nil where unknown.
    private var wanted: Int64? { length ?? head?.length.map { max(0, $0 - start) } }

    private var isComplete: Bool { wanted.map { received >= $0 } ?? false }

    private func attempt() throws {
        let canResume = head?.supportsRanges ?? true
        let offset = canResume ? start + received : start
        let isFirst = head == nil
        var window: Window?
        try object.read(
            from: offset, length: length.map { $0 - (offset - start) }, validator: isFirst ? nil : head?.validator
        ) { answer in
            if isFirst {
                head = answer
                // An answer without a length, as proxies send, may end anywhere unnoticed.
                if answer.length == nil, answer.supportsRanges, answer.names(found) { head?.length = found.length }
                checksum = (answer.checksum ?? foundChecksum(answer)).map { ChecksumMeter($0) }
                if !answer.supportsRanges { prefix = 0 }
            } else if let head, answer.validator != nil, head.validator != nil, !answer.names(head) {
                throw ArtifactError.changed("load", object.subject)
            }
            if length != nil, !answer.supportsRanges || answer.offset != offset { throw RangesUnsupported() }
            guard answer.offset <= start + received else {
                throw ArtifactError.damaged("load", object.subject, "the answer begins at byte \(answer.offset)")
            }
            let made = Window(self, skipping: start + received - answer.offset)
            window = made
            return made
        }
        if let window, !window.isOpen { throw ArtifactError.changed("load", object.subject) }
    }

    /// The checksum that was told when this very object was found.
    private func foundChecksum(_ answer: ObjectHead) -> ObjectChecksum? {
        guard length == nil, answer.offset == 0, answer.validator == nil || answer.names(found) else { return nil }
        // Where the answer tells the tag too, it is no hash of these bytes.
        if case .etag? = found.checksum, answer.validator != nil { return nil }
        return found.checksum
    }

    private func take(_ bytes: Span<UInt8>) throws {
        if let wanted, received + Int64(bytes.count) > wanted {
            throw ArtifactError.damaged(
                "load", object.subject,
                length == nil ? "the answer is longer than the object" : "the answer is longer than asked for")
        }
        checksum?.update(bytes)
        if let value = prefix { prefix = CyclicChecksum.crc32c.update(value, bytes) }
        do { try sink.write(bytes) } catch {
            sinkFailure = error
            throw error
        }
        received += Int64(bytes.count)
        meter.add(bytes: Int64(bytes.count))
    }

    /// Leaves out what the sink has already.
    private final class Window: ByteSink {
        private let reading: ObjectReading
        private var skipping: Int64
        private var skipped: UInt64 = 0

        init(_ reading: ObjectReading, skipping: Int64) {
            self.reading = reading
            self.skipping = skipping
        }

        /// Whether all that was to be left out has come.
        var isOpen: Bool { skipping == 0 }

        func write(_ bytes: Span<UInt8>) throws {
            let count = Int(min(skipping, Int64(bytes.count)))
            if count > 0 { try skip(bytes.extracting(first: count)) }
            if count < bytes.count { try reading.take(bytes.extracting(last: bytes.count - count)) }
        }

        private func skip(_ bytes: Span<UInt8>) throws {
            skipping -= Int64(bytes.count)
            guard let expected = reading.prefix else { return }
            skipped = CyclicChecksum.crc32c.update(skipped, bytes)
            if skipping == 0, skipped != expected { throw ArtifactError.changed("load", reading.object.subject) }
        }
    }
}
