import Glibc
import Synchronization
import SystemSupport
import Testing

/// Container engines from before clone3 answer it with EPERM, at which the C library starts no thread.
@Suite struct RefusedThreadTests {
    private static let clone3: UInt32 = 435

    @Test(arguments: [EPERM, ENOSYS]) func startsThreadsWhereClone3IsRefused(code: Int32) throws {
        let seen = Mutex<[String]>([])
        let failure = Mutex<(any Error)?>(nil)
        try WorkerThread {
            do {
                try Self.deny(Self.clone3, with: code)
                try WorkerThread {
                    seen.withLock { $0.append("first") }
                    // What it starts in its turn.
                    do { try WorkerThread { seen.withLock { $0.append("second") } }.join() } catch {
                        failure.withLock { $0 = error }
                    }
                }.join()
                try Parallel.forEach(count: 8, width: 4) { _ in seen.withLock { $0.append("parallel") } }
            } catch { failure.withLock { $0 = error } }
        }.join()
        #expect(failure.withLock { $0.map { errorText($0) } } == nil)
        #expect(seen.withLock { $0 } == ["first", "second"] + Array(repeating: "parallel", count: 8))
    }

    /// Where nothing is refused no filter is set, which nothing could take away again.
    @Test func setsNoFilterWhereNoneIsNeeded() throws {
        let before = try Self.filters()
        let inside = Mutex(before + 1)
        try WorkerThread { inside.withLock { $0 = (try? Self.filters()) ?? -1 } }.join()
        #expect(inside.withLock { $0 } == before)
        #expect(try Self.filters() == before)
    }

    /// How many filters the calling thread has.
    private static func filters() throws -> Int {
        let status = String(decoding: try SmallFile.read("/proc/thread-self/status", limit: 1 << 16), as: UTF8.self)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("Seccomp_filters:") })
        return try #require(Int(line.split(separator: "\t")[1]))
    }

    private struct Instruction {
        var code: UInt16
        var jt: UInt8
        var jf: UInt8
        var k: UInt32
    }

    private struct Program {
        var length: UInt16
        var steps: UnsafeMutablePointer<Instruction>
    }

    /// Makes a system call fail for the calling thread and those that it starts.
    private static func deny(_ call: UInt32, with code: Int32) throws {
        var steps = [
            Instruction(code: 0x20, jt: 0, jf: 0, k: 0), Instruction(code: 0x15, jt: 0, jf: 1, k: call),
            Instruction(code: 0x06, jt: 0, jf: 0, k: 0x0005_0000 | UInt32(code)),
            Instruction(code: 0x06, jt: 0, jf: 0, k: 0x7FFF_0000),
        ]
        // Glibc's module hides it.
        typealias Call = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
        let prctl = unsafeBitCast(dlsym(nil, "prctl"), to: Call.self)
        try #require(prctl(38, 1, 0, 0, 0) == 0)
        try steps.withUnsafeMutableBufferPointer { steps in
            var program = Program(length: UInt16(steps.count), steps: steps.baseAddress!)
            try withUnsafeMutablePointer(to: &program) { try #require(prctl(22, 2, UInt(bitPattern: $0), 0, 0) == 0) }
        }
    }
}
