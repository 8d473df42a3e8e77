package import Artifacts
import FileTrees
package import SystemSupport
package import WorkflowModel

/// What an artifact plugin keeps: a server beside us, which reads and writes paths that both see (contract 03 §6.10).
package struct PluginDriver: ArtifactDriver {
    private let service: PluginService
    private let artifact: Artifact

    package var subject: String { service.subject }
    package var needs: DriverNeeds {
        let folder = service.context.clouds[PluginPlaces.self].staging
        return DriverNeeds(length: false, path: DriverNeeds.PathNeeds(in: folder, isReadByOthers: true))
    }

    package func schedule(for verb: ArtifactVerb) -> RetrySchedule { .once }

    /// Only its loading tells whether there is anything.
    package func find() throws -> FoundArtifact { .tree(PluginTree(service: service, artifact: artifact)) }

    package func save(from path: BytePath) throws {
        try demand(.save, PluginMessages.request(artifact, service.location, field: 2, path: (1, path.text)))
    }

    package func put(_ content: ObjectContent, at relative: BytePath?) throws {
        throw ArtifactError.unsupported("\(subject) is saved from a path only")
    }

    package func delete(after continuation: String?) throws -> String? {
        do { try demand(.delete, PluginMessages.request(artifact, service.location, field: 1)) } catch let error
            as ArtifactError where error.isNotFound
        {}
        return nil
    }

    package func list(after continuation: String?) throws -> KeyPage {
        let answer = PluginMessages.answer(
            try service.call(.list, PluginMessages.request(artifact, service.location, field: 1)))
        guard answer.error.isEmpty else { throw service.failure(.list, answer.error) }
        return KeyPage(keys: answer.texts, next: nil)
    }

    package func isDirectory() throws -> Bool {
        let answer = PluginMessages.answer(
            try service.call(.isDirectory, PluginMessages.request(artifact, service.location, field: 1)))
        guard answer.error.isEmpty else { throw service.failure(.isDirectory, answer.error) }
        return answer.flag
    }

    private func demand(_ method: PluginService.Method, _ request: [UInt8]) throws {
        let answer = PluginMessages.answer(try service.call(method, request))
        guard answer.flag else { throw service.failure(method, answer.error) }
    }
}

extension PluginDriver: RegisteredDriver {
    package static func serving(_ location: ArtifactLocation, context: DriverContext) -> PluginDriver? {
        guard let plugin = location.plugin else { return nil }
        let key = plugin.key.hasPrefix("/") ? plugin.key : "/" + plugin.key
        return PluginDriver(
            service: PluginService(location: plugin, subject: "plugin://\(plugin.name)\(key)", context: context),
            artifact: context.artifact)
    }
}

/// What the plugin writes.
private struct PluginTree: StoredTree {
    let service: PluginService
    let artifact: Artifact

    var subject: String { service.subject }
    var isWrittenByOthers: Bool { true }

    func write(to name: BytePath, in directory: ContainedDirectory, moved: @escaping @Sendable (Int64) -> Void) throws {
        let path = directory.path.appending(name)
        let answer = PluginMessages.answer(
            try service.call(
                .load, PluginMessages.request(artifact, service.location, field: 1, path: (2, path.text))))
        guard answer.flag else { throw service.failure(.load, answer.error) }
    }
}
