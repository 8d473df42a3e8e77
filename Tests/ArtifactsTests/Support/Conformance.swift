import Artifacts
import Documents
import FileTrees
import Foundation
import SystemSupport
import Testing

/// What every store must do alike, one row of the conformance table: written once, run against each real server.
struct Conformance: Sendable, CustomTestStringConvertible {
    typealias Ability = StoreUnderTest.Ability

    /// The row's name.
    let testDescription: String
    /// What a store must offer for the check to make sense.
    let needs: Set<Ability>
    let body: @Sendable (StoreFixture) throws -> Void

    init(_ name: String, needs: Set<Ability> = [], _ body: @escaping @Sendable (StoreFixture) throws -> Void) {
        testDescription = name
        self.needs = needs
        self.body = body
    }

    /// In the order of the table.
    static let all: [Conformance] = objects + names + directories + absence + failures

    // MARK: Objects

    private static let objects = [
        Conformance("file") { fixture in
            let bytes = patternBytes(100_000)
            try fixture.save(bytes, "a/file")
            #expect(try fixture.load("a/file") == bytes)
        },
        Conformance("empty file") { fixture in
            try fixture.save([], "empty")
            #expect(try fixture.load("empty") == [])
            try fixture.load("empty", into: "empty-loaded")
            #expect(try fixture.content("empty-loaded") == Data())
        },
        Conformance("file of 100 MiB") { fixture in
            let bytes = patternBytes(100 << 20)
            try fixture.save(bytes, "large")
            let record = try fixture.load("large", into: "large-loaded")
            #expect(try fixture.content("large-loaded") == Data(bytes))
            #expect(record.bytes == Int64(bytes.count))
            #expect(record.objects == 1)
        },
        Conformance("stream of unknown length") { fixture in
            for (name, size) in [("none", 0), ("small", 1000), ("one-part", 5_505_024), ("parts", 30_000_001)] {
                let bytes = patternBytes(size)
                let record = try fixture.store(name).upload.stream(PatternSource(bytes), fileName: "data.tgz")
                #expect(record.bytes == Int64(size))
                #expect(try fixture.load(name) == bytes)
            }
        },
        Conformance("stream that fails leaves nothing", needs: [.wholeObjects]) { fixture in
            struct Broken: Error {}
            for size in [1000, 12_000_000] {
                #expect(throws: Broken.self) {
                    try fixture.store("half").upload.stream(
                        PatternSource(patternBytes(size), failsAtEnd: Broken()), fileName: "half")
                }
                #expect(throws: (any Error).self) { try fixture.load("half") }
            }
        },
        Conformance("file replaced") { fixture in
            try fixture.save(patternBytes(5000), "again")
            try fixture.save(patternBytes(10, seed: 9), "again")
            #expect(try fixture.load("again") == patternBytes(10, seed: 9))
            try Data(count: 1 << 20).write(to: fixture.folder.url.appending(path: "old"))
            try fixture.load("again", into: "old")
            #expect(try fixture.content("old") == Data(patternBytes(10, seed: 9)))
        },
        Conformance("several side by side") { fixture in
            let context = fixture.context
            let same = Monitor(0)
            try Parallel.forEach(count: 6, width: 6) { index in
                let bytes = patternBytes(7_000_000 + index, seed: UInt64(index + 1))
                let store = try fixture.store("side/\(index)", context: context)
                try store.upload.stream(PatternSource(bytes), fileName: "x")
                if try store.load() == bytes { same.update { $0 += 1 } }
            }
            #expect(same.current == 6)
        },
    ]

    // MARK: Names

    private static let names = [
        Conformance("odd names", needs: [.anyKeys]) { fixture in
            let keys = [
                "with space", "a+b", "ä/ö ü.txt", "100%", "a%2Fb", "q?x=1&y=2", "#hash", "'\"<>&", "back\\slash", "~-_.",
                "e\u{301} decomposed", String(repeating: "n", count: 200), "deep/" + String(repeating: "ü", count: 100),
            ]
            for (index, key) in keys.enumerated() { try fixture.save(patternBytes(10 + index, seed: UInt64(index + 1)), key) }
            for (index, key) in keys.enumerated() {
                #expect(try fixture.load(key) == patternBytes(10 + index, seed: UInt64(index + 1)), "\(key)")
            }
        },
        Conformance("names with line breaks", needs: [.lineBreaks]) { fixture in
            try fixture.save([1, 2], "new\nline")
            try fixture.save([3], "tab\tand\rreturn/x")
            #expect(try fixture.load("new\nline") == [1, 2])
            #expect(try fixture.load("tab\tand\rreturn/x") == [3])
        },
        Conformance("names that lead out are refused", needs: [.directories]) { fixture in
            try fixture.save([1], "inside/kept")
            // A store may refuse such a key itself; what one of ours takes must not be written outside.
            let wasTaken = (try? fixture.save([2], "inside/../../outside")) != nil
            let store = try fixture.store("inside/")
            guard case .directory(let directory) = try store.find() else {
                Issue.record("not found as a directory")
                return
            }
            let names = try directory.page(after: nil).entries.map(\.name.text)
            try FileManager.default.createDirectory(
                at: fixture.folder.url.appending(path: "a/b/c"), withIntermediateDirectories: true)
            let root = try ContainedDirectory(fixture.path("a/b/c"))
            if wasTaken, names.contains(where: { $0.contains("..") }) {
                let error = #expect(throws: ArtifactError.self) { try store.download.directory(directory, into: root) }
                #expect(error?.code == .invalid)
                #expect(error?.isTransient == false)
            } else {
                try store.download.directory(directory, into: root)
                #expect(try fixture.content("a/b/c/kept") == Data([1]))
            }
            let written = try FileManager.default.subpathsOfDirectory(atPath: fixture.path("a").text)
            #expect(!written.contains { $0.contains("outside") })
        },
    ]

    // MARK: Directories

    private static let directories = [
        Conformance("directory", needs: [.directories]) { fixture in
            var files = [
                "one.txt": 3, "sub/two": 70_000, "sub/deep/er/three": 0, "sub/ä ö+%.bin": 11, ".hidden": 1, "a%2Fb": 2, "#x": 4,
                "q?y": 5, "sp ace/a+b": 6, String(repeating: "n", count: 200): 7,
            ]
            if fixture.kind.offers.contains(.lineBreaks) { files["new\nline"] = 5 }
            for (name, size) in files { try fixture.folder.write(Data(patternBytes(size)), to: "tree/\(name)") }
            try FileManager.default.createSymbolicLink(
                atPath: fixture.path("tree/link").text, withDestinationPath: "one.txt")
            mkfifo(fixture.path("tree/pipe").text, 0o644)
            let saved = try fixture.store("dir/ectory").upload.directory(at: fixture.path("tree"))
            #expect(saved.objects == files.count)
            #expect(fixture.log.text.contains("tree/pipe"))

            let loaded = try fixture.loadDirectory("dir/ectory", into: "back")
            #expect(loaded?.objects == files.count)
            for (name, size) in files {
                #expect(try fixture.content("back/\(name)") == Data(patternBytes(size)), "\(name)")
            }
            let back = try FileManager.default.subpathsOfDirectory(atPath: fixture.path("back").text)
            #expect(!back.contains("link") && !back.contains("pipe"))
        },
        Conformance("directory of 1,205 files", needs: [.directories]) { fixture in
            for index in 0..<1205 {
                try fixture.folder.write(Data("file \(index)".utf8), to: "many/\(index % 7)/\(index)")
            }
            try fixture.store("many/").upload.directory(at: fixture.path("many"))
            let record = try fixture.loadDirectory("many/", into: "many-back")
            #expect(record?.objects == 1205)
            for index in 0..<1205 {
                #expect(try fixture.content("many-back/\(index % 7)/\(index)") == Data("file \(index)".utf8))
            }
            if fixture.kind.offers.contains(.list) { #expect(try fixture.store("many/").list().count == 1205) }
            if fixture.kind.offers.contains(.delete) {
                try fixture.store("many/").delete()
                #expect(try !fixture.store("many/").isDirectory())
            }
        },
        Conformance("is a directory", needs: [.directories]) { fixture in
            try fixture.save([1], "is/a/directory")
            #expect(try fixture.store("is").isDirectory())
            #expect(try fixture.store("is/a").isDirectory())
            #expect(try fixture.store("is/a/").isDirectory())
            #expect(try !fixture.store("is/a/directory").isDirectory())
            #expect(try !fixture.store("is/a/dir").isDirectory())
            #expect(try !fixture.store("i").isDirectory())
        },
        Conformance("list", needs: [.list]) { fixture in
            for key in ["list/a", "list/b/c", "list/b/d e", "list2/x", "listing"] { try fixture.save([1], key) }
            #expect(try fixture.store("list").list().sorted() == ["list/a", "list/b/c", "list/b/d e"])
            #expect(try fixture.store("list/b/").list().sorted() == ["list/b/c", "list/b/d e"])
            guard fixture.kind.offers.contains(.strictLists) else {
                #expect(try fixture.store("listing").list() == ["listing"])
                #expect(try fixture.store("lis").list() == [])
                return
            }
            #expect(try fixture.store("listing").list() == [])
            let error = #expect(throws: ArtifactError.self) { try fixture.store("lis").list() }
            #expect(error?.isNotFound == true)
        },
        Conformance("delete an object", needs: [.delete]) { fixture in
            for key in ["del", "del2", "delete/x"] { try fixture.save([1], key) }
            try fixture.store("del").delete()
            #expect(throws: (any Error).self) { try fixture.load("del") }
            #expect(try fixture.load("del2") == [1])
            #expect(try fixture.load("delete/x") == [1])
        },
        Conformance("delete a directory", needs: [.delete, .directories]) { fixture in
            for key in ["gone/a", "gone/b/c", "gone-not/a"] { try fixture.save([1], key) }
            try fixture.store("gone").delete()
            #expect(try !fixture.store("gone").isDirectory())
            #expect(try fixture.load("gone-not/a") == [1])
            try fixture.save([1], "slash/a")
            try fixture.store("slash/").delete()
            #expect(try !fixture.store("slash").isDirectory())
        },
        Conformance("delete what is absent", needs: [.delete]) { fixture in
            try fixture.save([1], "here")
            try fixture.store("here").delete()
            try fixture.store("here").delete()
            try fixture.store("never/was").delete()
            try fixture.store("never/was/").delete()
            #expect(throws: (any Error).self) { try fixture.load("here") }
        },
    ]

    // MARK: Absence

    private static let absence = [
        Conformance("not found") { fixture in
            for key in ["nothing", "no/such/key"] + (fixture.kind.offers.contains(.directories) ? ["nothing/"] : []) {
                let error = classifiedError { try fixture.load(key) }
                #expect(error?.isNotFound == true)
                #expect(error?.isTransient == false)
                #expect(error?.message.contains("\(fixture.bucket)/\(key)") == true)
            }
            #expect(!fixture.log.text.contains("retrying"))
        },
        Conformance("optional: nothing else counts as absent") { fixture in
            try fixture.save([1], "prefix-only/x")
            let absent = classifiedError { try fixture.load("prefix") }
            #expect(absent?.isNotFound == true)
            guard fixture.kind.offers.contains(.network) else { return }
            let unreachable = try fixture.proxy(Array(repeating: .refuse, count: 30))
            let broken = classifiedError {
                try fixture.load("prefix", endpoint: unreachable.endpoint)
            }
            #expect(broken?.isNotFound == false)
            // Behind TLS nobody but the server can answer.
            guard fixture.kind.offers.contains(.clearText) else { return }
            let refusing = try fixture.proxy(Array(repeating: .answer(status: 403), count: 30))
            let refused = classifiedError {
                try fixture.load("prefix", endpoint: refusing.endpoint)
            }
            #expect(refused?.isNotFound == false)
        },
    ]

    // MARK: Failures

    private static let failures = [
        Conformance("wrong credential fails at once", needs: [.credentials]) { fixture in
            try fixture.save([1], "guarded")
            for attempt in [
                { _ = try fixture.load("guarded", fixture.kind.wrongCredential) },
                { _ = try fixture.save([2], "guarded", fixture.kind.wrongCredential) },
            ] {
                let error = classifiedError { try attempt() }
                #expect(error?.isTransient == false)
                #expect(error?.isNotFound == false)
            }
            #expect(!fixture.log.text.contains("retrying"))
            #expect(try fixture.load("guarded") == [1])
        },
        Conformance("server that fails twice", needs: [.network, .clearText]) { fixture in
            let bytes = patternBytes(100_000)
            let up = try fixture.proxy([.answer(status: 503), .answer(status: 500)])
            let record = try fixture.save(bytes, "twice", endpoint: up.endpoint)
            #expect(record.retries == 2)
            let down = try fixture.proxy([.answer(status: 503), .answer(status: 429)])
            #expect(try fixture.load("twice", endpoint: down.endpoint) == bytes)
            #expect(down.connections >= 3)
        },
        Conformance("load cut off, read on by range", needs: [.network, .ranges]) { fixture in
            let bytes = patternBytes(6 << 20)
            try fixture.save(bytes, "cut")
            let proxy = try fixture.proxy([.cut(after: 3 << 20)])
            #expect(try fixture.load("cut", endpoint: proxy.endpoint) == bytes)
            #expect(proxy.connections == 2)
            // What had come was not asked for again.
            #expect(proxy.answered < bytes.count + 64_000)
        },
        Conformance("save cut off", needs: [.network]) { fixture in
            let bytes = patternBytes(6 << 20)
            let proxy = try fixture.proxy([.cutRequest(after: 3 << 20)])
            try fixture.save(bytes, "cut-up", endpoint: proxy.endpoint)
            // By us, or by libcurl where the connection had served another request before.
            #expect(proxy.connections >= 2)
            #expect(try fixture.load("cut-up") == bytes)
        },
        Conformance("save cut off for good leaves nothing half", needs: [.network, .wholeObjects]) { fixture in
            let proxy = try fixture.proxy(Array(repeating: .cutRequest(after: 1 << 20), count: 200))
            #expect(throws: (any Error).self) { try fixture.save(patternBytes(6 << 20), "half-up", endpoint: proxy.endpoint) }
            let error = classifiedError { try fixture.load("half-up") }
            #expect(error?.isNotFound == true)
        },
    ]
}

/// The error that the store throws, which is one that says of itself what it is.
func classifiedError(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> some Any
) -> (any ClassifiedError)? {
    let error = #expect(throws: (any Error).self, sourceLocation: sourceLocation) { _ = try body() }
    #expect(error is any ClassifiedError, sourceLocation: sourceLocation)
    return error as? any ClassifiedError
}

extension StoreFixture {
    func object(_ key: String) throws -> any StoredObject {
        guard case .object(let object) = try store(key).find() else { throw NoObject() }
        return object
    }

    func content(_ name: String) throws -> Data { try Data(contentsOf: folder.url.appending(path: name)) }

    /// Loads a directory into a new one of the fixture's folder; nil where the key is none.
    func loadDirectory(
        _ key: String, endpoint: String? = nil, into name: String, context: DriverContext? = nil, _ more: JSONValue = [:]
    ) throws -> TransferRecord? {
        let store = try store(key, endpoint: endpoint, context: context, more)
        guard case .directory(let directory) = try store.find() else { return nil }
        try FileManager.default.createDirectory(
            at: folder.url.appending(path: name), withIntermediateDirectories: true)
        return try store.download.directory(directory, into: ContainedDirectory(path(name)))
    }
}
