import CDeflate
package import SystemSupport

/// Compresses a stream to one gzip member (no name, MTIME 0, OS 255), chunks of it side by side.
///
/// One member, because readers such as Python's `zlib.decompress` silently stop after the first.
package final class GzipWriter: ByteSink {
    private let sink: any ByteSink
    private let stream: DeflateStream
    private var header: [UInt8]?
    private var checksum: UInt32 = 0
    private var length: UInt64 = 0

    /// - Parameters:
    ///   - sink: gets the compressed bytes, on the caller's thread; it is not closed.
    ///   - level: Go's: -2 Huffman coding only, -1 the default, 0 stored, 1 fastest … 9 best.
    ///   - threads: how many compress; 1 means the caller's own. nil takes as many as the control group allows, up to 8.
    /// - Throws: `ArchiveError` for a level outside -2…9.
    package init(_ sink: any ByteSink, level: Int = -1, threads: Int? = nil) throws {
        self.sink = sink
        stream = try DeflateStream(level: level, threads: threads) { try sink.write($0) }
        let effort: UInt8 = level == 9 ? 2 : level == 1 ? 4 : 0
        header = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, effort, 255]
    }

    package func write(_ bytes: Span<UInt8>) throws {
        try writeHeader()
        unsafe bytes.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress { checksum = unsafe libdeflate_crc32(checksum, start, bytes.count) }
        }
        length &+= UInt64(bytes.count)
        try stream.write(bytes)
    }

    /// Writes what is left and the trailer. Without it the member is incomplete, and readers say so.
    package func finish() throws {
        try writeHeader()
        try stream.finish()
        var trailer: [UInt8] = []
        for shift in stride(from: 0, to: 32, by: 8) { trailer.append(UInt8(truncatingIfNeeded: checksum >> shift)) }
        for shift in stride(from: 0, to: 32, by: 8) { trailer.append(UInt8(truncatingIfNeeded: length >> shift)) }
        try sink.write(trailer.span)
    }

    private func writeHeader() throws {
        guard let header else { return }
        self.header = nil
        try sink.write(header.span)
    }
}
