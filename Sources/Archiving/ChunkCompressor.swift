import CDeflate
import CZlib
import Glibc
import SystemSupport

/// Compresses chunks of a stream, each to deflate blocks that end on a byte boundary and are not final, so that the chunks of one
/// stream can be made apart and put one behind the other. One thread at a time.
///
/// libdeflate does it where it carries our patch: its levels 100 to 112 are 0 to 12 without the final mark. The library as
/// distributed refuses these, and zlib takes its place.
@safe
final class ChunkCompressor {
    @safe
    private enum Engine {
        case libdeflate(OpaquePointer)
        case zlib(UnsafeMutablePointer<z_stream>)
        case none
    }

    private let engine: Engine

    /// - Parameter level: Go's: -2 Huffman coding only, -1 the default, 0 stored, 1 fastest … 9 best.
    /// - Throws: ENOMEM.
    init(level: Int) throws(SystemError) {
        if level == 0 {
            engine = .none
            return
        }
        if level >= -1, let compressor = unsafe libdeflate_alloc_compressor(Int32(level == -1 ? 6 : level) + 100) {
            engine = unsafe .libdeflate(compressor)
            return
        }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let status = unsafe deflateInit2_(
            stream, Int32(level == -2 ? 6 : level), Z_DEFLATED, -MAX_WBITS, 8,
            level == -2 ? Z_HUFFMAN_ONLY : Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            unsafe stream.deallocate()
            throw SystemError("set up compression", "", ENOMEM)
        }
        engine = unsafe .zlib(stream)
    }

    deinit {
        switch engine {
        case .libdeflate(let compressor): unsafe libdeflate_free_compressor(compressor)
        case .zlib(let stream):
            unsafe deflateEnd(stream)
            unsafe stream.deallocate()
        case .none: break
        }
    }

    /// Compresses the chunk's input into its output.
    func compress(_ chunk: Chunk) {
        var count: Int
        switch engine {
        case .libdeflate(let compressor):
            count = unsafe libdeflate_deflate_compress(
                compressor, chunk.input.baseAddress!, chunk.inputCount, chunk.output.baseAddress!, chunk.output.count)
        case .zlib(let stream):
            count = unsafe Self.deflate(stream, chunk)
        case .none: count = 0
        }
        // What shall not or cannot be made smaller is stored, for which the output always has room.
        if count == 0 { count = unsafe StoredBlocks.encode(chunk.input.prefix(chunk.inputCount), into: chunk.output) }
        chunk.outputCount = count
    }

    private static func deflate(_ stream: UnsafeMutablePointer<z_stream>, _ chunk: Chunk) -> Int {
        unsafe deflateReset(stream)
        let history = unsafe chunk.history
        if !history.isEmpty {
            unsafe deflateSetDictionary(stream, history.baseAddress!, UInt32(history.count))
        }
        unsafe stream.pointee.next_in = chunk.input.baseAddress!
        unsafe stream.pointee.avail_in = UInt32(chunk.inputCount)
        unsafe stream.pointee.next_out = chunk.output.baseAddress!
        unsafe stream.pointee.avail_out = UInt32(chunk.output.count)
        let status = unsafe CZlib.deflate(stream, Z_SYNC_FLUSH)
        let rest = unsafe Int(stream.pointee.avail_out)
        return unsafe status == Z_OK && rest > 0 ? chunk.output.count - rest : 0
    }
}

/// Deflate blocks that hold their bytes as they are.
enum StoredBlocks {
    /// The most that one block holds.
    static let limit = 65535
    /// Bytes before each block's content.
    static let headerLength = 5

    /// The head of a block that is not final, at a byte boundary.
    static func header(_ count: Int) -> [UInt8] {
        let low = UInt8(count & 0xFF)
        let high = UInt8(count >> 8)
        return [0, low, high, ~low, ~high]
    }

    /// Bytes that `count` bytes take when stored.
    static func encodedLength(_ count: Int) -> Int { count + (count + limit - 1) / limit * headerLength }

    /// - Returns: how many bytes were written.
    static func encode(
        _ input: Slice<UnsafeMutableBufferPointer<UInt8>>, into output: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        var position = 0
        var start = unsafe input.startIndex
        while unsafe start < input.endIndex {
            let end = unsafe min(start + limit, input.endIndex)
            for byte in header(end - start) {
                unsafe output[position] = byte
                position += 1
            }
            _ = unsafe output[position...].update(fromContentsOf: input[start..<end])
            position += end - start
            start = end
        }
        return position
    }
}
