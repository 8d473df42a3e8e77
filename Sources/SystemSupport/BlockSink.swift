/// Gathers small pieces into blocks before they go to another sink: libcurl hands over at most 16 KiB at a time, and each write to
/// a file takes the file's lock. Blocks that leave the processor's cache cost more than they save.
package final class BlockSink: ByteSink {
    private let sink: any ByteSink
    private var block: [UInt8]
    private let capacity: Int

    package static let usualCapacity = 128 << 10

    /// - Parameter capacity: bytes in a block; memory for one is taken when the first piece comes.
    package init(_ sink: any ByteSink, capacity: Int = usualCapacity) {
        self.sink = sink
        self.capacity = capacity
        block = []
    }

    package func write(_ bytes: Span<UInt8>) throws {
        if block.isEmpty, bytes.count >= capacity { return try sink.write(bytes) }
        if block.isEmpty { block.reserveCapacity(capacity) }
        if block.count + bytes.count > capacity { try flush() }
        if bytes.count >= capacity { return try sink.write(bytes) }
        unsafe bytes.withUnsafeBufferPointer { unsafe block.append(contentsOf: $0) }
    }

    /// Hands on what has been gathered; the writer calls it at the end.
    package func flush() throws {
        if block.isEmpty { return }
        try unsafe block.withUnsafeBufferPointer { try unsafe sink.write($0.span) }
        block.removeAll(keepingCapacity: true)
    }
}
