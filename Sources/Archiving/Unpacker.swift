package import ExecutorCore

/// Unpacks archives beneath a directory, never outside it and never through a symbolic link (contract 03 §2, 05 C14 and C15).
package enum Unpacker {
    /// Unpacks a stream into a directory, which is made (0777 minus umask) when it is missing.
    ///
    /// The source is read to its end, so that its checksums are verified.
    /// - Throws: `ArchiveError`, `SystemError` (with the path), or what the source throws. What was unpacked until then stays.
    @discardableResult
    package static func unpack(
        _ source: any ByteSource, as kind: ArchiveKind, into directory: BytePath, options: UnpackOptions = UnpackOptions()
    ) throws -> UnpackSummary {
        fatalError()
    }

    /// Unpacks a zip file, which must be seekable, into a directory, which is made when it is missing.
    ///
    /// - Throws: as `unpack`; `wrongFormat` when the file is no zip.
    @discardableResult
    package static func unpackZip(
        file: BytePath, into directory: BytePath, options: UnpackOptions = UnpackOptions()
    ) throws -> UnpackSummary {
        fatalError()
    }
}
