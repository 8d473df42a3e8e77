import ExecutorCore

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
    /// The sink's own failure: no reason to ask the store again.
    private var sinkFailure: (any Error)?

    /// - Parameter expecting: what was learnt of the object before a stretch of it is read; other answers are refused.
    init(
        _ object: any StoredObject, offset: Int64, length: Int64?, sink: any ByteSink, meter: TransferMeter,
        expecting head: ObjectHead? = nil
    ) {
        self.object = object
        start = offset
        self.length = length
        self.sink = sink
        self.meter = meter
        self.head = head
        if length != nil, case .cyclic? = head?.checksum { checksum = head?.checksum.map { ChecksumMeter($0) } }
    }

    /// Reads to the end.
    func run(_ store: ArtifactStore) throws {
        var before = received
        let failure: (any Error)? = try store.retry(.load, meter).run(madeProgress: { received > before }) {
            before = received
            do {
                if !isComplete { try store.context.budget.withConnection { try attempt() } }
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
    func verify() throws {
        if let checksum, !checksum.matches() {
            throw ArtifactError.damaged("load", object.subject, "the bytes do not have the checksum that the store tells")
        }
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
        try object.read(
            from: offset, length: length.map { $0 - (offset - start) }, validator: isFirst ? nil : head?.validator
        ) { answer in
            if isFirst {
                head = answer
                checksum = answer.checksum.map { ChecksumMeter($0) }
            } else if let known = head?.validator, let told = answer.validator, known != told {
                throw ArtifactError.changed("load", object.subject)
            }
            if length != nil, !answer.supportsRanges || answer.offset != offset { throw RangesUnsupported() }
            guard answer.offset <= start + received else {
                throw ArtifactError.damaged("load", object.subject, "the answer begins at byte \(answer.offset)")
            }
            return Window(self, skipping: start + received - answer.offset)
        }
    }

    private func take(_ bytes: Span<UInt8>) throws {
        if let length, received + Int64(bytes.count) > length {
            throw ArtifactError.damaged("load", object.subject, "the answer is longer than asked for")
        }
        checksum?.update(bytes)
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

        init(_ reading: ObjectReading, skipping: Int64) {
            self.reading = reading
            self.skipping = skipping
        }

        func write(_ bytes: Span<UInt8>) throws {
            if skipping >= Int64(bytes.count) {
                skipping -= Int64(bytes.count)
                return
            }
            let rest = bytes.extracting(last: bytes.count - Int(skipping))
            skipping = 0
            try reading.take(rest)
        }
    }
}
