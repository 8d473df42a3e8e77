import Foundation
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts

/// Directories that change while they are saved.
@Suite struct DirectoryUploadTests {
    /// Does something before the first object is taken, while the others wait.
    private final class ChangingStore: ArtifactDriver {
        let saved = Mutex<[String: [UInt8]]>([:])
        private let change: @Sendable (BytePath) throws -> Void
        private let isChanged = Mutex(false)

        init(_ change: @escaping @Sendable (BytePath) throws -> Void) { self.change = change }

        var subject: String { "changing://dir" }
        var needs: DriverNeeds { DriverNeeds(length: true) }
        func schedule(for verb: ArtifactVerb) -> RetrySchedule { .once }
        func find() throws -> FoundArtifact { throw ArtifactError.notFound("find", subject, "never") }
        func delete(after continuation: String?) throws -> String? { nil }
        func list(after continuation: String?) throws -> KeyPage { KeyPage(keys: [], next: nil) }
        func isDirectory() throws -> Bool { false }

        func put(_ content: ObjectContent, at relative: BytePath?) throws {
            try isChanged.withLock { isChanged in
                if !isChanged { try change(relative ?? "") }
                isChanged = true
            }
            let sink = CollectingSink()
            try content.body.forEachBlock { sink.write($0) }
            saved.withLock { $0[relative?.text ?? ""] = sink.bytes }
        }
    }

    private let fixture: StoreFixture
    init() throws { fixture = try StoreFixture.makeLocal() }

    private func save(_ driver: ChangingStore) throws {
        try ArtifactStore(driver: driver, context: fixture.context).upload.directory(at: fixture.path("tree"))
    }

    @Test func whatVanishesIsLeftOutWithAWarning() throws {
        // More files than are opened ahead of their turn.
        for index in 0..<400 { try fixture.folder.write(Data("x".utf8), to: "tree/\(1000 + index)") }
        try fixture.folder.write(Data("gone".utf8), to: "tree/y-file")
        try fixture.folder.write(Data("gone".utf8), to: "tree/z-folder/file")
        let fixture = fixture
        let driver = ChangingStore { _ in
            try FileManager.default.removeItem(atPath: fixture.path("tree/y-file").text)
            try FileManager.default.removeItem(atPath: fixture.path("tree/z-folder").text)
        }
        try save(driver)
        #expect(driver.saved.withLock { $0.count } == 400)
        for name in ["tree/y-file", "tree/z-folder"] {
            let told = fixture.log.text.split(separator: "\n").filter { $0.contains(name) && $0.contains("level=WARN") }
            #expect(told.count == 1)
        }
    }

    @Test func aFileThatBecomesShorterIsSavedAsItIsNow() throws {
        try fixture.folder.write(Data(patternBytes(300_000)), to: "tree/log")
        try fixture.folder.write(Data("other".utf8), to: "tree/other")
        let fixture = fixture
        let driver = ChangingStore { _ in
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: fixture.path("tree/log").text))
            try file.truncate(atOffset: 1000)
        }
        try save(driver)
        #expect(driver.saved.withLock { $0 } == ["log": Array(patternBytes(300_000)[..<1000]), "other": Array("other".utf8)])
    }

    @Test func aFileThatGrowsIsSavedAsItWas() throws {
        try fixture.folder.write(Data("before".utf8), to: "tree/log")
        let fixture = fixture
        let driver = ChangingStore { _ in
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: fixture.path("tree/log").text))
            try file.seekToEnd()
            try file.write(contentsOf: Data("after".utf8))
        }
        try save(driver)
        #expect(driver.saved.withLock { $0 } == ["log": Array("before".utf8)])
    }
}
