import Artifacts
import FileTrees
import Foundation
import Synchronization
import SystemSupport
import WorkflowModel

/// A store in memory, of the shape that programs beside the executor have: it wants paths for saving, and writes what it loads by itself.
final class MemoryPlugin: DriverRegistry {
    /// What all of its names begin with: it has one bucket.
    static let bucket = "bucket/"
    private let objects = Mutex<[String: [UInt8]]>([:])

    func driver(
        for location: ArtifactLocation, artifactName: String, context: DriverContext
    ) throws -> any ArtifactDriver { Driver(store: self, key: try location.key()) }

    func address(of location: ArtifactLocation, context: DriverContext) throws -> StoreAddress? { nil }

    private struct Driver: ArtifactDriver {
        let store: MemoryPlugin
        let key: String

        var subject: String { "plugin://\(key)" }
        var needs: DriverNeeds { DriverNeeds(length: false, singleFile: true, path: DriverNeeds.PathNeeds()) }
        func schedule(for verb: ArtifactVerb) -> RetrySchedule { .once }

        func find() throws -> FoundArtifact {
            guard let bytes = store.objects.withLock({ $0[key] }) else {
                throw ArtifactError.notFound("find", subject, "no such object")
            }
            return .tree(Tree(subject: subject, bytes: bytes))
        }

        func save(from path: BytePath) throws {
            let bytes = Array(try Data(contentsOf: URL(filePath: path.text)))
            store.objects.withLock { $0[key] = bytes }
        }

        func put(_ content: ObjectContent, at relative: BytePath?) throws { throw ArtifactError.unsupported("paths only") }

        func delete(after continuation: String?) throws -> String? {
            store.objects.withLock { objects in objects = objects.filter { $0.key != key && !isBelow($0.key) } }
            return nil
        }

        func list(after continuation: String?) throws -> KeyPage {
            let keys = store.objects.withLock { $0.keys.filter(isBelow).sorted() }
            if keys.isEmpty { _ = try find() }
            return KeyPage(keys: keys.map { String($0.dropFirst(MemoryPlugin.bucket.count)) }, next: nil)
        }

        func isDirectory() throws -> Bool { store.objects.withLock { $0.keys.contains(where: isBelow) } }

        private func isBelow(_ other: String) -> Bool { other.hasPrefix(key.hasSuffix("/") ? key : key + "/") }
    }

    private struct Tree: StoredTree {
        let subject: String
        let bytes: [UInt8]

        func write(to name: BytePath, in directory: ContainedDirectory, moved: @escaping @Sendable (Int64) -> Void) throws {
            try Data(bytes).write(to: URL(filePath: directory.path.appending(name).text))
            moved(Int64(bytes.count))
        }
    }
}

extension StoreUnderTest {
    /// Directories are for its program to make sense of.
    static var plugin: StoreUnderTest {
        StoreUnderTest(
            driver: "plugin", server: "memory",
            offers: Set(Ability.allCases).subtracting([.directories, .network, .clearText, .credentials, .ranges]),
            endpoint: nil, bucket: "bucket", secrets: [:],
            fields: { key, _ in ["name": "memory", "configuration": "c", "key": .string(MemoryPlugin.bucket + key)] },
            wrongCredential: [:], registry: MemoryPlugin())
    }
}
