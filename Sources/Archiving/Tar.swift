package import ExecutorCore
package import FileTrees

/// Packing a file or directory as a plain tar (contract 03 §4, "Content tar").
package enum Tar {
    /// As `TarGzip.pack`, without compression.
    package static func pack(
        _ path: BytePath, into sink: any ByteSink, options: PackOptions = PackOptions()
    ) throws {
        fatalError()
    }

    /// As `TarGzip.pack`, without compression.
    package static func pack(
        _ path: BytePath, in directory: ContainedDirectory, named name: BytePath, into sink: any ByteSink,
        options: PackOptions = PackOptions()
    ) throws {
        fatalError()
    }
}
