import FileTrees
import Foundation
import Glibc
import Synchronization
import SystemSupport
import Testing

/// A folder that goes with its owner.
final class TemporaryFolder: Sendable {
    let path: BytePath

    init() throws {
        var name = Array("/tmp/argoexec-test-XXXXXX".utf8CString)
        try #require(name.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) } != nil)
        path = BytePath(bytes: name.map { UInt8(bitPattern: $0) })
    }

    deinit { try? TreeRemoval.remove(path) }

    subscript(_ name: BytePath) -> BytePath { path.appending(name) }

    @discardableResult
    func file(_ name: BytePath, _ content: String = "", mode: UInt32 = 0o644) throws -> BytePath {
        try file(name, Array(content.utf8), mode: mode)
    }

    @discardableResult
    func file(_ name: BytePath, _ content: [UInt8], mode: UInt32 = 0o644) throws -> BytePath {
        try DirectoryIO.makeDirectories(self[name].directory, mode: 0o755)
        try SmallFile.write(self[name], content)
        try DirectoryIO.chmod(AT_FDCWD, self[name], mode: mode, subject: name.text)
        return self[name]
    }

    @discardableResult
    func folder(_ name: BytePath, mode: UInt32 = 0o755) throws -> BytePath {
        try DirectoryIO.makeDirectories(self[name], mode: 0o755)
        try DirectoryIO.chmod(AT_FDCWD, self[name], mode: mode, subject: name.text)
        return self[name]
    }

    func link(_ name: BytePath, to target: BytePath) throws {
        try DirectoryIO.makeSymlink(AT_FDCWD, self[name], to: target, subject: name.text)
    }

    func text(_ name: BytePath) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }
    func bytes(_ name: BytePath) throws -> [UInt8] { try SmallFile.read(self[name]) }
    func status(_ name: BytePath) throws -> FileStatus { try FileStatus.of(self[name], followingLinks: false) }
    func exists(_ name: BytePath) -> Bool { (try? status(name)) != nil }
    func target(_ name: BytePath) throws -> BytePath { try DirectoryIO.readLink(AT_FDCWD, self[name], subject: name.text) }

    /// Every path below, with a mark for directories and links, sorted as the walk does.
    func listing(_ name: BytePath = ".") throws -> [String] {
        let walk = try TreeWalk(try Descriptor.open(self[name], O_RDONLY | O_DIRECTORY), path: self[name])
        var lines: [String] = []
        while let entry = try walk.next() {
            switch entry.status.kind {
            case .directory: lines.append(entry.path.text + "/")
            case .symlink: lines.append(entry.path.text + "@")
            default: lines.append(entry.path.text)
            }
        }
        return lines
    }
}

/// A program that ran to its end.
struct Outcome {
    let status: Int32
    let output: String
    let errors: String
}

/// Runs a program found on PATH and waits for it.
@discardableResult
func run(_ command: [String], in folder: BytePath, environment: [String: String] = [:]) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    process.currentDirectoryURL = URL(filePath: folder.text)
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let text = Mutex("")
    let reader = try WorkerThread {
        let bytes = errors.fileHandleForReading.readDataToEndOfFile()
        text.withLock { $0 = String(decoding: bytes, as: UTF8.self) }
    }
    let all = output.fileHandleForReading.readDataToEndOfFile()
    reader.join()
    process.waitUntilExit()
    return Outcome(
        status: process.terminationStatus, output: String(decoding: all, as: UTF8.self), errors: text.withLock { $0 })
}

func isInstalled(_ program: String) -> Bool {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .contains { access("\($0)/\(program)", X_OK) == 0 }
}

/// Runs a Python program that must succeed.
@discardableResult
func python(_ program: String, in folder: BytePath) throws -> String {
    let outcome = try run(["python3", "-c", program], in: folder)
    try #require(outcome.status == 0, "\(outcome.errors)")
    return outcome.output
}

/// Gives its bytes in pieces of a set size.
final class DripSource: ByteSource {
    private let source: MemorySource
    private let size: Int

    init(_ bytes: [UInt8], size: Int = 1) {
        source = MemorySource(bytes)
        self.size = size
    }

    func read(into buffer: inout MutableSpan<UInt8>) -> Int {
        var part = buffer._mutatingExtracting(first: min(size, buffer.count))
        return source.read(into: &part)
    }
}

/// Fails after so many bytes.
final class FailingSource: ByteSource {
    private let source: MemorySource

    init(_ bytes: [UInt8]) { source = MemorySource(bytes) }

