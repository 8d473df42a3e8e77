import Artifacts
import ExecutorCore
import FileTrees
import Foundation
import Testing

/// What every store must do alike; run against each by its own suite.
struct Conformance: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let body: @Sendable (StoreFixture) throws -> Void

    init(_ name: String, _ body: @escaping @Sendable (StoreFixture) throws -> Void) {
        testDescription = name
        self.body = body
    }

    static let all: [Conformance] = [
        Conformance("a file comes back as it was") { fixture in
            let bytes = patternBytes(100_000)
            try fixture.save(bytes, "a/file")
            #expect(try fixture.load("a/file") == bytes)
            #expect(throws: Never.self) { try fixture.store("a/file").find() }
        },
        Conformance("an empty file comes back empty") { fixture in
            try fixture.save([], "empty")
            #expect(try fixture.load("empty") == [])
            try fixture.store("empty").download.file(fixture.object("empty"), at: fixture.path("empty-loaded"))
            #expect(try fixture.content("empty-loaded") == Data())
        },
        Conformance("keys may hold anything") { fixture in
            let keys = [
                "with space", "a+b", "ä/ö ü.txt", "100%", "q?x=1&y=2", "#hash", "new\nline", "a//b", "x/../y", "'\"<>&",
            ]
            for (index, key) in keys.enumerated() where fixture.server == nil || key != "x/../y" && key != "a//b" {
                try fixture.save(patternBytes(10 + index, seed: UInt64(index + 1)), key)
            }
            for (index, key) in keys.enumerated() where fixture.server == nil || key != "x/../y" && key != "a//b" {
                #expect(try fixture.load(key) == patternBytes(10 + index, seed: UInt64(index + 1)), "\(key)")
            }
        },
        Conformance("a large file goes in parts and comes back in ranges") { fixture in
            let bytes = patternBytes(100 << 20)
            try fixture.save(bytes, "large")
            let record = try fixture.store("large").download.file(
                fixture.object("large"), at: fixture.path("large-loaded"))
            #expect(try fixture.content("large-loaded") == Data(bytes))
            #expect(record.bytes == Int64(bytes.count))
            #expect(record.objects == 1)
        },
        Conformance("a stream of unknown length is saved") { fixture in
            for (name, size) in [("none", 0), ("small", 1000), ("one-part", 5_505_024), ("parts", 30_000_001)] {
                let bytes = patternBytes(size)
                let record = try fixture.store(name).upload.stream(PatternSource(bytes), fileName: "data.tgz")
                #expect(record.bytes == Int64(size))
                #expect(try fixture.load(name) == bytes)
            }
        },
        Conformance("a stream that fails leaves nothing") { fixture in
            struct Broken: Error {}
            for size in [1000, 12_000_000] {
                #expect(throws: Broken.self) {
                    try fixture.store("half").upload.stream(
                        PatternSource(patternBytes(size), failsAtEnd: Broken()), fileName: "half")
                }
                #expect(throws: (any Error).self) { try fixture.store("half").find() }
            }
        },
        Conformance("a file replaces what was there") { fixture in
            try fixture.save(patternBytes(5000), "again")
            try fixture.save(patternBytes(10, seed: 9), "again")
            #expect(try fixture.load("again") == patternBytes(10, seed: 9))
            try Data(count: 1 << 20).write(to: fixture.folder.url.appending(path: "old"))
            try fixture.store("again").download.file(fixture.object("again"), at: fixture.path("old"))
            #expect(try fixture.content("old") == Data(patternBytes(10, seed: 9)))
        },
        Conformance("a directory comes back, without its links") { fixture in
            let files = [
                "one.txt": 3, "sub/two": 70_000, "sub/deep/er/three": 0, "sub/ä ö+%.bin": 11, "new\nline": 5, ".hidden": 1,
            ]
            for (name, size) in files { try fixture.folder.write(Data(patternBytes(size)), to: "tree/\(name)") }
            try FileManager.default.createSymbolicLink(
                atPath: fixture.path("tree/link").text, withDestinationPath: "one.txt")
            mkfifo(fixture.path("tree/pipe").text, 0o644)
            let saved = try fixture.store("dir/ectory").upload.directory(at: fixture.path("tree"))
            #expect(saved.objects == files.count)
            #expect(fixture.log.text.contains("tree/pipe"))

            let store = try fixture.store("dir/ectory")
            guard case .directory(let directory) = try store.find() else {
                Issue.record("not found as a directory")
                return
            }
            try FileManager.default.createDirectory(
                at: fixture.folder.url.appending(path: "back"), withIntermediateDirectories: true)
            let loaded = try store.download.directory(directory, into: ContainedDirectory(fixture.path("back")))
            #expect(loaded.objects == files.count)
            for (name, size) in files {
                #expect(try fixture.content("back/\(name)") == Data(patternBytes(size)), "\(name)")
            }
            let back = try FileManager.default.subpathsOfDirectory(atPath: fixture.path("back").text)
            #expect(!back.contains("link") && !back.contains("pipe"))
            #expect(try store.isDirectory())
            #expect(try !fixture.store("dir/ectory/one.txt").isDirectory())
            #expect(try !fixture.store("dir/ect").isDirectory())
        },
        Conformance("a directory of many files comes back whole") { fixture in
            for index in 0..<1205 {
                try fixture.folder.write(Data("file \(index)".utf8), to: "many/\(index % 7)/\(index)")
            }
            try fixture.store("many/").upload.directory(at: fixture.path("many"))
            let store = try fixture.store("many/")
            guard case .directory(let directory) = try store.find() else {
                Issue.record("not found as a directory")
                return
            }
            try FileManager.default.createDirectory(
                at: fixture.folder.url.appending(path: "many-back"), withIntermediateDirectories: true)
            let record = try store.download.directory(directory, into: ContainedDirectory(fixture.path("many-back")))
            #expect(record.objects == 1205)
            for index in 0..<1205 {
                #expect(try fixture.content("many-back/\(index % 7)/\(index)") == Data("file \(index)".utf8))
            }
            #expect(try store.list().count == 1205)
            try store.delete()
            #expect(try !store.isDirectory())
        },
        Conformance("what is not there is not found") { fixture in
            for key in ["nothing", "no/such/key", "nothing/"] {
                let error = #expect(throws: ArtifactError.self) { try fixture.store(key).find() }
                #expect(error?.isNotFound == true)
                #expect(error?.message.contains("\(fixture.bucket)/\(key)") == true)
            }
            try fixture.save([1], "prefix-only/x")
            #expect(throws: ArtifactError.self) { try fixture.store("prefix").find() }
        },
        Conformance("keys are listed in full, recursively") { fixture in
            for key in ["list/a", "list/b/c", "list/b/d e", "list2/x", "listing"] { try fixture.save([1], key) }
            #expect(try fixture.store("list").list().sorted() == ["list/a", "list/b/c", "list/b/d e"])
            #expect(try fixture.store("list/b/").list().sorted() == ["list/b/c", "list/b/d e"])
            #expect(try fixture.store("listing").list() == [])
            let error = #expect(throws: ArtifactError.self) { try fixture.store("lis").list() }
            #expect(error?.isNotFound == true)
        },
        Conformance("deleting removes the object only") { fixture in
            for key in ["del", "del2", "delete/x"] { try fixture.save([1], key) }
            try fixture.store("del").delete()
            #expect(throws: ArtifactError.self) { try fixture.store("del").find() }
            #expect(try fixture.load("del2") == [1])
            #expect(try fixture.load("delete/x") == [1])
            // Gone already: no error.
            try fixture.store("del").delete()
            try fixture.store("never/was").delete()
        },
        Conformance("deleting a directory removes all below it") { fixture in
            for key in ["gone/a", "gone/b/c", "gone-not/a"] { try fixture.save([1], key) }
            try fixture.store("gone").delete()
            #expect(try !fixture.store("gone").isDirectory())
            #expect(try fixture.load("gone-not/a") == [1])
            try fixture.save([1], "slash/a")
            try fixture.store("slash/").delete()
            #expect(try !fixture.store("slash").isDirectory())
        },
        Conformance("several artifacts move side by side") { fixture in
            let context = fixture.context
            try Parallel.forEach(count: 6, width: 6) { index in
                let bytes = patternBytes(7_000_000 + index, seed: UInt64(index + 1))
                let store = try fixture.store("side/\(index)", context: context)
                try store.upload.stream(PatternSource(bytes), fileName: "x")
                guard case .object(let object) = try store.find() else { return }
                let sink = CollectingSink()
                try store.download.stream(object, into: sink)
                #expect(sink.bytes == bytes)
            }
        },
    ]
}

extension StoreFixture {
    func object(_ key: String) throws -> any StoredObject {
        guard case .object(let object) = try store(key).find() else { throw NoObject() }
        return object
    }

    func content(_ name: String) throws -> Data { try Data(contentsOf: folder.url.appending(path: name)) }
}
