import ExecutorCore
import Foundation
import HTTPTransport
import KubernetesAPI
import Synchronization
import Testing

@Suite struct ClusterAccessTests {
    private let folder: Folder

    init() throws {
        folder = try Folder()
        try write("token", "tok\n")
        try write("ca.crt", "authority")
        try write("namespace", " own \n")
    }

    private func write(_ name: String, _ text: String) throws {
        try SmallFile.write(folder.path.appending(BytePath(name)), Array(text.utf8))
    }

    private func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: folder.path.text + "/" + name) }

    private func source(_ host: String? = "10.0.0.1", _ port: String? = "443", namespace: String? = nil) -> InClusterSource {
        InClusterSource(host: host, port: port, namespace: namespace, folder: folder.path)
    }

    @Test func comesFromTheServiceAccount() throws {
        let access = try #require(try source().load())
        #expect(access.server == "https://10.0.0.1:443")
        #expect(access.trust == .certificates(Array("authority".utf8)))
        #expect(try access.token?.current() == Secret("tok"))
        #expect(access.namespace == "own")
        #expect(try source("fd00::1").load()?.server == "https://[fd00::1]:443")
        #expect(try source("[fd00::1]").load()?.server == "https://[fd00::1]:443")
    }

    @Test func needsBothVariablesAndTheToken() throws {
        for source in [source(nil), source("", "443"), source("h", nil), source("h", "")] { #expect(try source.load() == nil) }
        try remove("token")
        #expect(try source().load() == nil)
        let error = #expect(throws: ExecutorError.self) { try ClusterAccess.load(from: [source()]) }
        #expect(error?.message.contains("no configuration has been provided") == true)
        try write("token", " \n")
        #expect(throws: ExecutorError.self) { try source().load() }
    }

    @Test func trustsTheSystemWhereThereIsNoAuthority() throws {
        try remove("ca.crt")
        #expect(try source().load()?.trust == .system())
    }

    @Test func namespacesHaveAnOrder() throws {
        let sources = [source(namespace: "variable")]
        #expect(try ClusterAccess.load(from: sources, namespace: "flag").namespace == "flag")
        #expect(try ClusterAccess.load(from: sources, namespace: "").namespace == "variable")
        #expect(try ClusterAccess.load(from: [source()]).namespace == "own")
        try remove("namespace")
        #expect(try ClusterAccess.load(from: [source()]).namespace == "default")
    }

    @Test func sourcesAreAskedInOrder() throws {
        struct Other: ClusterAccessSource {
            func load() -> ClusterAccess? { ClusterAccess(server: "https://other", trust: .insecure, namespace: "n") }
        }
        #expect(try ClusterAccess.load(from: [source(nil), Other(), source()]).server == "https://other")
    }
}

@Suite struct BearerTokenTests {
    private let folder: Folder
    private let path: BytePath
    private let time = Time()

    final class Time: Sendable { let now = Mutex<Int64>(5) }

    init() throws {
        folder = try Folder()
        path = folder.path.appending("token")
        try SmallFile.write(path, Array("one".utf8))
    }

    private func token() -> BearerToken {
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
        let token = BearerToken.fixed(Secret("t\n"))
        #expect(try token.current() == Secret("t"))
        #expect(token.replacement(for: Secret("t")) == nil)
    }
}
