import ArtifactRegistry
import Artifacts
import Documents
import FileTrees
import Foundation
import HTTPTransport
import PluginArtifacts
import SystemSupport
import TestSupport
import Testing
import WorkflowModel

/// A plugin and a folder of a test's own.
struct PluginFixture: Sendable {
    let folder: TemporaryFolder
    /// It lives as long as this does.
    private let server: PluginServer?
    let log = LogRecorder()
    var sockets: BytePath
    var patience: Int64 = 60_000_000_000
    var isAttended = false
    let cancellation = TransferCancellation()

    init(_ server: PluginServer?) throws {
        self.server = server
        folder = try TemporaryFolder()
        sockets = server.map { BytePath($0.sockets.path) } ?? BytePath(folder.url.appending(path: "nowhere").path)
        for name in ["target", "spool"] {
            try FileManager.default.createDirectory(at: folder.url.appending(path: name), withIntermediateDirectories: true)
        }
    }

    func path(_ name: String) -> BytePath { BytePath(folder.url.appending(path: name).path) }

    var context: DriverContext {
        var context = DriverContext(
            registry: ArtifactDrivers(), clients: HTTPClients(HTTPClientConfiguration(trust: .insecure)), log: log.log,
            executorBackoff: Backoff(duration: 1_000_000, factor: 1, jitter: 0, steps: 5), spoolDirectory: path("spool"),
            cancellation: cancellation)
        context.isAttended = isAttended
        context.clouds[PluginPlaces.self].sockets = sockets
        context.clouds[PluginPlaces.self].staging = path("staging")
        context.clouds[PluginPlaces.self].patience = patience
        return context
    }

    /// The store at a key.
    ///
    /// - Parameter behaviour: of the plugin, which is polite without.
    func store(
        _ key: String, _ behaviour: String = "", context: DriverContext? = nil, _ more: JSONValue = [:]
    ) throws -> ArtifactStore {
        var plugin: JSONValue = [
            "name": "test", "key": .string(key), "configuration": .string("secret: tok-123\nbehaviour: \(behaviour)\n"),
            "connectionTimeoutSeconds": 1,
        ]
        for member in more.object?.members ?? [] { plugin[member.name] = member.value }
        return try (context ?? self.context).store(
            for: ArtifactLocation(document: ["plugin": plugin]), artifactName: "data")
    }

    func load(_ store: ArtifactStore) throws {
        guard case .tree(let tree) = try store.find() else { throw StoreFixture.NoObject() }
        try store.download.tree(tree, at: "made", in: ContainedDirectory(path("target")))
    }

    func names(_ name: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: path(name).text).sorted()
    }

    func content(_ name: String) throws -> String {
        try String(contentsOf: folder.url.appending(path: name), encoding: .utf8)
    }
}
