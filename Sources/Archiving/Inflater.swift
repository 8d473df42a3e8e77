import CISAL
import Glibc
import SystemSupport

/// Decodes deflate streams with ISA-L, from a source that may hold more behind them.
@safe
final class Inflater {
    enum Wrapping {
        /// Ends with deflate's own end.
        case none
        /// A gzip trailer follows, which is verified.
        case gzipTrailer
    }

    enum Fault: Error {
        case invalidData, invalidChecksum, endsTooEarly
    }

    private static let inputSize = 128 << 10

    private let source: any ByteSource
    /// Too large for the stack of a thread. A field of the type itself would bring a hundred kilobytes of code for copying it.
    private let memory: UnsafeMutableRawPointer
    private let input: UnsafeMutableBufferPointer<UInt8>
    private var position = 0
    private var available = 0
    /// Whether the stream that was begun last has come to its end.
    private(set) var isFinished = true

    init(_ source: any ByteSource) {
        self.source = source
        unsafe memory = .allocate(
            byteCount: MemoryLayout<inflate_state>.size, alignment: MemoryLayout<inflate_state>.alignment)
        unsafe input = .allocate(capacity: Self.inputSize)
        unsafe memset(memory, 0, MemoryLayout<inflate_state>.size)
    }

    deinit {
        unsafe memory.deallocate()
        unsafe input.deallocate()
    }

    private var state: UnsafeMutablePointer<inflate_state> {
        unsafe memory.assumingMemoryBound(to: inflate_state.self)
    }

    /// Begins a stream at the source's next byte.
    func start(_ wrapping: Wrapping) {
        unsafe isal_inflate_init(state)
        unsafe state.pointee.crc_flag = UInt32(wrapping == .none ? ISAL_DEFLATE : ISAL_GZIP_NO_HDR_VER)
        isFinished = false
    }

    /// Forgets what was read from the source and not yet decoded.
    func discardInput() { available = 0 }

    /// - Returns: how many bytes came, and a fault that stands behind them; 0 bytes without a fault when the stream has ended.
    func read(into buffer: inout MutableSpan<UInt8>) throws -> (count: Int, fault: Fault?) {
        if isFinished || buffer.isEmpty { return (0, nil) }
        return try unsafe buffer.withUnsafeMutableBytes { buffer in
            let capacity = UInt32(clamping: buffer.count)
            unsafe state.pointee.next_out = buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)
            unsafe state.pointee.avail_out = capacity
            while true {
                unsafe state.pointee.next_in = input.baseAddress! + position
                unsafe state.pointee.avail_in = UInt32(available)
                let status = unsafe isal_inflate(state)
                let rest = unsafe Int(state.pointee.avail_in)
                let isStuck = rest == available
                position += available - rest
                available = rest
                let count = unsafe Int(capacity - state.pointee.avail_out)
                // What came before a fault is good.
                if status != ISAL_DECOMP_OK {
                    return (count, status == ISAL_INCORRECT_CHECKSUM ? .invalidChecksum : .invalidData)
                }
                isFinished = unsafe state.pointee.block_state == ISAL_BLOCK_FINISH
                if isFinished || count > 0 { return (count, nil) }
                if available > 0, isStuck { return (0, .invalidData) }
                if available == 0, try !refill() { return (0, .endsTooEarly) }
            }
        }
    }

    /// The source's next byte, when no stream is being decoded; nil at the end.
    func nextByte() throws -> UInt8? {
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
}
