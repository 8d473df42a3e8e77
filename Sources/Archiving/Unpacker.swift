package import FileTrees
import Glibc
package import SystemSupport

/// Unpacks archives beneath a directory and never outside it: links on the way to an entry are followed as long as they stay
/// beneath the directory, one under its own name never is (contract 03 §2, 05 C14 and C15).
///
/// Beyond the contract: the entry `./` is accepted, hard links to entries inside and sparse files are made, symbolic links are kept
/// whatever their target, and an entry takes the place of what an earlier one has made under its name, unless that is a
/// directory; a directory's entry also leaves a link to a directory beneath.
package enum Unpacker {
    /// Unpacks a stream into a directory, which is made (0777 minus umask) when it is missing.
    ///
    /// The source is read to its end, so that its checksums are verified.
    /// - Throws: `ArchiveError`, `SystemError` (with the path), or what the source throws. What was unpacked until then stays.
    @discardableResult
    package static func unpack(
        _ source: any ByteSource, as kind: ArchiveKind, into directory: BytePath, options: UnpackOptions = UnpackOptions()
    ) throws -> UnpackSummary {
        try unpack(source, as: kind, into: try makeRoot(directory), options: options)
    }

    /// Unpacks a stream into an open directory; its resolution does not matter.
    @discardableResult
    package static func unpack(
        _ source: any ByteSource, as kind: ArchiveKind, into directory: ContainedDirectory,
        options: UnpackOptions = UnpackOptions()
    ) throws -> UnpackSummary {
        let packed = CountingSource(source)
        let content: any ByteSource =
            switch kind {
            case .tar: packed
            case .tarGzip: GzipReader(packed)
            case .tarZstd: try ZstdReader(packed)
            }
        let reader = try ArchiveReader(content, .tar, operation: "untar")
        let gauge = UnpackGauge(options.limits, operation: "untar") { packed.count }
        let summary = try extract(reader, into: directory, options, gauge, operation: "untar", keepsDirectoryModes: false)
        try drain(content, gauge, options.log)
        return summary
    }

    /// Unpacks a zip file, which must be seekable, into a directory, which is made when it is missing.
    ///
    /// Files and directories get the modes of their entries, those that have none 0666 and 0755, all minus umask.
    /// - Throws: as `unpack`; `wrongFormat` when the file is no zip.
    @discardableResult
    package static func unpackZip(
        file: BytePath, into directory: BytePath, options: UnpackOptions = UnpackOptions()
    ) throws -> UnpackSummary {
        let opened = try Descriptor.open(file, O_RDONLY)
        return try unpackZip(opened.raw, into: try makeRoot(directory), options: options)
    }

    /// Unpacks an open zip file into an open directory; its resolution does not matter.
    @discardableResult
    package static func unpackZip(
        _ file: Int32, into directory: ContainedDirectory, options: UnpackOptions = UnpackOptions()
    ) throws -> UnpackSummary {
        let size = try FileStatus.of(file, subject: "zip file").size
        let reader = try ZipReader(file, keepsTimes: options.isFaithful)
        let gauge = UnpackGauge(options.limits, operation: "unzip") { size }
        return try extract(reader, into: directory, options, gauge, operation: "unzip", keepsDirectoryModes: true)
    }

    private static func makeRoot(_ directory: BytePath) throws(SystemError) -> ContainedDirectory {
        try DirectoryIO.makeDirectories(directory, mode: 0o777)
        return try ContainedDirectory(directory)
    }

    private static func extract(
        _ reader: any EntryReader, into directory: ContainedDirectory, _ options: UnpackOptions, _ gauge: UnpackGauge,
        operation: String, keepsDirectoryModes: Bool
    ) throws -> UnpackSummary {
        let root = ContainedDirectory(
            owning: try directory.openDirectory("."), path: directory.path, resolution: .beneath)
        let extraction = TreeExtraction(
            root, options, operation: operation, keepsDirectoryModes: keepsDirectoryModes)
        while let entry = try reader.next() {
            try gauge.begin(entry)
            try extraction.make(entry) { write in
                while try reader.nextPiece({ piece, offset in
                    try gauge.add(piece.count)
                    try write(piece, offset)
                }) {}
            }
        }
        try extraction.finish()
        report(extraction.summary, operation, directory.path, options.log)
        return extraction.summary
    }

    /// Reads what follows the archive's end, for the sake of the checksums.
    private static func drain(_ source: any ByteSource, _ gauge: UnpackGauge, _ log: Log) throws {
        do { try source.forEachBlock { try gauge.add($0.count) } } catch let error as ArchiveError
            where error.code == .trailingGarbage
        {
            // The archive itself is whole.
            log.warn("untar: \(error.message)")
        }
    }

    private static func report(_ summary: UnpackSummary, _ operation: String, _ path: BytePath, _ log: Log) {
        guard summary.droppedSpecials + summary.droppedLinks + summary.droppedAttributes > 0 else { return }
        log.warn(
            "\(operation): not everything in the archive was made",
            [
                "path": .path(path), "specials": .count(summary.droppedSpecials), "hardLinks": .count(summary.droppedLinks),
                "attributes": .count(summary.droppedAttributes),
            ])
    }
}
