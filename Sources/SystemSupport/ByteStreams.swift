/// Bytes that come, one block after the other. Not thread-safe: one reader at a time. Calls may block.
package protocol ByteSource: AnyObject {
    /// Fills at most `buffer.count` bytes and returns how many; 0 is the end, and only a read that truly reached it says so.
    func read(into buffer: inout MutableSpan<UInt8>) throws -> Int
}

extension ByteSource {
    /// Reads all that is left, and hands it on block for block.
    package func forEachBlock(_ body: (Span<UInt8>) throws -> Void) throws {
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            var span = buffer.mutableSpan
            let count = try read(into: &span)
            if count == 0 { return }
            try body(buffer.span.extracting(first: count))
        }
    }

    /// Writes all that is left to a sink.
    package func copy(to sink: any ByteSink) throws { try forEachBlock { try sink.write($0) } }
}

/// Bytes that go, one block after the other. Not thread-safe: one writer at a time. Calls may block.
package protocol ByteSink: AnyObject {
    /// Takes all of the bytes, or throws.
    func write(_ bytes: Span<UInt8>) throws
}

/// A source over bytes in memory.
package final class MemorySource: ByteSource {
    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package func read(into buffer: inout MutableSpan<UInt8>) -> Int {
        let count = min(buffer.count, bytes.count - position)
        for index in 0..<count { buffer[index] = bytes[position + index] }
        position += count
        return count
    }
}

/// A sink that keeps everything in memory.
package final class MemorySink: ByteSink {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package func write(_ span: Span<UInt8>) {
        for index in span.indices { bytes.append(span[index]) }
    }
}

/// A source over an open file that the caller keeps open.
package final class DescriptorSource: ByteSource {
    private let raw: Int32
    private let subject: String

    package init(_ raw: Int32, subject: String) {
        self.raw = raw
        self.subject = subject
    }

    package func read(into buffer: inout MutableSpan<UInt8>) throws -> Int {
        try DescriptorIO.read(raw, into: &buffer, subject: subject)
    }
}

/// A sink over an open file that the caller keeps open.
package final class DescriptorSink: ByteSink {
    private let raw: Int32
    private let subject: String

    package init(_ raw: Int32, subject: String) {
        self.raw = raw
        self.subject = subject
    }

    package func write(_ bytes: Span<UInt8>) throws { try DescriptorIO.write(raw, bytes, subject: subject) }
}
