import FileTrees
import Foundation
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts

/// Directories of a store that means no good, or is large.
@Suite struct DirectoryDownloadTests {
    private struct FakeObject: StoredObject {
        let subject: String
        let bytes: [UInt8]
        var head: ObjectHead { ObjectHead(length: Int64(bytes.count)) }

        func read(
            from offset: Int64, length: Int64?, validator: String?, receive: (ObjectHead) throws -> any ByteSink
        ) throws { try receive(head).write(bytes.span) }
    }

    private struct FakeDirectory: StoredDirectory {
        let names: [BytePath]
        var pageSize = 2
        var subject: String { "fake://dir" }

        func page(after continuation: String?) throws -> StoredPage {
            let start = continuation.flatMap { Int($0) } ?? 0
            let end = min(names.count, start + pageSize)
            let entries = names[start..<end].map {
                StoredEntry(name: $0, object: FakeObject(subject: $0.text, bytes: Array($0.text.utf8)))
            }
            return StoredPage(entries: entries, next: end < names.count ? String(end) : nil)
        }
    }

    private func download(_ names: [BytePath], into target: BytePath, _ fixture: StoreFixture) throws -> TransferRecord {
        try fixture.store("any").download.directory(FakeDirectory(names: names), into: ContainedDirectory(target))
    }

