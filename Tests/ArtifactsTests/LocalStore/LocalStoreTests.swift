import Foundation
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts
@testable import LocalStoreArtifacts

@Suite struct LocalStoreTests {
    @Test func keepsObjectsByTheirKeys() throws {
        let fixture = try StoreFixture.makeLocal()
        try fixture.save(Array("x".utf8), "wf/pod/main.log")
        #expect(try fixture.content("store/bucket/wf/pod/main.log") == Data("x".utf8))
        let left = try FileManager.default.subpathsOfDirectory(atPath: fixture.path("store").text).sorted()
        #expect(left == ["bucket", "bucket/wf", "bucket/wf/pod", "bucket/wf/pod/main.log"])
    }

    @Test(arguments: [
        ("..", "%2E%2E"), (".", "%2E"), ("...", "..."), ("a%b", "a%25b"), ("", "%"), ("%", "%25"), ("plain ä", "plain ä"),
    ])
    func encodesWhatAFileCannotBeCalled(component: String, name: String) {
        let encoded = LocalStoreNames.encode(Array(component.utf8)[...])
        #expect(String(decoding: encoded, as: UTF8.self) == name)
        #expect(LocalStoreNames.decode(encoded) == Array(component.utf8))
    }

    @Test func keysCannotLeadOut() throws {
        let fixture = try StoreFixture.makeLocal()
        for key in ["../../escape", "a/../../../escape", "/abs/olute"] {
            try fixture.save([7], key)
            #expect(try fixture.load(key) == [7])
        }
        #expect(!FileManager.default.fileExists(atPath: fixture.path("escape").text))
        #expect(!FileManager.default.fileExists(atPath: fixture.path("store/escape").text))
    }

    @Test func doesNotFollowLinks() throws {
        let fixture = try StoreFixture.makeLocal()
        try fixture.folder.write(Data("secret".utf8), to: "outside/file")
        try fixture.save([1], "seen")
        try FileManager.default.createSymbolicLink(
            atPath: fixture.path("store/bucket/link").text, withDestinationPath: fixture.path("outside").text)
        #expect(throws: (any Error).self) { try fixture.load("link/file") }
        #expect(throws: (any Error).self) { try fixture.save([2], "link/new") }
        #expect(!FileManager.default.fileExists(atPath: fixture.path("outside/new").text))
    }

    @Test func anEmptyFolderIsNothing() throws {
        let fixture = try StoreFixture.makeLocal()
        try fixture.save([1], "a/b/c")
        try fixture.store("a/b/c").delete()
        #expect(try !fixture.store("a").isDirectory())
        #expect(throws: ArtifactError.self) { try fixture.store("a/b").find() }
        #expect(!FileManager.default.fileExists(atPath: fixture.path("store/bucket/a").text))
    }
}
