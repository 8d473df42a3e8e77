package import HTTPTransport
import SystemSupport

extension ObjectBody {
    /// The body for HTTP.
    ///
    /// - Throws: `ArtifactError` (`unsupported`) for a stream of unknown length.
    package func http() throws -> HTTPBody {
        switch self {
        case .bytes(let bytes): .bytes(bytes)
        case .file(let stretch):
            .file(
                descriptor: stretch.file.descriptor.raw, offset: stretch.offset, length: stretch.length,
                subject: stretch.file.subject)
        case .stream: throw Self.endless
        }
    }

    /// Shows all bytes, block by block.
    ///
    /// - Throws: `ArtifactError`: `unsupported` for a stream of unknown length, `invalid` for a file that has become shorter.
    package func forEachBlock(_ show: (Span<UInt8>) throws -> Void) throws {
        switch self {
        case .bytes(let bytes): try show(bytes.span)
        case .file(let stretch):
            try FileReading.forEachBlock(
                stretch.file.descriptor.raw, from: stretch.offset, length: stretch.length, subject: stretch.file.subject, show)
        case .stream: throw Self.endless
        }
    }

    private static var endless: ArtifactError { .unsupported("send a stream of unknown length by HTTP") }
}

/// Discards bytes.
package final class DiscardingSink: ByteSink {
    package init() {}

    package func write(_ bytes: Span<UInt8>) {}
}
