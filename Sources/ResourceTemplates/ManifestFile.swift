import FileTrees
import SystemSupport
import WorkflowModel

/// The file with the manifest: written from the template, or an input artifact (contract 02 §7).
struct ManifestFile {
    /// What kubectl is told.
    let path: BytePath
    let content: [UInt8]

    private static let limit = 64 << 20

    /// - Parameter place: where a manifest of the template's own is written.
    /// - Throws: `SystemError` where it cannot be written; `ExecutorError` where it cannot be read.
    init(_ resource: ResourceTemplate, _ inputs: [Artifact], writtenTo place: BytePath) throws {
        guard let name = resource.manifestFromArtifact else {
            path = place
            content = Array(resource.manifest.utf8)
            try SharedPlace(place.directory).write(place.base, content, mode: 0o644)
            return
        }
        guard let input = inputs.first(where: { $0.name == name }) else {
            throw ExecutorError.badRequest("read the manifest: the template has no input artifact '\(name)'")
        }
        path = BytePath(input.path)
        do { content = try SmallFile.read(path.cleaned, limit: Self.limit) } catch {
            throw ExecutorError.badRequest("read the manifest from the input artifact '\(name)': \(error.message)")
        }
    }
}
