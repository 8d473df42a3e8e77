import SystemSupport

/// Reads files through one buffer.
@safe
final class FileContent {
    private let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 256 << 10)

    deinit { unsafe buffer.deallocate() }

    /// Hands over the content from the current offset, up to `size` bytes and, should there be more, one beyond: it tells that the
    /// file has grown.
    func read(
        _ file: Int32, upTo size: Int64, subject: String, _ piece: (Span<UInt8>) throws -> Void
    ) throws {
        var rest = size == .max ? size : size + 1
        while rest > 0 {
            let length = unsafe Int(min(rest, Int64(buffer.count)))
            var span = unsafe buffer.extracting(..<length).mutableSpan
            let count = try DescriptorIO.read(file, into: &span, subject: subject)
            if count == 0 { return }
            try unsafe piece(Span(_unsafeElements: UnsafeBufferPointer(buffer.extracting(..<count))))
            rest -= Int64(count)
        }
    }
}
