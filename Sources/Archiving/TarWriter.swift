import SystemSupport

/// Writes tar entries to a sink: the format of contract 03 §4.
final class TarWriter {
    private let sink: any ByteSink

    init(_ sink: any ByteSink) { self.sink = sink }

    /// An entry without content.
    func write(_ header: TarHeader) throws { try sink.write(header.encoded().span) }

    /// An entry with `header.size` bytes of content, which `content` hands over piece by piece to the closure that it gets.
    ///
    /// - Returns: by how much the content was longer (positive) or shorter (negative) than the header says: what is too long is
    ///   cut, what is missing becomes zeros, so that the archive stays readable.
    func write(
        _ header: TarHeader, content: ((Span<UInt8>) throws -> Void) throws -> Void
    ) throws -> Int64 {
        try write(header)
        var length: Int64 = 0
        try content { piece in
            let room = max(0, header.size - length)
            if room > 0 { try sink.write(piece.extracting(first: Int(min(room, Int64(piece.count))))) }
            length += Int64(piece.count)
        }
        try writeZeros(max(0, header.size - length) + Int64(TarHeader.padding(header.size)))
        return length - header.size
    }

    /// Two blocks of zeros end the archive.
    func finish() throws { try writeZeros(Int64(2 * TarHeader.blockSize)) }

    private static let zeros = [UInt8](repeating: 0, count: 64 << 10)

    private func writeZeros(_ count: Int64) throws {
        var rest = count
        while rest > 0 {
            let length = Int(min(rest, Int64(Self.zeros.count)))
            try sink.write(Self.zeros.span.extracting(first: length))
            rest -= Int64(length)
        }
    }
}
