package import Foundation
import Glibc
import Synchronization

/// A program of the testbed: it speaks JSON lines on its standard output, takes them on its standard input, and ends by
/// itself, with all that it started, when its standard input is closed.
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
        let process: Process
        let input: FileHandle
        let diagnostics: FileHandle
        var exitStatus: Int32?
        var waiting: [CheckedContinuation<Int32, Never>] = []
    }

    private let state: Mutex<State>

    /// Starts a program.
    ///
    /// - Throws: Foundation's error where it cannot be started.
    package init(_ program: URL, _ arguments: [String], environment: [String: String] = [:]) throws {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, own in own }
        let input = try Self.socketPair()
        let output = Pipe()
        _ = fcntl(output.fileHandleForReading.fileDescriptor, F_SETFD, FD_CLOEXEC)
        let diagnostics = try Self.namelessFile()
        process.standardInput = input.theirs
        process.standardOutput = output
        process.standardError = diagnostics.forWriting

        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        self.lines = lines
        state = Mutex(State(process: process, input: input.ours, diagnostics: diagnostics.forReading))
        process.terminationHandler = { [weak self] process in self?.ended(process.terminationStatus) }
        try process.run()
        try input.theirs.close()
        Self.read(output.fileHandleForReading.fileDescriptor, keeping: output, into: continuation)
    }

    deinit { state.withLock { try? $0.input.close() } }

    /// Whether it has ended.
    package var hasEnded: Bool { state.withLock { $0.exitStatus != nil } }

    /// Its process id, to send it signals.
    package var identifier: Int32 { state.withLock { $0.process.processIdentifier } }

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
    private static func read(_ descriptor: Int32, keeping owner: Pipe, into lines: AsyncStream<String>.Continuation) {
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
            withExtendedLifetime(owner) {}
        }
    }
}
