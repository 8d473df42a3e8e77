import CLinuxShims
import Glibc
package import SystemSupport

/// The output of one run of the user's process on its way: from the pipes that the process sees to our own streams, and into the
/// files that are asked for (contract 02 §4).
///
/// Nothing here blocks, and no trouble with a file keeps output from our own streams.
package final class OutputCapture {
    /// Where copies go; nil for none.
    package struct Files {
        /// Takes standard output: of it only the end is kept on the disk.
        package var result: CaptureFile?
        /// Takes both streams, merged by lines.
        package var combined: CaptureFile?

        package init(result: CaptureFile?, combined: CaptureFile?) {
            self.result = result
            self.combined = combined
        }
    }

    /// A pipe or terminal that the process writes to.
    private final class Source {
        let stream: Int
        let descriptor: Descriptor
        let forwarder: StreamForwarder
        var isOpen = true
        var index: Int?

        init(stream: Int, descriptor: consuming Descriptor, forwarder: StreamForwarder) {
            self.stream = stream
            self.descriptor = descriptor
            self.forwarder = forwarder
        }
    }

    private var sources: [Source] = []
    private var childEnds: [Int32] = []
    private let files: Files
    private var hasEnded = false
    private var merger = LineMerger()
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    /// Larger than the usual 64 KiB, so that the process seldom waits for us; small enough for many pods of one user (the kernel
    /// counts 64 MiB a user).
    private static let pipeSize: Int32 = 256 << 10
    /// Bytes that may wait for each of our own streams once the process has ended.
    private static let lastOutputLimit = 4 << 20

    /// Two pipes: standard output and standard error.
    package init(files: Files, output: StreamForwarder, error: StreamForwarder) throws(SystemError) {
        self.files = files
        for (stream, forwarder) in [output, error].enumerated() {
            let ends = try Pipe()
            _ = linux_set_pipe_size(ends.writing, Self.pipeSize)
            childEnds.append(ends.writing)
            let reading = Descriptor(owning: ends.reading)
            try checked("fcntl") { linux_set_nonblocking(ends.reading) }
            sources.append(Source(stream: stream, descriptor: reading, forwarder: forwarder))
        }
    }

    /// One terminal for both streams.
    package init(files: Files, terminal: TerminalSession, output: StreamForwarder) throws(SystemError) {
        self.files = files
        let copy = try checked("dup") { fcntl(terminal.descriptor, F_DUPFD_CLOEXEC, 3) }
        sources.append(Source(stream: 0, descriptor: Descriptor(owning: copy), forwarder: output))
    }

    deinit { childStarted() }

    /// What becomes the child's standard output and standard error; nil with a terminal.
    package var childOutput: Int32? { childEnds.first }
    package var childError: Int32? { childEnds.last }

    /// Closes the child's ends on our side, after which the end of its output can be seen.
    package func childStarted() {
        for end in childEnds { close(end) }
        childEnds = []
    }

    /// Adds what `handle` has to look at.
    package func addInterests(to set: inout PollSet) {
        for source in sources {
            // While our own stream takes no more, the process has to wait, as it would without us.
            let hasRoom = hasEnded ? source.forwarder.waitingCount < Self.lastOutputLimit : !source.forwarder.isBlocked
            source.index = source.isOpen && hasRoom ? set.add(source.descriptor.raw, .readable) : nil
        }
    }

    /// When `handle` is to be called at the latest; nil for no such time.
    package var deadline: Int64? { files.combined == nil ? nil : merger.deadline }

    /// Moves what can be moved.
    package func handle(_ set: PollSet) {
        for source in sources {
            guard let index = source.index, !set[index].isEmpty else { continue }
            _ = read(source, atMost: buffer.count)
        }
        merger.flushWaiting(now: monotonicNanoseconds()) { files.combined?.append($0) }
    }

    /// To be called once the process has ended. What it left in the pipes, and what helpers of its own still pass on, is taken
    /// from then on without waiting for our own streams, in which it waits.
    package func processEnded() { hasEnded = true }

    /// Whether a process may still write: the child, or another that holds a pipe open.
    package var isOpen: Bool { sources.contains { $0.isOpen } }

    /// Takes what is in the pipes now, and not what another process may still write; then they are closed.
    package func finish() {
        for source in sources where source.isOpen { drain(source) }
        sources = []
        merger.flushWaiting(now: nil) { files.combined?.append($0) }
    }

    private func drain(_ source: Source) {
        var left: Int32 = 0
        guard unsafe linux_readable_count(source.descriptor.raw, &left) == 0 else { return }
        while left > 0 {
            let count = read(source, atMost: Int(left))
            if count <= 0 { return }
            left -= Int32(count)
        }
    }

    /// Reads once and passes on.
    ///
    /// - Returns: how many bytes there were; 0 or less for none.
    private func read(_ source: Source, atMost limit: Int) -> Int {
        // Taken out for the time of the call: what comes after the read changes other parts of this object.
        var block: [UInt8] = []
        swap(&block, &buffer)
        defer { swap(&block, &buffer) }
        let descriptor = source.descriptor.raw
        let count = unsafe block.withUnsafeMutableBytes {
            unsafe Glibc.read(descriptor, $0.baseAddress!, min(limit, $0.count))
        }
        let code = errno
        if count > 0 {
            let bytes = block.span.extracting(..<count)
            if source.stream == 0 { files.result?.append(bytes) }
            if let combined = files.combined {
                merger.add(source.stream, bytes, now: monotonicNanoseconds()) { combined.append($0) }
            }
            source.forwarder.send(bytes)
        } else if count == 0 || ![EAGAIN, EINTR].contains(code) {
            // A terminal without processes says EIO.
            source.isOpen = false
        }
        return count
    }
}

/// The two ends of a new pipe, both close-on-exec. They belong to who made it.
package struct Pipe: Sendable {
    package let reading: Int32
    package let writing: Int32

    package init() throws(SystemError) {
        var ends: (Int32, Int32) = (-1, -1)
        try checked("pipe") {
            unsafe withUnsafeMutableBytes(of: &ends) { unsafe linux_pipe($0.baseAddress!.assumingMemoryBound(to: Int32.self)) }
        }
        (reading, writing) = ends
    }
}
