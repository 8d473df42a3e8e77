import CLinuxShims
import Glibc
package import SystemSupport

/// Runs a program to its end beside other threads and keeps what it says: for git, kubectl and credential helpers.
package struct Subprocess {
    /// What a program left behind.
    package struct Result: Sendable {
        package let status: ExitStatus
        package let output: [UInt8]
        /// Of much, the first part and the last.
        package let error: [UInt8]
    }

    package var spawner: Spawner
    /// What the program reads on its standard input.
    package var input: [UInt8] = []
    /// Takes standard output block by block, in place of the result.
    package var outputSink: (any ByteSink)?
    /// Gets standard error block by block too, all of it.
    package var errorSink: (any ByteSink)?
    /// The most bytes of standard output that are kept; more end the program.
    package var outputLimit = 64 << 20
    /// The most bytes of standard error that are kept: half of them the first ones, since the cause comes first and what
    /// follows from it later.
    package var errorLimit = 64 << 10
    /// When the program is ended, by the clock of `monotonicNanoseconds`; nil for never.
    package var deadline: Int64?
    /// When one of these becomes readable the program is ended too, e.g. by a signal; who owns them empties them.
    package var cancellation: [Int32] = []
    /// Between SIGTERM and SIGKILL, in nanoseconds.
    package var grace: Int64 = 2_000_000_000

    /// How long after its end output is still waited for, in nanoseconds.
    private static let lastOutputLimit: Int64 = 100_000_000

    package init(_ spawner: Spawner) { self.spawner = spawner }

    /// Runs it and waits for its end. Where we end it, its whole process group goes.
    ///
    /// - Throws: `SystemError` where it cannot be started; `ExecutorError` where it took too long, said too much or was
    ///   cancelled; what `outputSink` throws.
    package func run() throws -> Result {
        let input = Descriptor(owning: try checked("memfd_create") { linux_memory_file() })
        try DescriptorIO.write(input.raw, self.input.span, subject: "standard input")
        try checked("lseek") { lseek(input.raw, 0, SEEK_SET) }
        let output = try Stream()
        let error = try Stream()
        var spawner = spawner
        spawner.placement = .newGroup
        spawner.standardInput = input.raw
        spawner.standardOutput = output.childEnd
        spawner.standardError = error.childEnd
        let child = try spawner.start()
        output.closeChildEnd()
        error.closeChildEnd()

        var kept: [UInt8] = []
        var keptError = KeptEnds(limit: errorLimit)
        let take = { (last: Bool) throws in
            try output.read(all: last) { bytes in
                if let outputSink { return try outputSink.write(bytes) }
                if kept.count + bytes.count > outputLimit {
                    throw ExecutorError.failed("run \(spawner.program): its output is larger than \(outputLimit) bytes")
                }
                for index in bytes.indices { kept.append(bytes[index]) }
            }
            try error.read(all: last) { bytes in
                try? errorSink?.write(bytes)
                keptError.append(bytes)
            }
        }
        do {
            while try child.poll() == nil {
                try waitForEvents(child, [output, error])
                try take(false)
            }
            // What helpers of its own still pass on, but no waiting for those that only hold the streams.
            let end = monotonicNanoseconds() + Self.lastOutputLimit
            while output.isOpen || error.isOpen, monotonicNanoseconds() < end {
                var set = PollSet()
                for stream in [output, error] { stream.addInterest(to: &set) }
                try set.wait(until: end)
                try take(false)
            }
            try take(true)
        } catch {
            end(child)
            throw error
        }
        guard let status = try child.poll() else { throw ExecutorError.failed("run \(spawner.program): no exit status") }
        return Result(status: status, output: kept, error: keptError.bytes)
    }

    private func waitForEvents(_ child: ChildProcess, _ streams: [Stream]) throws {
        var set = PollSet()
        for stream in streams { stream.addInterest(to: &set) }
        let cancelling = cancellation.map { set.add($0, .readable) }
        var limit = deadline
        if let exitDescriptor = child.exitDescriptor {
            set.add(exitDescriptor, .readable)
        } else {
            limit = min(deadline ?? .max, monotonicNanoseconds() + 10_000_000)
        }
        try set.wait(until: limit)
        if cancelling.contains(where: { !set[$0].isEmpty }) {
            throw ExecutorError.failed("run \(spawner.program): cancelled")
        }
        if let deadline, monotonicNanoseconds() >= deadline, try child.poll() == nil {
            throw ExecutorError.transient("run \(spawner.program): timed out")
        }
    }

    private func end(_ child: ChildProcess) {
        try? child.signal(SIGTERM)
        if (try? child.wait(until: monotonicNanoseconds() + grace)) == nil {
            try? child.signal(SIGKILL)
            _ = try? child.wait()
        }
        // What it left behind in its group.
        _ = kill(-child.id, SIGKILL)
    }

    /// A pipe that the program writes to.
    private final class Stream {
        private let descriptor: Descriptor
        private(set) var childEnd: Int32
        private(set) var isOpen = true

        init() throws(SystemError) {
            let pipe = try Pipe()
            descriptor = Descriptor(owning: pipe.reading)
            childEnd = pipe.writing
            try checked("fcntl") { linux_set_nonblocking(pipe.reading) }
        }

        deinit { closeChildEnd() }

        func closeChildEnd() {
            if childEnd != -1 { close(childEnd) }
            childEnd = -1
        }

        func addInterest(to set: inout PollSet) { if isOpen { set.add(descriptor.raw, .readable) } }

        /// Reads a block, or all that is in the pipe at this moment.
        func read(all: Bool, _ sink: (Span<UInt8>) throws -> Void) throws {
            var left: Int32 = 1 << 16
            if all { _ = unsafe linux_readable_count(descriptor.raw, &left) }
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while isOpen, left > 0 {
                let count = unsafe buffer.withUnsafeMutableBytes {
                    unsafe Glibc.read(descriptor.raw, $0.baseAddress!, min($0.count, Int(left)))
                }
                if count <= 0 {
                    if count == 0 || ![EAGAIN, EINTR].contains(errno) { isOpen = false }
                    return
                }
                left -= Int32(count)
                try sink(buffer.span.extracting(..<count))
                if !all { return }
            }
        }
    }
}
