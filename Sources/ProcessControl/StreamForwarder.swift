import Glibc
import Synchronization
package import SystemSupport

/// Passes bytes on to one of our own standard streams without ever blocking on it: signals must be served while the reader of
/// that stream is slow. May be used by several threads.
///
/// O_NONBLOCK is not set, since the open file is shared with others. Instead no more is written at once than poll(2) promises to
/// take; what finds no room waits here.
package final class StreamForwarder: Sendable {
    private struct State {
        var waiting: [UInt8] = []
        var position = 0
        /// The reader has gone; what comes is thrown away.
        var isBroken = false
        /// All bytes taken by the stream so far.
        var forwarded: Int64 = 0

        var isBlocked: Bool { position < waiting.count }
    }

    private let descriptor: Int32
    /// What may be written after POLLOUT without blocking.
    private let portion: Int
    private let state = Mutex(State())

    /// - Parameter descriptor: stays open for as long as this object; not closed by it.
    package init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var information = stat()
        let kind = unsafe fstat(descriptor, &information) == 0 ? information.st_mode & S_IFMT : 0
        switch kind {
        // Files never block in a way that poll could tell of.
        case S_IFREG: portion = 1 << 20
        // A terminal promises little.
        case S_IFCHR where isatty(descriptor) == 1: portion = 256
        default: portion = 4096
        }
    }

    /// Whether bytes are waiting for room. Then no more should be read for this stream.
    package var isBlocked: Bool { state.withLock { $0.isBlocked } }

    /// How many bytes are waiting for room.
    package var waitingCount: Int { state.withLock { $0.waiting.count - $0.position } }

    /// Takes all of the bytes: writes what finds room and keeps the rest.
    package func send(_ bytes: Span<UInt8>) {
        state.withLock { state in
            if state.isBroken { return }
            let done = state.isBlocked ? 0 : write(bytes, &state)
            unsafe bytes.extracting(done...).withUnsafeBytes { unsafe state.waiting.append(contentsOf: $0) }
        }
    }

    /// Adds this stream to what is waited for, if it has something to write.
    package func addInterest(to set: inout PollSet) { if isBlocked { set.add(descriptor, .writable) } }

    /// Writes waiting bytes as far as there is room.
    package func proceed() {
        state.withLock { state in
            guard state.isBlocked else { return }
            var waiting: [UInt8] = []
            swap(&waiting, &state.waiting)
            state.position += write(waiting.span.extracting(state.position...), &state)
            if state.position == waiting.count { state.position = 0 } else { swap(&waiting, &state.waiting) }
        }
    }

    /// Writes while there is room.
    ///
    /// - Returns: how many bytes need not be kept.
    private func write(_ bytes: Span<UInt8>, _ state: inout State) -> Int {
        unsafe bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                var set = PollSet()
                set.add(descriptor, .writable)
                guard (try? set.wait(until: 0)) == true else { return done }
                let count = unsafe Glibc.write(descriptor, bytes.baseAddress! + done, min(portion, bytes.count - done))
                let code = errno
                if count >= 0 {
                    done += count
                    state.forwarded += Int64(count)
                } else if code == EAGAIN {
                    return done
                } else if code != EINTR {
                    state.isBroken = true
                    return bytes.count
                }
            }
            return done
        }
    }

    /// Waits until all is written, at most until the clock of `monotonicNanoseconds` reaches `deadline`, and no longer than
    /// `patience` nanoseconds without any progress.
    package static func finish(_ streams: [StreamForwarder], until deadline: Int64, patience: Int64) {
        var taken: Int64 = -1
        var progressed = monotonicNanoseconds()
        while true {
            for stream in streams { stream.proceed() }
            let total = streams.reduce(0) { sum, stream in sum + stream.state.withLock { $0.forwarded } }
            let now = monotonicNanoseconds()
            if total != taken { (taken, progressed) = (total, now) }
            guard streams.contains(where: \.isBlocked), now < min(deadline, progressed + patience) else { return }
            var set = PollSet()
            for stream in streams { stream.addInterest(to: &set) }
            _ = try? set.wait(until: min(deadline, progressed + patience))
        }
    }
}
