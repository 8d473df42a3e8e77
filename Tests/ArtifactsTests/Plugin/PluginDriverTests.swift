import Artifacts
import Documents
import Foundation
import Glibc
import PluginArtifacts
import SystemSupport
import TestSupport
import Testing
import WorkflowModel

@Suite(.enabled(if: PluginServer.python != nil, "grpcio is installed")) struct PluginDriverTests {
    @Test func filesAndFoldersComeBack() async throws {
        let server = try await PluginServer()
        let fixture = try PluginFixture(server)
        try fixture.folder.write(Data("hello".utf8), to: "file")
        try fixture.folder.write(Data("deep".utf8), to: "tree/a/b")
        try fixture.store("some/file").upload.file(at: fixture.path("file"))
        try fixture.store("some/tree").upload.directory(at: fixture.path("tree"))
        #expect(try String(contentsOf: server.stored("some/file"), encoding: .utf8) == "hello")
        // What was laid out for the plugin is gone.
        #expect(try fixture.names("staging") == [])

        try fixture.load(fixture.store("some/tree"))
        #expect(try fixture.names("target") == ["made", "made/a", "made/a/b"])
        #expect(try fixture.content("target/made/a/b") == "deep")
        try FileManager.default.removeItem(at: fixture.folder.url.appending(path: "target/made"))
        try fixture.load(fixture.store("some/file"))
        #expect(try fixture.names("target") == ["made"])
        #expect(try fixture.content("target/made") == "hello")
    }

    @Test func streamsAreLaidOutForIt() async throws {
        let server = try await PluginServer()
        let fixture = try PluginFixture(server)
        let bytes = patternBytes(3_000_000)
        try fixture.store("stream").upload.stream(PatternSource(bytes), fileName: "stream.tgz")
        #expect(try Data(contentsOf: server.stored("stream")) == Data(bytes))
        #expect(server.calls.contains("/stream.tgz\""))
    }

    @Test func listsLooksAndDeletes() async throws {
        let fixture = try PluginFixture(try await PluginServer())
        try fixture.folder.write(Data("x".utf8), to: "tree/a/b")
        try fixture.folder.write(Data("y".utf8), to: "tree/c")
        try fixture.store("t").upload.directory(at: fixture.path("tree"))
        #expect(try fixture.store("t").list() == ["t/a/b", "t/c"])
        #expect(try fixture.store("t").isDirectory())
        #expect(try !fixture.store("t/c").isDirectory())
        try fixture.store("t").delete()
        #expect(try !fixture.store("t").isDirectory())
        // What is absent already is no error.
        try fixture.store("t").delete()
        let error = #expect(throws: ArtifactError.self) { try fixture.store("t").list() }
        #expect(error?.message == "list plugin://test/t: no such folder")
        #expect(error?.isNotFound == false)
    }

    @Test func theArtifactIsToldInFull() async throws {
        let server = try await PluginServer()
        let fixture = try PluginFixture(server)
        var context = fixture.context
        context.artifact = try Artifact(
            document: ["name": "data", "path": "/in/data", "mode": 420, "optional": true, "plugin": ["name": "test"]])
        try fixture.folder.write(Data("x".utf8), to: "file")
        try fixture.store("k", context: context).upload.file(at: fixture.path("file"))
        let call = try JSONValue(parsing: server.calls)
        for (name, value) in [
            ("call", "Save"), ("name", "data"), ("artifactPath", "/in/data"), ("mode", 420), ("optional", true),
            ("plugin", "test"),
            ("key", "k"), ("timeout", 1), ("configuration", "secret: tok-123\nbehaviour: \n"),
        ] as [(String, JSONValue)] {
            #expect(call[name] == value, "\(name)")
        }
    }

    @Test(arguments: [
        ("refuse", "load plugin://test/k: the plugin says PERMISSION_DENIED: not for you: 100 % no"),
        ("fail", "load plugin://test/k: first line second line"),
        ("silent-fail", "load plugin://test/k: the plugin failed and gives no reason"),
        ("echo", "load plugin://test/k: it repeats its configuration, which is not shown"),
        ("huge", "load plugin://test/k: the answer is a message of 100000005 bytes, and at most 16777216 are taken"),
        ("nothing", "nothing was written: no such file or directory"),
    ])
    func whatGoesWrongIsOneLine(_ behaviour: String, _ message: String) async throws {
        let fixture = try PluginFixture(try await PluginServer())
        let error = #expect(throws: ArtifactError.self) { try fixture.load(try fixture.store("k", behaviour)) }
        #expect(error?.message.hasSuffix(message) == true, "\(error?.message ?? "")")
        #expect(error?.isNotFound == false)
        #expect(error?.isTransient == false)
        #expect(error?.message.contains("tok-123") == false)
        #expect(try fixture.names("target") == [])
    }

    @Test func aLongErrorIsCut() async throws {
        let fixture = try PluginFixture(try await PluginServer())
        let error = #expect(throws: ArtifactError.self) { try fixture.load(try fixture.store("k", "large")) }
        #expect((error?.message.utf8.count ?? 0) < 2000)
    }

    @Test func onlyItsStatusSaysThatThereIsNothing() async throws {
        let fixture = try PluginFixture(try await PluginServer())
        let error = #expect(throws: ArtifactError.self) { try fixture.load(try fixture.store("k", "absent")) }
        #expect(error?.isNotFound == true)
        #expect(error?.message == "load plugin://test/k: the plugin says NOT_FOUND: no such thing")
    }

    @Test func whatItLeavesWhenItDiesIsRemoved() async throws {
        let server = try await PluginServer()
        let fixture = try PluginFixture(server)
        let error = #expect(throws: ArtifactError.self) { try fixture.load(try fixture.store("k", "die")) }
        #expect(error?.message.hasPrefix("load plugin://test/k: the plugin has not answered: ") == true)
        #expect(error?.message.contains("\n") == false)
        #expect(await server.exitStatus() == 3)
        #expect(try fixture.names("target") == [])
    }

    @Test func aCallThatHangsEndsWhenItIsCalledOff() async throws {
        let server = try await PluginServer()
        let fixture = try PluginFixture(server)
        let context = fixture.context
        let store = try fixture.store("k", "hang", context: context)
        let canceller = Thread {
            try? eventually("the plugin has the call") { server.calls.contains("Load") }
            context.cancel()
        }
        canceller.start()
        let error = #expect(throws: ArtifactError.self) { try fixture.load(store) }
        #expect(error?.message == "load plugin://test/k: context canceled")
        try eventually("the plugin sees that its client is gone") { server.calls.contains("abandoned") }
        #expect(try fixture.names("target") == [])
    }

    @Test func aPluginThatNeverComesIsWaitedForOnce() throws {
        var fixture = try PluginFixture(nil)
        fixture.patience = 300_000_000
        let context = fixture.context
        for _ in 0..<3 {
            let error = #expect(throws: ArtifactError.self) { try fixture.load(try fixture.store("k", context: context)) }
            #expect(
                error?.message
                    == "load plugin://test/k: the plugin has not made its socket \(fixture.sockets)/test/socket within 0 s")
            #expect(error?.isNotFound == false)
        }
        #expect(fixture.log.text.split(separator: "\n").count == 1)
        #expect(fixture.log.text.contains("waiting for the plugin's socket"))
    }

    @Test func whereSomebodyWaitsAPluginMustBeThere() throws {
        var fixture = try PluginFixture(nil)
        fixture.isAttended = true
        let error = #expect(throws: ArtifactError.self) { try fixture.load(try fixture.store("k")) }
        #expect(error?.message == "load plugin://test/k: no plugin runs here: there is no \(fixture.sockets)/test/socket")
    }

    @Test func aPluginThatComesLateIsMet() async throws {
        let server = try await PluginServer()
        var fixture = try PluginFixture(server)
        fixture.sockets = fixture.path("late")
        try FileManager.default.createDirectory(at: server.stored("."), withIntermediateDirectories: true)
        try Data("late".utf8).write(to: server.stored("k"))
        let place = fixture.folder.url.appending(path: "late")
        let log = fixture.log
        let maker = Thread {
            try? eventually("the socket is waited for") { log.text.contains("waiting for the plugin's socket") }
            try? FileManager.default.createSymbolicLink(at: place, withDestinationURL: server.sockets)
        }
        maker.start()
        try fixture.load(fixture.store("k"))
        #expect(try fixture.content("target/made") == "late")
    }

    @Test func aServerThatNeverGreetsIsGivenUpAfterItsTime() async throws {
        let server = try await PluginServer()
        let fixture = try PluginFixture(server)
        server.signal(SIGSTOP)
        defer { server.signal(SIGCONT) }
        let error = #expect(throws: ArtifactError.self) { try fixture.load(try fixture.store("k")) }
        #expect(
            error?.message
                == "load plugin://test/k: connect to the plugin at \(fixture.sockets)/test/socket: no answer within 1 s: no greeting came"
        )
    }

    @Test(arguments: ["", "..", "a/b"]) func namesThatLeadElsewhereAreRefused(_ name: String) throws {
        let fixture = try PluginFixture(nil)
        let error = #expect(throws: ArtifactError.self) {
            try fixture.load(try fixture.store("k", context: nil, ["name": .string(name)]))
        }
        #expect(error?.code == .invalid)
    }
}
