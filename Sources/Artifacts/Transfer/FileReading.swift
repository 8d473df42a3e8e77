package import SystemSupport

/// Reading stretches of open files.
package enum FileReading {
    private static let blockSize = 256 << 10

    /// Gives all bytes of a stretch to a sink.
    ///
    /// - Throws: `ArtifactError` (`invalid`) when the file ends before the stretch does.
    package static func copy(
        _ raw: Int32, from offset: Int64, length: Int64, into sink: any ByteSink, subject: String
    ) throws {
        try forEachBlock(raw, from: offset, length: length, subject: subject) { try sink.write($0) }
    }

    /// Shows all bytes of a stretch, block by block.
    package static func forEachBlock(
        _ raw: Int32, from offset: Int64, length: Int64, subject: String, _ body: (Span<UInt8>) throws -> Void
    ) throws {
        var block = [UInt8](repeating: 0, count: Int(min(Int64(blockSize), max(0, length))))
        var done: Int64 = 0
        while done < length {
            if length - done < Int64(block.count) { block.removeLast(block.count - Int(length - done)) }
            var span = block.mutableSpan
            let count = try DescriptorIO.read(raw, into: &span, at: offset + done, subject: subject)
            if count == 0 {
                throw ArtifactError.invalid("read", subject, "the file became shorter: it ends at byte \(offset + done)")
            }
            try body(block.span.extracting(first: count))
            done += Int64(count)
        }
    }
}