    @Test(arguments: ["../out", "a/../../out", "..", "a/..", "", ".", "a/b/../../../out", "/../out", "a/"])
    func refusesNamesThatLeadOut(name: String) throws {
        let fixture = try StoreFixture.makeLocal()
        try FileManager.default.createDirectory(
            at: fixture.folder.url.appending(path: "top/target"), withIntermediateDirectories: true)
        let error = #expect(throws: ArtifactError.self) {
            try download([BytePath(name)], into: fixture.path("top/target"), fixture)
        }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains("'\(name)'") == true)
        #expect(try FileManager.default.subpathsOfDirectory(atPath: fixture.path("top").text) == ["target"])
    }

    @Test func doesNotWriteThroughLinks() throws {
        let fixture = try StoreFixture.makeLocal()
        for folder in ["target", "outside"] {
            try FileManager.default.createDirectory(
                at: fixture.folder.url.appending(path: folder), withIntermediateDirectories: true)
        }
        try FileManager.default.createSymbolicLink(
            atPath: fixture.path("target/sub").text, withDestinationPath: "../outside")
        try FileManager.default.createSymbolicLink(
            atPath: fixture.path("target/file").text, withDestinationPath: fixture.path("outside/file").text)
        for name in ["sub/file", "file"] {
            #expect(throws: (any Error).self) {
                try download([BytePath(name)], into: fixture.path("target"), fixture)
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.path("outside").text) == [])
    }

    @Test func keepsNamesThatAreNotUTF8() throws {
        let fixture = try StoreFixture.makeLocal()
        let name = BytePath(bytes: [0x64, 0x2F, 0xE4, 0x0A, 0xFF])
        try FileManager.default.createDirectory(
            at: fixture.folder.url.appending(path: "target"), withIntermediateDirectories: true)
        _ = try download([name], into: fixture.path("target"), fixture)
        let walk = try TreeWalk(try Descriptor.open(fixture.path("target"), O_RDONLY | O_DIRECTORY), path: "target")
        var seen: [BytePath] = []
        while let entry = try walk.next() { seen.append(entry.path) }
        #expect(seen == ["d", name])
    }

    @Test func givesTheModesOfTheDriver() throws {
        let fixture = try StoreFixture.makeLocal()
        try FileManager.default.createDirectory(
            at: fixture.folder.url.appending(path: "target"), withIntermediateDirectories: true)
        _ = try download(["d/e/f"], into: fixture.path("target"), fixture)
        #expect(try FileStatus.of(fixture.path("target/d/e"), followingLinks: false).permissions == 0o700)
        #expect(try FileStatus.of(fixture.path("target/d/e/f"), followingLinks: false).permissions == 0o600)
    }

    @Test func loadsManyPages() throws {
        let fixture = try StoreFixture.makeLocal()
        try FileManager.default.createDirectory(
            at: fixture.folder.url.appending(path: "target"), withIntermediateDirectories: true)
        let names = (0..<501).map { BytePath("d\($0 % 5)/\($0)") }
        #expect(try download(names, into: fixture.path("target"), fixture).objects == 501)
        for name in names { #expect(try SmallFile.read(fixture.path("target").appending(name)) == Array(name.bytes)) }
    }

    @Test func namesTheFileThatCannotBeWritten() throws {
        let fixture = try StoreFixture.makeLocal()
        try FileManager.default.createDirectory(
            at: fixture.folder.url.appending(path: "target/taken"), withIntermediateDirectories: true)
        let error = #expect(throws: ArtifactError.self) { try download(["taken"], into: fixture.path("target"), fixture) }
        #expect(error?.message.contains("'taken'") == true)
    }

    /// As the reference joins paths: the rest of a key is joined to the target.
    @Test func doubledSlashesAndDotsCountForNothing() throws {
        let fixture = try StoreFixture.makeLocal()
        try FileManager.default.createDirectory(
            at: fixture.folder.url.appending(path: "target"), withIntermediateDirectories: true)
        _ = try download(["/a", "b", "e//f", "e/./g", "//h"], into: fixture.path("target"), fixture)
        for (path, name) in [("a", "/a"), ("b", "b"), ("e/f", "e//f"), ("e/g", "e/./g"), ("h", "//h")] {
            #expect(try fixture.content("target/\(path)") == Data(name.utf8))
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: fixture.path("target").text).sorted() == ["a", "b", "e", "h"])
    }

    @Test(arguments: [
        ["a//x", "a/x"], ["a/x", "a//x"], ["a/./x", "a//x"], ["a/x", "b", "c", "./a/x"], ["a", "a/x"], ["a/x", "a"],
        ["a//x", "a"],
        ["a", "a//x"], ["a/b", "a/b/c/d"],
    ])
    func keysThatMeetAreAnErrorThatNamesBoth(names: [String]) throws {
        // Whichever comes first.
        for _ in 0..<5 {
            let fixture = try StoreFixture.makeLocal()
            try FileManager.default.createDirectory(
                at: fixture.folder.url.appending(path: "target"), withIntermediateDirectories: true)
            let error = #expect(throws: ArtifactError.self) {
                try download(names.map { BytePath($0) }, into: fixture.path("target"), fixture)
            }
            #expect(error?.code == .invalid)
            #expect(
                error?.message.contains("'\(names.first!)'") == true || error?.message.contains("'\(names.first!)/'") == true
                    || error?.message.contains("'a/'") == true)
            #expect(
                error?.message.contains("'\(names.last!)'") == true || error?.message.contains("'a/'") == true
                    || error?.message.contains("'a/b/") == true)
        }
    }

    @Test func anObjectThatIsListedTwiceIsLoadedOnce() throws {
        let fixture = try StoreFixture.makeLocal()
        try FileManager.default.createDirectory(
            at: fixture.folder.url.appending(path: "target"), withIntermediateDirectories: true)
        try download(["a", "a"], into: fixture.path("target"), fixture)
        #expect(try FileManager.default.subpathsOfDirectory(atPath: fixture.path("target").text) == ["a"])
    }

    /// On a file system that takes upper and lower case for the same.
    @Test func namesThatDifferInCaseMeetWhereTheFileSystemFoldsIt() {
        for (first, second, meet) in [
            ("a/x", "A/y", true), ("a/x", "a/X", true), ("a/x", "a/y", false), ("ü", "U\u{308}", true), ("a", "b", false),
        ] {
            let folding = NamesInDirectory(foldsCase: true)
            #expect(folding.claim(BytePath(first), for: BytePath(first)) == nil)
            #expect(folding.claim(BytePath(second), for: BytePath(second)) == (meet ? BytePath(first) : nil))
            let exact = NamesInDirectory(foldsCase: false)
            #expect(exact.claim(BytePath(first), for: BytePath(first)) == nil)
            #expect(exact.claim(BytePath(second), for: BytePath(second)) == nil)
        }
    }
}