    func read(into buffer: inout MutableSpan<UInt8>) throws -> Int {
        let count = source.read(into: &buffer)
        if count == 0 { throw SystemError("read", "the network", ECONNRESET) }
        return count
    }
}

/// Counts what it gets, keeps the beginning, and may refuse after some bytes.
final class GaugedSink: ByteSink {
    private(set) var count = 0
    private(set) var start: [UInt8] = []
    private let limit: Int

    init(limit: Int = .max) { self.limit = limit }

    func write(_ bytes: Span<UInt8>) throws {
        if count + bytes.count > limit { throw SystemError("write", "sink", ENOSPC) }
        for index in bytes.indices.prefix(max(0, 4096 - start.count)) { start.append(bytes[index]) }
        count += bytes.count
    }
}

/// Everything that a source gives.
func readAll(_ source: any ByteSource, piece: Int = 50_000) throws -> [UInt8] {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: piece)
    while true {
        var span = buffer.mutableSpan
        let count = try source.read(into: &span)
        if count == 0 { return all }
        all += buffer[..<count]
    }
}

/// Collects log lines.
final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    var log: Log { Log(sink: { line in self.lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }) }
}

/// Repeatable noise.
struct Noise: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Words and noise mixed: compresses, but not to nothing.
func sample(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var noise = Noise(seed)
    let words = ["argo ", "workflow ", "artifact ", "\n", "the quick brown fox ", "0123456789", "\u{e4}\u{f6}"].map {
        Array($0.utf8)
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 32)
    while bytes.count < count {
        let value = noise.next()
        if value & 7 == 0 {
            withUnsafeBytes(of: noise.next()) { bytes += $0 }
        } else {
            bytes += words[Int(value >> 8) % words.count]
        }
    }
    return Array(bytes[..<count])
}

/// A thread's own surroundings: what it is changes nothing for the other tests.
enum Surroundings {
    static let isRoot = geteuid() == 0

    /// Runs `body` on a thread for which the given system calls fail with `code`, as under an old kernel or seccomp profile.
    static func denying(_ calls: [UInt32], with code: Int32, _ body: @escaping @Sendable () throws -> Void) throws {
        try onThread {
            var program = [sock_filter(code: 0x20, jt: 0, jf: 0, k: 0)]
            for (index, call) in calls.enumerated() {
                program.append(sock_filter(code: 0x15, jt: UInt8(calls.count - index), jf: 0, k: call))
            }
            program.append(sock_filter(code: 0x06, jt: 0, jf: 0, k: 0x7FFF_0000))
            program.append(sock_filter(code: 0x06, jt: 0, jf: 0, k: 0x0005_0000 | UInt32(code)))
            try program.withUnsafeMutableBufferPointer { program in
                var filter = sock_fprog(len: UInt16(program.count), filter: program.baseAddress!)
                try #require(prctl(38, 1, 0, 0, 0) == 0)
                try withUnsafeMutablePointer(to: &filter) { try #require(prctl(22, 2, UInt(bitPattern: $0), 0, 0) == 0) }
            }
            try body()
        }
    }

    /// Runs `body` on a thread that has another user's rights. Needs root.
    static func asUser(_ user: Int, _ body: @escaping @Sendable () throws -> Void) throws {
        try onThread {
            // The raw calls: the C library's would change the whole process.
            try #require(syscall(119, user, user, user) == 0)
            try #require(syscall(117, user, user, user) == 0)
            try body()
        }
    }

    private static func onThread(_ body: @escaping @Sendable () throws -> Void) throws {
        let failure = Mutex<(any Error)?>(nil)
        try WorkerThread {
            do { try body() } catch { failure.withLock { $0 = error } }
        }.join()
        if let error = failure.withLock({ $0 }) { throw error }
    }

    private struct sock_filter {
        var code: UInt16
        var jt: UInt8
        var jf: UInt8
        var k: UInt32
    }

    private struct sock_fprog {
        var len: UInt16
        var filter: UnsafeMutablePointer<sock_filter>
    }

    private static func prctl(_ option: Int32, _ a: UInt, _ b: UInt, _ c: UInt, _ d: UInt) -> Int32 {
        typealias Call = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
        return unsafeBitCast(dlsym(nil, "prctl"), to: Call.self)(option, a, b, c, d)
    }

    private static func syscall(_ number: Int, _ a: Int, _ b: Int, _ c: Int) -> Int {
        typealias Call = @convention(c) (Int, Int, Int, Int) -> Int
        return unsafeBitCast(dlsym(nil, "syscall"), to: Call.self)(number, a, b, c)
    }
}
