/// Cuts bytes into lines as they come, and holds no more than one line at a time.
package final class LineSink: ByteSink {
    private let limit: Int
    private let subject: String
    private let onLine: ([UInt8]) throws -> Void
    private var line: [UInt8] = []

    /// Memory that is kept from one line for the next, in bytes.
    private static let keptCapacity = 256 << 10

    /// - Parameters:
    ///   - limit: bytes of the longest line that is taken.
    ///   - subject: for messages.
    ///   - onLine: takes a line without its end; empty ones are passed over. What it throws is thrown by `write`.
    package init(limit: Int, subject: String, onLine: @escaping ([UInt8]) throws -> Void) {
        self.limit = limit
        self.subject = subject
        self.onLine = onLine
    }

    /// - Throws: `ExecutorError` for a line that is too long; what `onLine` throws.
    package func write(_ bytes: Span<UInt8>) throws {
        var start = 0
        while start < bytes.count {
            var end = start
            while end < bytes.count, bytes[end] != 0x0A { end += 1 }
            guard line.count + (end - start) <= limit else {
                throw ExecutorError.failed("\(subject): a line is longer than \(limit) bytes")
            }
            unsafe bytes.extracting(start..<end).withUnsafeBufferPointer { unsafe line.append(contentsOf: $0) }
            guard end < bytes.count else { return }
            start = end + 1
            try hand()
        }
    }

    private func hand() throws {
        if line.last == 0x0D { line.removeLast() }
        let whole = line
        if line.capacity > Self.keptCapacity { line = [] } else { line.removeAll(keepingCapacity: true) }
        if !whole.isEmpty { try onLine(whole) }
    }
}
