import Digests
package import FileTrees
import Glibc
package import SystemSupport

/// Loads objects and directories: resumes what broke off, never gives a byte twice, checks length and checksum.
package struct ArtifactDownload: Sendable {
    let store: ArtifactStore

    /// From this size on an object is read in ranges side by side.
    private static let rangedFrom: Int64 = 32 << 20
    private static let rangeLength: Int64 = 16 << 20
    /// A near store fills two cores with the first of these: more would queue for the lock of the file, which is worst on a busy machine.
    private static let rangesAtOnce = 2...16
    /// Where many objects are loaded at once already.
    static let rangesAtOnceInDirectory = 2...2

    /// Streams an object into a sink, in order.
    ///
    /// - Parameter evidence: what `ArtifactStore.repeatingDamage` hands on, so that a repetition is judged together with what went
    ///   before.
    /// - Throws: errors of the sink as they are; `ArtifactError` (`damaged`) when the whole was given but its checksum is wrong:
    ///   what the sink has made of it must be dropped.
    @discardableResult
    package func stream(
        _ object: any StoredObject, into sink: any ByteSink, evidence: TransferEvidence = TransferEvidence()
    ) throws -> TransferRecord {
        let meter = TransferMeter()
        try store.watched(.loading, object.subject, meter, total: object.head.length) {
            try stream(object, into: sink, meter, evidence)
        }
        return meter.record
    }

    /// Writes an object into a file, whose old content goes. Large objects are read in several ranges at once.
    @discardableResult
    package func file(_ object: any StoredObject, into file: OpenFile) throws -> TransferRecord {
        let meter = TransferMeter()
        try store.watched(.loading, object.subject, meter, total: object.head.length) {
            try self.file(object, into: file, meter)
        }
        return meter.record
    }

    /// Writes an object into a new file beneath a directory of ours, of the driver's mode; removed again when the object cannot be
    /// loaded.
    @discardableResult
    package func file(
        _ object: any StoredObject, at path: BytePath, in directory: ContainedDirectory
    ) throws -> TransferRecord {
        let descriptor = try directory.createFile(path, mode: store.driver.loadedModes.file)
        do { return try file(object, into: OpenFile(descriptor, subject: directory.subject(path))) } catch {
            try? directory.unlink(path)
            throw error
        }
    }

    /// Writes all objects of a directory beneath a directory of ours: of the driver's modes.
    ///
    /// - Throws: `ArtifactError` (`invalid`) for a name that leads out.
    @discardableResult
    package func directory(_ directory: any StoredDirectory, into root: ContainedDirectory) throws -> TransferRecord {
        let meter = TransferMeter()
        try store.watched(.loading, directory.subject, meter, total: nil) {
            try DirectoryDownload(download: self, directory: directory, root: root, meter: meter).run()
        }
        return meter.record
    }

    // MARK: One object

    private func stream(
        _ object: any StoredObject, into sink: any ByteSink, _ meter: TransferMeter, _ evidence: TransferEvidence,
        found: ObjectHead? = nil
    ) throws {
        let reading = ObjectReading(object, offset: 0, length: nil, sink: sink, meter: meter, found: found)
        try reading.run(store)
        try reading.verify(evidence)
        meter.addObject()
    }

    func file(
        _ object: any StoredObject, into file: OpenFile, _ meter: TransferMeter,
        rangesAtOnce: ClosedRange<Int> = Self.rangesAtOnce
    ) throws {
        if try object.share(with: file.descriptor.raw) {
            meter.addObject()
            return
        }
        // Only damage is begun anew from the first byte: what breaks off is read on inside.
        try store.repeatingDamage(meter) { evidence in
            var found: ObjectHead?
            // What was damaged in ranges may come whole by one request.
            if !evidence.isRepeated, let head = try rangedHead(object, meter) {
                do {
                    try ranges(object, head, into: file, meter, width: rangesAtOnce, evidence)
                    meter.addObject()
                    return
                } catch is RangesUnsupported { found = head }
            }
            try empty(file)
            let most = Int(min(object.head.length ?? .max, Int64(BlockSink.usualCapacity)))
            let blocks = BlockSink(OffsetSink(file, at: 0), capacity: max(most, 1))
            try stream(object, into: blocks, meter, evidence, found: found)
            try blocks.flush()
        }
        try file.settle()
    }

    /// Drops what an attempt before has written. A file that is empty is left alone: one that was cut to nothing is written out to
    /// the disk by ext4 when it is closed, which takes half a second a gibibyte.
    private func empty(_ file: OpenFile) throws {
        guard try FileStatus.of(file.descriptor.raw, subject: file.subject).size > 0 else { return }
        try checked("truncate", file.subject) { ftruncate(file.descriptor.raw, 0) }
    }

    /// What must be known to read in ranges; nil where the object is too small for that, or the store cannot do it.
    private func rangedHead(_ object: any StoredObject, _ meter: TransferMeter) throws -> ObjectHead? {
        guard object.head.supportsRanges, object.head.length ?? .max >= Self.rangedFrom else { return nil }
        let head = try store.retry(.load, meter).run { try store.context.budget.withConnection { try object.describe() } }
        // A length beyond all stores' is not worth the memory of a plan.
        guard head.supportsRanges, head.validator != nil, let length = head.length, (Self.rangedFrom...1 << 43).contains(length)
        else {
            return nil
        }
        return head
    }

    private func ranges(
        _ object: any StoredObject, _ head: ObjectHead, into file: OpenFile, _ meter: TransferMeter, width: ClosedRange<Int>,
        _ evidence: TransferEvidence
    ) throws {
        guard let length = head.length else { return }
        let count = Int((length + Self.rangeLength - 1) / Self.rangeLength)
        try empty(file)
        try checked("truncate", file.subject) { ftruncate(file.descriptor.raw, Int(length)) }
        let parts = Monitor([(value: UInt64, length: Int64)](repeating: (0, 0), count: count))
        let width = TransferWidth(width)
        try Parallel.forEach(count: count, width: { width.current }) { index in
            let start = Int64(index) * Self.rangeLength
            let size = min(Self.rangeLength, length - start)
            let blocks = BlockSink(OffsetSink(file, at: start))
            let reading = ObjectReading(object, offset: start, length: size, sink: blocks, meter: meter, expecting: head)
            try width.moving(bytes: size) {
                try reading.run(store)
                try blocks.flush()
            }
            if let value = reading.cyclicValue { parts.update { $0[index] = (value, size) } }
        }
        guard let checksum = head.checksum else { return }
        guard case .cyclic(let algorithm, let expected) = checksum else {
            // The hash of a whole cannot be put together from its stretches: the file is read, mostly from memory.
            let whole = ChecksumMeter(checksum)
            try FileReading.forEachBlock(file.descriptor.raw, from: 0, length: length, subject: file.subject) {
                whole.update($0)
            }
            return try evidence.judge(whole, of: object)
        }
        let whole = parts.current.reduce((value: UInt64(0), length: Int64(0))) { sum, part in
            (algorithm.combine(sum.value, part.value, secondLength: part.length), sum.length + part.length)
        }
        if whole.value != expected {
            throw ArtifactError.damaged("load", object.subject, "the bytes do not have the checksum that the store tells")
        }
    }
}

/// The store answers a range with the whole.
struct RangesUnsupported: Error {}

/// Writes at a place in a file and onward.
final class OffsetSink: ByteSink {
    private let file: OpenFile
    private var offset: Int64

    init(_ file: OpenFile, at offset: Int64) {
        self.file = file
        self.offset = offset
    }

    func write(_ bytes: Span<UInt8>) throws {
        try DescriptorIO.write(file.descriptor.raw, bytes, at: offset, subject: file.subject)
        offset += Int64(bytes.count)
    }
}
