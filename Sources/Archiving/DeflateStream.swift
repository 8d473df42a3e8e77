import SystemSupport

/// Compresses a stream to raw deflate, chunks of it side by side on threads of its own.
///
/// At most `threads` + 2 chunks exist, whatever the length. Threads start when a second chunk comes; where none can start, and for
/// short streams, the caller's own thread does the work. The output is called on the caller's thread only.
final class DeflateStream {
    /// More threads would need more memory than the executor may take.
    static let mostThreads = 8

    private struct Work: Sendable {
        var waiting: [Chunk] = []
        var workers = 0
        var idle = 0
        var isStopping = false
    }

    private let level: Int
    private let threads: Int
    private let output: (Span<UInt8>) throws -> Void
    private let work = Monitor(Work())
    private var canStartThreads = true
    private var ownCompressor: ChunkCompressor?
    private var current: Chunk?
    /// Chunks handed over, in the order of the stream.
    private var underWay: [Chunk] = []
    private var free: [Chunk] = []

    /// - Parameters:
    ///   - level: Go's, -2…9.
    ///   - threads: nil for as many as the control group allows; at most `mostThreads` are used.
    /// - Throws: `ArchiveError` for another level.
    init(level: Int, threads: Int?, output: @escaping (Span<UInt8>) throws -> Void) throws {
        guard (-2...9).contains(level) else {
            throw ArchiveError(.invalidLevel, "compress", "", "invalid compression level \(level): want value in range [-2, 9]")
        }
        self.level = level
        self.threads = level == 0 ? 1 : max(1, min(threads ?? CPULimit.cores, Self.mostThreads))
        self.output = output
    }

    deinit { work.update { $0.isStopping = true } }

    func write(_ bytes: Span<UInt8>) throws {
        try unsafe bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let chunk = current ?? nextChunk(after: nil)
                current = chunk
                done += unsafe chunk.append(UnsafeRawBufferPointer(rebasing: bytes[done...]))
                if chunk.isFull {
                    let next = nextChunk(after: chunk)
                    try handOver(chunk)
                    current = next
                }
            }
        }
    }

    /// Ends the stream; another may follow.
    func finish() throws {
        if let chunk = current {
            current = nil
            if chunk.inputCount > 0 { try handOver(chunk, isLast: true) } else { free.append(chunk) }
        }
        while !underWay.isEmpty { try emitOldest() }
        // A final block with nothing in it, by the fixed code.
        try output(([0x03, 0x00] as [UInt8]).span)
    }

    private func nextChunk(after previous: Chunk?) -> Chunk {
        let chunk = free.popLast() ?? Chunk()
        chunk.start(after: previous)
        return chunk
    }

    private func handOver(_ chunk: Chunk, isLast: Bool = false) throws {
        if threads == 1 || isLast && underWay.isEmpty || !startWorker() {
            while !underWay.isEmpty { try emitOldest() }
            let compressor = try ownCompressor ?? ChunkCompressor(level: level)
            ownCompressor = compressor
            compressor.compress(chunk)
            return try emit(chunk)
        }
        underWay.append(chunk)
        work.update { $0.waiting.append(chunk) }
        // With the chunk that is being filled that makes threads + 2.
        while underWay.count > threads { try emitOldest() }
    }

    private func emitOldest() throws {
        let chunk = underWay.removeFirst()
        work.wait { _ in chunk.isDone ? true : nil }
        try emit(chunk)
    }

    private func emit(_ chunk: Chunk) throws {
        try unsafe output(Span(_unsafeElements: UnsafeBufferPointer(chunk.output).extracting(..<chunk.outputCount)))
        free.append(chunk)
    }

    /// Ensures that a worker will take the chunk.
    ///
    /// - Returns: false when there is no thread at all.
    private func startWorker() -> Bool {
        let (workers, isNeeded) = work.update { ($0.workers, $0.idle == 0 && $0.workers < threads) }
        guard isNeeded, canStartThreads else { return workers > 0 }
        let work = work
        work.update { $0.workers += 1 }
        do {
            let compressor = Transferred(try ChunkCompressor(level: level))
            try WorkerThread { Self.run(work, compressor.value) }.detach()
            return true
        } catch {
            // Out of memory, or threads are forbidden: the work goes on with fewer.
            work.update { $0.workers -= 1 }
            canStartThreads = false
            return workers > 0
        }
    }

    private static func run(_ work: Monitor<Work>, _ compressor: ChunkCompressor) {
        while true {
            work.update { $0.idle += 1 }
            let chunk = work.wait { work -> Chunk?? in
                if work.isStopping { return .some(nil) }
                if work.waiting.isEmpty { return nil }
                return work.waiting.removeFirst()
            }
            guard let chunk else { break }
            work.update { $0.idle -= 1 }
            compressor.compress(chunk)
            work.update { _ in chunk.isDone = true }
        }
        work.update { $0.workers -= 1 }
    }

    /// Carries a value to the one thread that will use it.
    private struct Transferred<Value>: @unchecked Sendable {
        let value: Value
        init(_ value: Value) { self.value = value }
    }
}
