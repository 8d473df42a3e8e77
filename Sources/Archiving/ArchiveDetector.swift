package import SystemSupport

/// What a stream holds.
package enum ArchiveKind: Sendable {
    /// A tar without compression.
    case tar
    /// A tar in gzip, of any number of members.
    case tarGzip
    /// A tar in zstd.
    case tarZstd
}

/// Tells from a stream's first bytes whether it is a compressed tar (contract 03 §2).
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

    /// Decompressed bytes that are looked at.
    private static let window = 64 << 10
    /// Compressed bytes that are looked at: more than the window only if they hold members with nothing in them.
    private static let packedWindow = 1 << 20

    /// Looks at no more than the first 64 KiB of decompressed data.
    ///
    /// - Throws: what the source throws.
    package static func detect(_ source: any ByteSource) throws -> Detection {
        let start = try firstBytes(source, 4)
        let whole = ReplayedSource(start, then: source)
        let kind: ArchiveKind
        if start.starts(with: [0x1F, 0x8B]) {
            kind = .tarGzip
        } else if start == [0x28, 0xB5, 0x2F, 0xFD] {
            kind = .tarZstd
        } else {
            return Detection(kind: nil, source: whole)
        }
        let recording = RecordingSource(whole, limit: packedWindow)
        var found = false
        do {
            let decompressed: any ByteSource = kind == .tarGzip ? GzipReader(recording) : try ZstdReader(recording)
            let bytes = try decompressedBytes(decompressed)
            found = TarProbe.startsWithHeader(bytes, isCut: bytes.count == window)
        } catch is ArchiveError {
            // Not compressed so after all.
        }
        return Detection(kind: found ? kind : nil, source: ReplayedSource(recording.recorded, then: whole))
    }

    private static func firstBytes(_ source: any ByteSource, _ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            var span = bytes.mutableSpan
            var rest = span._mutatingExtracting(last: count - filled)
            let read = try source.read(into: &rest)
            if read == 0 { break }
            filled += read
        }
        return Array(bytes[..<filled])
    }

    /// What comes before a fault in the compressed data counts.
    private static func decompressedBytes(_ source: any ByteSource) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < window {
            do {
                let more = try firstBytes(source, min(TarHeader.blockSize, window - bytes.count))
                if more.isEmpty { break }
                bytes += more
            } catch is ArchiveError where !bytes.isEmpty { break }
        }
        return bytes
    }
}
