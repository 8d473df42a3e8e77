package import ExecutorCore

/// Decompresses a gzip stream of any number of members; zeros after the last are passed over. Checksums are verified.
package final class GzipReader: ByteSource {
    package init(_ source: any ByteSource) {
        fatalError()
    }

    /// - Throws: `ArchiveError` with `wrongFormat`, `truncated`, `corrupt` or `trailingGarbage`.
    package func read(into buffer: inout MutableSpan<UInt8>) throws -> Int {
        fatalError()
    }
}
