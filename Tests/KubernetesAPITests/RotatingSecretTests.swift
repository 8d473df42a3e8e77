import Foundation
import KubernetesAPI
import Synchronization
import SystemSupport
import Testing

@Suite struct RotatingSecretTests {
    private let folder: Folder
    private let path: BytePath
    private let time = Time()

    final class Time: Sendable { let now = Mutex<Int64>(5) }

    init() throws {
        folder = try Folder()
        path = folder.path.appending("token")
        try SmallFile.write(path, Array("one".utf8))
    }

    private func token() -> RotatingSecret {
        let time = time
        return .file(path, clock: { time.now.withLock { $0 } })
    }

    private func wait(seconds: Int64) { time.now.withLock { $0 += seconds * 1_000_000_000 } }

    @Test func isReadAgainAfterAMinute() throws {
        let token = token()
        #expect(try token.current() == Secret("one"))
        try SmallFile.write(path, Array("two".utf8))
        wait(seconds: 59)
        #expect(try token.current() == Secret("one"))
        wait(seconds: 1)
        #expect(try token.current() == Secret("two"))
    }

    @Test func isReadAtOnceWhenRefused() throws {
        let token = token()
        let first = try token.current()
        #expect(token.replacement(for: first) == nil)
        try SmallFile.write(path, Array("two".utf8))
        #expect(token.replacement(for: first) == Secret("two"))
        #expect(try token.current() == Secret("two"))
        // A thread that was refused with the old one learns of the new one.
        #expect(token.replacement(for: first) == Secret("two"))
    }

    @Test(arguments: ["", nil] as [String?]) func staysWhereTheFileIsLost(content: String?) throws {
        let token = token()
        _ = try token.current()
        if let content { try SmallFile.write(path, Array(content.utf8)) } else { unlink(path.text) }
        wait(seconds: 61)
        #expect(try token.current() == Secret("one"))
        #expect(token.replacement(for: Secret("one")) == nil)
    }

    @Test func mustBeReadableAtFirst() throws {
        unlink(path.text)
        #expect(throws: SystemError.self) { try token().current() }
    }

    @Test func mayBeFixed() throws {
        let token = RotatingSecret.fixed(Secret("t\n"))
        #expect(try token.current() == Secret("t"))
        #expect(token.replacement(for: Secret("t")) == nil)
    }

    @Test func hasAFallback() throws {
        let secret = RotatingSecret.file(path, fallback: Secret("given"))
        #expect(try secret.current() == Secret("one"))
        unlink(path.text)
        let lost = RotatingSecret.file(path, fallback: Secret("given"))
        #expect(try lost.current() == Secret("given"))
    }
}
