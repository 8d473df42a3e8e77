import CDeflate
import SystemSupport

/// The content of a zip file's entries, one after the other; each one's length and checksum are verified at its end.
@safe
final class ZipContent {
    private let file: ZipFile
    private let packed: RangeSource
    private let inflater: Inflater
    private let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 128 << 10)
    private var name = ""
    private var size: Int64 = 0
    private var expected: UInt32 = 0
    private var isStored = false
    private var position: Int64 = 0
    private var checksum: UInt32 = 0
    private var isDone = true

    private static let headerLength = 30

    init(_ file: ZipFile) {
        self.file = file
        packed = RangeSource(file.raw)
        inflater = Inflater(packed)
    }

    deinit { unsafe buffer.deallocate() }

    /// Begins an entry.
    ///
    /// - Throws: `corrupt` when it does not begin where the directory says, or is packed in a way that is not known.
    func begin(_ record: ZipDirectory.Record) throws {
        isDone = true
        name = String(decoding: record.name, as: UTF8.self)
        let header = ZipFields(bytes: try file.bytes(at: record.offset, Self.headerLength))
        guard header.word(0) == 0x0403_4B50 else { throw ZipReader.error(name, "the entry is not where it should be") }
        let start = record.offset + Int64(Self.headerLength + header.short(26) + header.short(28))
        guard record.packedSize <= file.size, start <= file.size - record.packedSize else {
            throw ZipReader.error(name, "unexpected EOF", .truncated)
        }
        guard record.method == 0 || record.method == 8 else {
            throw ZipReader.error(name, "unsupported compression method \(record.method)")
        }
        isStored = record.method == 0
        guard !isStored || record.packedSize == record.size else { throw ZipReader.error(name, "the sizes differ") }
        packed.setRange(from: start, count: record.packedSize)
        inflater.discardInput()
        inflater.start(.none)
        (size, expected, position, checksum, isDone) = (record.size, record.checksum, 0, 0, false)
    }

    func nextPiece(_ body: (Span<UInt8>, Int64) throws -> Void) throws -> Bool {
        if isDone { return false }
        var span = unsafe buffer.mutableSpan
        let count = try read(&span)
        if count == 0 {
            isDone = true
            guard position == size else { throw ZipReader.error(name, "unexpected EOF", .truncated) }
            guard checksum == expected else { throw ZipReader.error(name, "invalid checksum") }
            return false
        }
        checksum = unsafe libdeflate_crc32(checksum, buffer.baseAddress!, count)
        let place = position
        position += Int64(count)
        guard position <= size else { throw ZipReader.error(name, "the entry is longer than it should be") }
        try unsafe body(Span(_unsafeElements: UnsafeBufferPointer(buffer.extracting(..<count))), place)
        return true
    }

    private func read(_ buffer: inout MutableSpan<UInt8>) throws -> Int {
        if isStored { return try packed.read(into: &buffer) }
        while true {
            let (count, fault) = try inflater.read(into: &buffer)
            if let fault {
                throw fault == .endsTooEarly
                    ? ZipReader.error(name, "unexpected EOF", .truncated) : ZipReader.error(name, "invalid compressed data")
            }
            if count > 0 || inflater.isFinished { return count }
        }
    }

    /// A part of a file.
    private final class RangeSource: ByteSource {
        private let raw: Int32
        private var position: Int64 = 0
        private var rest: Int64 = 0

        init(_ raw: Int32) { self.raw = raw }

        func setRange(from start: Int64, count: Int64) { (position, rest) = (start, count) }

        func read(into buffer: inout MutableSpan<UInt8>) throws -> Int {
            var part = buffer._mutatingExtracting(first: Int(min(rest, Int64(buffer.count))))
            if part.isEmpty { return 0 }
            let count = try DescriptorIO.read(raw, into: &part, at: position, subject: "zip file")
            position += Int64(count)
            rest -= Int64(count)
            return count
        }
    }
}
