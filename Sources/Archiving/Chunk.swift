import Glibc

/// A piece of a stream to be compressed, with room for the outcome. Used again for later pieces.
///
/// Sendable because it belongs to one thread at a time: the writer fills it, one worker compresses it, the writer empties it, and
/// each hand-over passes a lock.
@safe
final class Chunk: @unchecked Sendable {
    /// Bytes of input that a full chunk holds.
    static let size = 512 << 10
    /// How far back deflate refers.
    static let window = 32 << 10

    /// The end of the piece before, then this piece.
    private let buffer: UnsafeMutableBufferPointer<UInt8>
    private var historyCount = 0
    let input: UnsafeMutableBufferPointer<UInt8>
    var inputCount = 0
    let output: UnsafeMutableBufferPointer<UInt8>
    var outputCount = 0
    /// Guarded by the lock under which the chunk is handed over.
    var isDone = false

    init() {
        unsafe buffer = .allocate(capacity: Self.window + Self.size)
        unsafe input = UnsafeMutableBufferPointer(rebasing: buffer[Self.window...])
        unsafe output = .allocate(capacity: StoredBlocks.encodedLength(Self.size) + 4096)
    }

    deinit {
        unsafe buffer.deallocate()
        unsafe output.deallocate()
    }

    var isFull: Bool { inputCount == Self.size }

    /// The end of the piece before, to which this one may refer.
    var history: UnsafeMutableBufferPointer<UInt8> {
        unsafe UnsafeMutableBufferPointer(rebasing: buffer[(Self.window - historyCount)..<Self.window])
    }

    /// Takes as much as fits.
    ///
    /// - Returns: how many bytes.
    func append(_ bytes: UnsafeRawBufferPointer) -> Int {
        let count = min(bytes.count, Self.size - inputCount)
        guard count > 0 else { return 0 }
        unsafe memcpy(input.baseAddress! + inputCount, bytes.baseAddress!, count)
        inputCount += count
        return count
    }

    /// Makes it empty, following `previous` in the stream.
    func start(after previous: Chunk?) {
        inputCount = 0
        outputCount = 0
        isDone = false
        historyCount = min(previous?.inputCount ?? 0, Self.window)
        if let previous, historyCount > 0 {
            unsafe memcpy(
                history.baseAddress!, previous.input.baseAddress! + previous.inputCount - historyCount, historyCount)
        }
    }
}
