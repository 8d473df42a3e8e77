import Artifacts
import FileTrees
import Foundation
import Synchronization
import SystemSupport
import WorkflowModel

/// A driver in memory, of shapes that the product's own drivers do not have.
final class OwnDriver: ArtifactDriver {
    let subject = "own://place"
    let needs: DriverNeeds
    let canDelete: Bool
    private let tree: OwnTree?
    private let state: Mutex<State>

    private struct State {
        /// How many saves are still to fail.
        var failures: Int
        var saves: [Save] = []
    }

    /// What stood at a path that was saved from: the contents of files by their paths below it, "" for the path itself.
    struct Save {
        let path: BytePath
        let files: [String: [UInt8]]
    }

    /// - Parameters:
    ///   - failures: of saves, before the first that succeeds.
    init(needs: DriverNeeds = DriverNeeds(length: false), canDelete: Bool = true, tree: OwnTree? = nil, failures: Int = 0) {
        self.needs = needs
        self.canDelete = canDelete
        self.tree = tree
        state = Mutex(State(failures: failures))
    }

    var saves: [Save] { state.withLock { $0.saves } }

    func schedule(for verb: ArtifactVerb) -> RetrySchedule {
        RetrySchedule(Backoff(duration: 1000, factor: 1, jitter: 0, steps: 3))
    }

    func find() throws -> FoundArtifact {
        guard let tree else { throw ArtifactError.notFound("find", subject, "nothing") }
        return .tree(tree)
    }

    func put(_ content: ObjectContent, at relative: BytePath?) throws { throw ArtifactError.unsupported("takes paths only") }

    func save(from path: BytePath) throws {
        let save = Save(path: path, files: try Self.files(path))
        try state.withLock { state in
            state.saves.append(save)
            state.failures -= 1
            if state.failures >= 0 { throw ExecutorError.transient("the program was busy") }
        }
    }

    func delete(after continuation: String?) throws -> String? { nil }
    func list(after continuation: String?) throws -> KeyPage { KeyPage(keys: [], next: nil) }
    func isDirectory() throws -> Bool { false }

    private static func files(_ path: BytePath) throws -> [String: [UInt8]] {
        let url = URL(filePath: path.text)
        guard try url.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true else {
            return ["": Array(try Data(contentsOf: url))]
        }
        var files: [String: [UInt8]] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: path.text) {
            if let bytes = try? Data(contentsOf: url.appending(path: name)) { files[name] = Array(bytes) }
        }
        return files
    }
}

/// A tree that a test writes.
struct OwnTree: StoredTree {
    let subject = "own://place"
    /// Given the path, and the number of the attempt from 1 on.
    let body: @Sendable (URL, Int) throws -> Void
    private let attempts = Counter()

    private final class Counter: Sendable {
        let count = Atomic(0)
    }

    init(_ body: @escaping @Sendable (URL, Int) throws -> Void) { self.body = body }

    func write(to name: BytePath, in directory: ContainedDirectory, moved: @escaping @Sendable (Int64) -> Void) throws {
        let attempt = attempts.count.add(1, ordering: .relaxed).newValue
        try body(URL(filePath: directory.path.appending(name).text), attempt)
        moved(7)
    }
}

/// Has one driver for everything.
struct OwnRegistry: DriverRegistry {
    let driver: any ArtifactDriver

    func driver(
        for location: ArtifactLocation, artifactName: String, context: DriverContext
    ) throws -> any ArtifactDriver { driver }

    func address(of location: ArtifactLocation, context: DriverContext) throws -> StoreAddress? { nil }
}
