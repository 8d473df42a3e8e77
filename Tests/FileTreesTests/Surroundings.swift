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
        try SmallFile.write(self[name], Array(content.utf8), mode: mode)
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

    func text(_ name: BytePath) throws -> String { String(decoding: try SmallFile.read(self[name]), as: UTF8.self) }

    func status(_ name: BytePath) throws -> FileStatus { try FileStatus.of(self[name], followingLinks: false) }
}

/// A thread's own surroundings: what it is changes nothing for the other tests.
enum Surroundings {
    /// Runs `body` on a thread for which the given system calls fail with `code`, as under an old kernel or seccomp profile.
    static func denying(_ calls: [UInt32], with code: Int32, _ body: @escaping @Sendable () throws -> Void) throws {
        try onThread {
            // Load the call's number; for each forbidden one, answer with the code; else allow.
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

    static let isRoot = geteuid() == 0

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

    // Glibc's module hides both.
    private static func prctl(_ option: Int32, _ a: UInt, _ b: UInt, _ c: UInt, _ d: UInt) -> Int32 {
        typealias Call = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
        return unsafeBitCast(dlsym(nil, "prctl"), to: Call.self)(option, a, b, c, d)
    }

    private static func syscall(_ number: Int, _ a: Int, _ b: Int, _ c: Int) -> Int {
        typealias Call = @convention(c) (Int, Int, Int, Int) -> Int
        return unsafeBitCast(dlsym(nil, "syscall"), to: Call.self)(number, a, b, c)
    }
}

/// The code of the `SystemError` that `body` throws.
func failure(_ body: () throws -> Void) -> Int32? {
    do {
        try body()
        return nil
    } catch { return (error as? SystemError)?.code }
}

extension FileCopy {
    /// Copies a file as all that is written to places of others: aside, then renamed.
    static func copy(_ source: BytePath, to target: BytePath, mode: UInt32) throws {
        let from = try Descriptor.open(source, O_RDONLY)
        try SharedPlace(target.directory).write(target.base, mode: mode) { raw in
            try copy(from.raw, to: raw, subject: target.text)
        }
    }
}
