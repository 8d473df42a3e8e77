package import ExecutorCore

/// Compresses a stream to one gzip member (no name, MTIME 0, OS 255), chunks of it side by side.
package final class GzipWriter: ByteSink {
    /// - Parameters:
    ///   - sink: gets the compressed bytes, on the caller's thread.
    ///   - level: Go's: -2 Huffman coding only, -1 the default, 0 stored, 1 fastest … 9 best.
    ///   - threads: how many compress; 1 means the caller's own. nil takes as many as the control group allows.
    /// - Throws: `ArchiveError` for a level outside -2…9.
    package init(_ sink: any ByteSink, level: Int = -1, threads: Int? = nil) throws {
        fatalError()
    }

    package func write(_ bytes: Span<UInt8>) throws {
        fatalError()
    }

    /// Writes what is left and the trailer. Without it the member is incomplete, and readers say so.
    package func finish() throws {
        fatalError()
    }
}
