package import ExecutorCore

/// What a stream holds.
package enum ArchiveKind: Sendable {
    /// A tar without compression.
    case tar
    /// A tar in gzip, of any number of members.
    case tarGzip
    /// A tar in zstd.
    case tarZstd
}

/// Tells from a stream's first bytes whether it is a compressed tar (contract 03 §2, R55).
package enum ArchiveDetector {
    /// What was found, and the stream from its beginning.
    package struct Detection {
        /// `.tarGzip` or `.tarZstd` when the stream is compressed so and the first tar header in it is readable; nil for
        /// everything else, a plain tar and an archive without entries too. The contract unpacks `.tarGzip` only.
        package let kind: ArchiveKind?
        /// Gives again what was looked at, then the rest.
        package let source: any ByteSource

        package var isTarGzip: Bool { kind == .tarGzip }
    }

    /// Looks at no more than the first 64 KiB of decompressed data.
    ///
    /// - Throws: what the source throws.
    package static func detect(_ source: any ByteSource) throws -> Detection {
        fatalError()
    }
}
