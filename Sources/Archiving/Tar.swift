package import FileTrees
package import SystemSupport

/// Packing a file or directory as a plain tar (contract 03 §4, "Content tar").
package enum Tar {
    /// Packs the file or directory at a trusted path under its base name. A link there is followed, links below are kept.
    ///
    /// - Parameter sink: gets the archive; it is not closed.
    /// - Throws: `ArchiveError` (`isNotFound` when the path does not exist), `SystemError`, or what the sink throws.
    package static func pack(
        _ path: BytePath, into sink: any ByteSink, options: PackOptions = PackOptions()
    ) throws {
        try pack(.path(path), named: path.base, into: sink, options)
    }

    /// Packs what stands at `path` in a directory, resolved as that directory says, under the name `name`.
    package static func pack(
        _ path: BytePath, in directory: ContainedDirectory, named name: BytePath, into sink: any ByteSink,
        options: PackOptions = PackOptions()
    ) throws {
        try pack(.beneath(directory, path), named: name, into: sink, options)
    }

    static func pack(_ root: TreePacker.Root, named name: BytePath, into sink: any ByteSink, _ options: PackOptions) throws {
        let changes = PackChanges()
        try TreePacker(operation: "tar", options: options)
            .pack(root, named: name, TarEntryWriter(sink, options, changes), changes)
    }
}
