import SystemSupport

/// Puts two streams into one by whole lines. A line that is not complete waits for its end, but neither long nor for much.
struct LineMerger {
    /// How long a part of a line waits for the rest, in nanoseconds.
    static let patience: Int64 = 100_000_000
    /// How many bytes of a line are held at most.
    static let longest = 16 << 10

    private var partial: [[UInt8]] = [[], []]
    private var since: [Int64] = [0, 0]

    /// Takes bytes of a stream (0 or 1) and gives those that can go.
    mutating func add(_ stream: Int, _ bytes: Span<UInt8>, now: Int64, to sink: (Span<UInt8>) -> Void) {
        var end = bytes.count
        while end > 0, bytes[end - 1] != 0x0A { end -= 1 }
        if partial[stream].count + bytes.count - end > Self.longest { end = bytes.count }
        if end > 0 {
            flush(stream, to: sink)
            sink(bytes.extracting(..<end))
        }
        if end == bytes.count { return }
        if partial[stream].isEmpty { since[stream] = now }
        unsafe bytes.extracting(end...).withUnsafeBytes { unsafe partial[stream].append(contentsOf: $0) }
    }

    /// When a part of a line has waited long enough; nil where none waits.
    var deadline: Int64? {
        [0, 1].filter { !partial[$0].isEmpty }.map { since[$0] + Self.patience }.min()
    }

    /// Gives what has waited long enough; with nil, everything.
    mutating func flushWaiting(now: Int64?, to sink: (Span<UInt8>) -> Void) {
        for stream in 0..<2 where now.map({ $0 >= since[stream] + Self.patience }) ?? true { flush(stream, to: sink) }
    }

    private mutating func flush(_ stream: Int, to sink: (Span<UInt8>) -> Void) {
        if partial[stream].isEmpty { return }
        var line: [UInt8] = []
        swap(&line, &partial[stream])
        sink(line.span)
    }
}
