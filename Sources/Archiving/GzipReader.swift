import CISAL
package import ExecutorCore
import Glibc

/// Decompresses a gzip stream of any number of members; zeros after the last are passed over. Checksums are verified.
///
/// ISA-L decodes what is between header and end of a member; headers are read here, because ISA-L forgets their flags when one is
/// split between two of its inputs.
@safe
package final class GzipReader: ByteSource {
    private enum State {
        case beforeMember(isFirst: Bool)
        case inMember
        case ended
        case failed(any Error)
    }

    private static let inputSize = 128 << 10

    private let source: any ByteSource
    /// Too large for the stack of a thread.
    private let inflater: UnsafeMutablePointer<inflate_state>
    private let input: UnsafeMutableBufferPointer<UInt8>
    private var position = 0
    private var available = 0
    private var state = State.beforeMember(isFirst: true)

    package init(_ source: any ByteSource) {
        self.source = source
        unsafe inflater = .allocate(capacity: 1)
        unsafe input = .allocate(capacity: Self.inputSize)
        unsafe memset(inflater, 0, MemoryLayout<inflate_state>.size)
    }

    deinit {
        unsafe inflater.deallocate()
        unsafe input.deallocate()
    }

    /// - Throws: `ArchiveError` with `wrongFormat`, `truncated`, `corrupt` or `trailingGarbage`, or what the source throws; the same
    ///   again at each later call.
    package func read(into buffer: inout MutableSpan<UInt8>) throws -> Int {
        if buffer.isEmpty { return 0 }
        do {
            while true {
                switch state {
                case .ended: return 0
                case .failed(let error): throw error
                case .beforeMember(let isFirst):
                    if try readHeader(isFirst: isFirst) { startMember() } else { state = .ended }
                case .inMember:
                    let count = try inflate(into: &buffer)
                    if count > 0 { return count }
                }
            }
        } catch {
            state = .failed(error)
            throw error
        }
    }

    private func startMember() {
        unsafe isal_inflate_init(inflater)
        unsafe inflater.pointee.crc_flag = UInt32(ISAL_GZIP_NO_HDR_VER)
        state = .inMember
    }

    /// - Returns: how many bytes came; 0 when the member ended.
    private func inflate(into buffer: inout MutableSpan<UInt8>) throws -> Int {
        try unsafe buffer.withUnsafeMutableBytes { buffer in
            let capacity = UInt32(clamping: buffer.count)
            unsafe inflater.pointee.next_out = buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)
            unsafe inflater.pointee.avail_out = capacity
            while true {
                unsafe inflater.pointee.next_in = input.baseAddress! + position
                unsafe inflater.pointee.avail_in = UInt32(available)
                let status = unsafe isal_inflate(inflater)
                let rest = unsafe Int(inflater.pointee.avail_in)
                let isStuck = rest == available
                position += available - rest
                available = rest
                let count = unsafe Int(capacity - inflater.pointee.avail_out)
                if status != ISAL_DECOMP_OK {
                    let isChecksum = status == ISAL_INCORRECT_CHECKSUM
                    let error = Self.error(.corrupt, isChecksum ? "invalid checksum" : "invalid compressed data")
                    // What came before the fault is good.
                    if count == 0 { throw error }
                    state = .failed(error)
                    return count
                }
                if unsafe inflater.pointee.block_state == ISAL_BLOCK_FINISH {
                    state = .beforeMember(isFirst: false)
                    return count
                }
                if count > 0 { return count }
                if available > 0, isStuck { throw Self.error(.corrupt, "invalid compressed data") }
                if available == 0, try !refill() { throw Self.error(.truncated, "unexpected EOF") }
            }
        }
    }

    // MARK: Headers (RFC 1952)

    /// - Returns: false when the stream ends, as it may before all members but the first.
    private func readHeader(isFirst: Bool) throws -> Bool {
        guard var byte = try nextByte() else {
            if isFirst { throw Self.error(.wrongFormat, "the stream is empty") }
            return false
        }
        if !isFirst {
            let isPadding = byte == 0
            while byte == 0 {
                guard let next = try nextByte() else { return false }
                byte = next
            }
            if isPadding { throw Self.error(.trailingGarbage, "data after the end of the stream") }
        }
        guard byte == 0x1F, try nextByte() == 0x8B else {
            throw isFirst
                ? Self.error(.wrongFormat, "invalid header")
                : Self.error(.trailingGarbage, "data after the end of the stream")
        }
        var header: [UInt8] = [0x1F, 0x8B]
        func next() throws -> UInt8 {
            guard let byte = try nextByte() else { throw Self.error(.truncated, "unexpected EOF") }
            header.append(byte)
            return byte
        }
        guard try next() == 8 else { throw Self.error(.wrongFormat, "invalid header") }
        let flags = try next()
        for _ in 0..<6 { _ = try next() }
        if flags & 4 != 0 {
            let low = try next()
            let length = try Int(low) | Int(next()) << 8
            for _ in 0..<length { _ = try next() }
        }
        // Name and comment, each up to a NUL.
        for flag: UInt8 in [8, 16] where flags & flag != 0 {
            var length = 0
            while try next() != 0 {
                length += 1
                if length > Self.textLimit { throw Self.error(.wrongFormat, "invalid header") }
            }
        }
        if flags & 2 != 0 {
            let checksum = unsafe header.withUnsafeBufferPointer { header in
                unsafe crc32_gzip_refl(0, header.baseAddress!, UInt64(header.count))
            }
            let low = try next()
            guard try UInt32(low) | UInt32(next()) << 8 == checksum & 0xFFFF else {
                throw Self.error(.corrupt, "invalid header checksum")
            }
        }
        return true
    }

    /// The longest name or comment that a header may have.
    private static let textLimit = 64 << 10

    private func nextByte() throws -> UInt8? {
        if available == 0, try !refill() { return nil }
        let byte = unsafe input[position]
        position += 1
        available -= 1
        return byte
    }

    /// - Returns: false at the source's end.
    private func refill() throws -> Bool {
        var span = unsafe input.mutableSpan
        available = try source.read(into: &span)
        position = 0
        return available > 0
    }

    private static func error(_ code: ArchiveError.Code, _ cause: String) -> ArchiveError {
        ArchiveError(code, "gunzip", "", cause)
    }
}
