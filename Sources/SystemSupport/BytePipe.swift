import Glibc

/// Joins a thread that pushes bytes to one that pulls them, holding at most `capacity` bytes between them.
///
/// The writer ends it with `finish()` or `fail(_:)`; a reader that wants no more says `abandon()`, after which writes throw.
package final class BytePipe: ByteSource, ByteSink, Sendable {
    /// What a writer is told once the reader has gone; the reader's own error is the one to report.
    package struct ReaderGone: ClassifiedError, Sendable {
        package var message: String { "write to pipe: the reader has gone" }
    }

    private struct State: Sendable {
        var ring: [UInt8]
        var start = 0
        var count = 0
        var ended = false
        var failure: (any Error)?
        var abandoned = false
    }

    private let state: Monitor<State>

    /// - Parameter capacity: bytes, at least 1.
    package init(capacity: Int = 1 << 20) { state = Monitor(State(ring: [UInt8](repeating: 0, count: capacity))) }

    package func write(_ bytes: Span<UInt8>) throws {
        try unsafe bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                done += try state.wait { state -> Int? in
                    if state.abandoned { throw ReaderGone() }
                    let capacity = state.ring.count
                    if state.count == capacity { return nil }
                    let position = (state.start + state.count) % capacity
                    let length = min(capacity - state.count, bytes.count - done, capacity - position)
                    unsafe state.ring.withUnsafeMutableBytes { ring in
                        unsafe ring.baseAddress!.advanced(by: position)
                            .copyMemory(from: bytes.baseAddress! + done, byteCount: length)
                    }
                    state.count += length
                    return length
                }
            }
        }
    }

    package func read(into buffer: inout MutableSpan<UInt8>) throws -> Int {
        if buffer.isEmpty { return 0 }
        return try unsafe buffer.withUnsafeMutableBytes { buffer in
            try state.wait { state -> Int? in
                if state.count == 0 {
                    if let failure = state.failure { throw failure }
                    return state.ended ? 0 : nil
                }
                let length = min(state.count, buffer.count, state.ring.count - state.start)
                unsafe state.ring.withUnsafeBytes { ring in
                    unsafe buffer.baseAddress!.copyMemory(from: ring.baseAddress! + state.start, byteCount: length)
                }
                state.start = (state.start + length) % state.ring.count
                state.count -= length
                return length
            }
        }
    }

    /// No more bytes will come.
    package func finish() { state.update { $0.ended = true } }

    /// No more bytes will come, because of this error; the reader gets it after the bytes already written.
    package func fail(_ error: any Error) {
        state.update { state in
            state.ended = true
            state.failure = error
        }
    }

    /// The reader wants no more.
    package func abandon() { state.update { $0.abandoned = true } }
}

extension BytePipe {
    /// Runs `write` on a thread of its own while `read` takes on this one what it writes.
    ///
    /// What `read` leaves is not written; the thread has ended when this returns.
    /// - Throws: what `read` throws, which gets the writer's errors from its source.
    @discardableResult
    package static func run<R>(
        capacity: Int = 1 << 20, writing write: @escaping @Sendable (any ByteSink) throws -> Void,
        reading read: (any ByteSource) throws -> R
    ) throws -> R {
        let pipe = BytePipe(capacity: capacity)
        let writer = try WorkerThread {
            do {
                try write(pipe)
                pipe.finish()
            } catch { pipe.fail(error) }
        }
        let result = Result { try read(pipe) }
        pipe.abandon()
        writer.join()
        return try result.get()
    }
}
