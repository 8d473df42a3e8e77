package import Foundation
import Glibc
import Synchronization

/// A program of the testbed: it speaks JSON lines on its standard output, takes them on its standard input, and ends by
/// itself, with all that it started, when its standard input is closed.
///
/// It is no `Process` of Foundation's, which waits for one child at a time: one that closes what it was given, and lives on, would keep
/// the ends of all others from being seen.
package final class ToolProcess: Sendable {
    /// What it has written so far on standard error.
    package var diagnostics: String {
        state.withLock { state in
            try? state.diagnostics.seek(toOffset: 0)
            return (try? state.diagnostics.readToEnd()).map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
    }

    /// The lines of its standard output, as they come.
    package let lines: AsyncStream<String>

    private struct State {
        let identifier: pid_t
        let input: FileHandle
        let diagnostics: FileHandle
        var exitStatus: Int32?
        var waiting: [CheckedContinuation<Int32, Never>] = []
    }

    private let state: Mutex<State>

    /// Starts a program.
    ///
    /// - Throws: `POSIXError` where it cannot be started.
    package init(_ program: URL, _ arguments: [String], environment: [String: String] = [:]) throws {
        let input = try Self.socketPair()
        let output = try Self.pipe()
        let diagnostics = try Self.namelessFile()
        let variables = ProcessInfo.processInfo.environment.merging(environment) { _, own in own }
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        self.lines = lines
        let identifier: pid_t
        do {
            defer {
                try? input.theirs.close()
                close(output.writing)
            }
            identifier = try Self.spawn(
                [program.path] + arguments, variables.map { "\($0.key)=\($0.value)" },
                standard: [input.theirs.fileDescriptor, output.writing, diagnostics.forWriting.fileDescriptor])
        } catch {
            close(output.reading)
            throw error
        }
        state = Mutex(State(identifier: identifier, input: input.ours, diagnostics: diagnostics.forReading))
        Self.read(output.reading, into: continuation)
        Thread.detachNewThread { [weak self] in
            let status = Self.wait(for: identifier)
            self?.ended(status)
        }
    }

    /// Starts a program in a process group of its own.
    ///
    /// - Parameter descriptors: its standard input, output and error; it gets no others.
    private static func spawn(_ words: [String], _ variables: [String], standard descriptors: [Int32]) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        for (number, descriptor) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            if let number = Int32(name), number > 2 { posix_spawn_file_actions_addclose(&actions, number) }
        }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        var (list, environment) = (words.map { strdup($0) } + [nil], variables.map { strdup($0) } + [nil])
        defer { for text in list + environment { free(text) } }
        var identifier: pid_t = 0
        let code = posix_spawn(&identifier, words[0], &actions, &attributes, &list, &environment)
        guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EINVAL) }
        return identifier
    }

    /// The exit code, or the number of the signal that ended it.
    private static func wait(for identifier: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(identifier, &status, 0) < 0 && errno == EINTR {}
        return status & 0x7F == 0 ? status >> 8 & 0xFF : status & 0x7F
    }

    deinit { state.withLock { try? $0.input.close() } }

    /// Whether it has ended.
    package var hasEnded: Bool { state.withLock { $0.exitStatus != nil } }

    /// Its process id, to send it signals.
    package var identifier: Int32 { state.withLock { $0.identifier } }

    /// Sends a line to its standard input. A program that has ended reads nothing more; that is no error here.
    package func send(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        state.withLock { _ = Glibc.send($0.input.fileDescriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
    }

    /// Closes its standard input and waits for its end.
    @discardableResult
    package func stop() async -> Int32 {
        state.withLock { try? $0.input.close() }
        return await exitStatus()
    }

    /// Waits for its end.
    package func exitStatus() async -> Int32 {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state -> Int32? in
                if state.exitStatus == nil { state.waiting.append(continuation) }
                return state.exitStatus
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    private func ended(_ status: Int32) {
        let waiting = state.withLock { state in
            state.exitStatus = status
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: status) }
    }

    /// A file that is gone with those who have it open.
    private static func namelessFile() throws -> (forWriting: FileHandle, forReading: FileHandle) {
        let file = FileManager.default.temporaryDirectory.appending(path: "tool-\(UUID().uuidString).stderr")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return (try FileHandle(forWritingTo: file), try FileHandle(forReadingFrom: file))
    }

    private static func pipe() throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EINVAL) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// A connection for its standard input: to a socket one can write without a SIGPIPE, which a test process must not ignore,
    /// because its children would.
    private static func socketPair() throws -> (ours: FileHandle, theirs: FileHandle) {
        var ends: [Int32] = [-1, -1]
        // Closed on exec: a child of another test that kept it open would keep this program alive.
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EINVAL)
        }
        return (
            FileHandle(fileDescriptor: ends[0], closeOnDealloc: true), FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
        )
    }

    /// Reads lines on a thread of its own: tests' tasks share two threads, which must not block.
    private static func read(_ descriptor: Int32, into lines: AsyncStream<String>.Continuation) {
        Thread.detachNewThread {
            var pending: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = Glibc.read(descriptor, &buffer, buffer.count)
                if count < 0 && errno == EINTR { continue }
                if count <= 0 { break }
                pending += buffer[..<count]
                while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                    lines.yield(String(decoding: pending[..<end], as: UTF8.self))
                    pending.removeSubrange(...end)
                }
            }
            lines.finish()
            close(descriptor)
        }
    }
}
