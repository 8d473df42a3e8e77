import SystemSupport

/// Decompresses a zstd stream.
final class ZstdReader: ByteSource {
    private let reader: ArchiveReader
    private var piece: [UInt8] = []
    private var position = 0

    /// - Throws: `ArchiveError` when the stream is no zstd, or what the source throws.
    init(_ source: any ByteSource) throws {
        reader = try ArchiveReader(source, .zstd, operation: "unzstd")
        _ = try reader.next()
    }

    func read(into buffer: inout MutableSpan<UInt8>) throws -> Int {
        while position == piece.count {
            position = 0
            piece.removeAll(keepingCapacity: true)
            let hasMore = try reader.nextPiece { bytes, _ in
                unsafe bytes.withUnsafeBytes { unsafe piece.append(contentsOf: $0) }
            }
            if !hasMore { return 0 }
        }
        let count = min(buffer.count, piece.count - position)
        unsafe piece.withUnsafeBytes { piece in
            unsafe buffer.withUnsafeMutableBytes { buffer in
                unsafe buffer.baseAddress!.copyMemory(from: piece.baseAddress! + position, byteCount: count)
            }
        }
        position += count
        return count
    }
}
