import Archiving
import Artifacts
import Documents
import FileTrees
import SystemSupport
import WorkflowEngine
import WorkflowModel
import WorkflowPlanning

/// A file or folder of this machine that becomes an artifact of the workflow (`-a NAME=PATH`).
struct ArgumentArtifact: Sendable {
    let name: String
    let path: BytePath
    private let isFolder: Bool

    /// - Throws: `ExecutorError` where there is no such file or folder.
    init(_ name: String, _ path: BytePath) throws {
        self.name = name
        self.path = path
        guard let status = try? FileStatus.of(path, followingLinks: true) else {
            throw ExecutorError.notFound("-a \(name)=\(path): there is no such file")
        }
        guard status.kind == .file || status.kind == .directory else {
            throw ExecutorError.badRequest("-a \(name)=\(path): it is a \(status.kind.word), neither a file nor a folder")
        }
        isFolder = status.kind == .directory
    }

    /// A key of the store that artifacts without a place of their own go to.
    func key(workflow: String) -> String { "\(workflow)/arguments/\(name)" }

    /// The location that the workflow is given.
    func location(workflow: String) -> JSONObject { ["s3": ["key": .string(key(workflow: workflow))]] }

    /// Puts it where steps find it: a file as it is, a folder by the archive strategy of the workflow's own entry.
    func save(to location: ArtifactLocation, for plan: WorkflowPlan, drivers: DriverContext) throws {
        do {
            let store = try drivers.store(for: location, artifactName: name)
            if !isFolder {
                try store.upload.file(at: path)
                return
            }
            let packed = path.cleaned
            let options = PackOptions(log: drivers.log)
            switch try archive(in: plan) {
            case .asIs: try store.upload.directory(at: packed)
            case .zip:
                try BytePipe.run(writing: { sink in try Zip.pack(packed, into: sink, options: options) }) { source in
                    try store.upload.stream(source, fileName: BytePath("\(name).zip"))
                }
            case .tar, .empty, nil:
                try BytePipe.run(writing: { sink in try TarGzip.pack(packed, into: sink, options: options) }) { source in
                    try store.upload.stream(source, fileName: BytePath("\(name).tgz"))
                }
            }
        } catch { throw ExecutorError.wrapping("-a \(name)=\(path)", error) }
    }

    private func archive(in plan: WorkflowPlan) throws -> ArchiveStrategy? {
        let entries = plan.spec["arguments"]?["artifacts"]?.array ?? []
        guard let entry = entries.first(where: { $0["name"]?.string == name }) else { return nil }
        return try Artifact(document: entry).archive
    }
}
