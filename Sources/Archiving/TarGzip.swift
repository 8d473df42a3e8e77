package import FileTrees
package import SystemSupport

/// Packing a file or directory as a gzipped tar (contract 03 §4).
package enum TarGzip {
    /// Packs the file or directory at a trusted path under its base name. A link there is followed, links below are kept.
    ///
    /// - Parameters:
    ///   - level: Go's: -2 Huffman coding only, -1 the default, 0 stored, 1 fastest … 9 best.
    ///   - sink: gets the archive; it is not closed.
    /// - Throws: `ArchiveError` (`isNotFound` when the path does not exist), `SystemError`, or what the sink throws.
    package static func pack(
        _ path: BytePath, level: Int = -1, into sink: any ByteSink, options: PackOptions = PackOptions()
    ) throws {
        let gzip = try GzipWriter(sink, level: level, threads: options.threads)
        try Tar.pack(path, into: gzip, options: options)
        try gzip.finish()
    }

    /// Packs what stands at `path` in a directory, resolved as that directory says, under the name `name`.
    package static func pack(
        _ path: BytePath, in directory: ContainedDirectory, named name: BytePath, level: Int = -1, into sink: any ByteSink,
        options: PackOptions = PackOptions()
    ) throws {
        let gzip = try GzipWriter(sink, level: level, threads: options.threads)
        try Tar.pack(path, in: directory, named: name, into: gzip, options: options)
        try gzip.finish()
    }
}
