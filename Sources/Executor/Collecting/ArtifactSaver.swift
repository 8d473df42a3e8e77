import Artifacts
import FileTrees
import Glibc
import RunDirectory
import SystemSupport
import Tracing
import WorkflowModel

/// Stores one output artifact: its data are packed and sent at the same time, with nothing written to disk between (contract 03 §3).
struct ArtifactSaver: Sendable {
    private let step: StepContext
    /// Which artifact each place in a store was given to.
    private let places = Monitor<[String: String]>([:])

    init(_ step: StepContext) { self.step = step }

    private var template: Template { step.template }
    private var settings: ExecutorSettings { step.settings }
    private var directory: RunDirectory { step.directory }
    private var log: Log { step.log }

    /// Stores the artifact.
    ///
    /// - Returns: the artifact as it is reported; nil for an optional one that the step has not made.
    func save(_ artifact: Artifact) throws -> Artifact? {
        try Trace.span("saveArtifact") { try saveUntraced(artifact) }
    }

    private func saveUntraced(_ artifact: Artifact) throws -> Artifact? {
        do {
            let path = try PathRules.cleanPath(artifact.path)
            let origin = PathRules.origin(ofOutput: path, in: template, isInitless: settings.isInitless)
            let finder = OutputDataFinder(paths: settings.paths, directory: directory, log: log)
            let data: OutputData
            do { data = try archived { try finder.data(of: artifact, path: BytePath(path), origin: origin) } } catch let error
                as any ClassifiedError
                where error.isNotFound && artifact.optional
            {
                log.warn("optional artifact was not made", ["artifact": .text(artifact.name), "error": .error(error)])
                return nil
            }
            let fileName = OutputFileName.of(artifactName: artifact.name, path: path, archive: artifact.archive, origin: origin)
            let stored = try store(data, of: artifact.withPath(path), fileName: fileName)
            if origin == .baseImage, !settings.paths.mirrorsEverything {
                // The emissary made it for this upload only, and disk is scarce on a node. In a step's folder all is the user's.
                try? directory.place().remove(directory.relative(directory.artifactHandOver(name: artifact.name).directory))
            }
            return stored
        } catch { throw ExecutorError.wrapping("save artifact '\(artifact.name)'", error) }
    }

    /// Spans the archiving; where that happens during the upload, the span ends with it.
    private func archived(_ find: () throws -> OutputData) rethrows -> OutputData {
        guard let span = Trace.begin("archiveArtifact") else { return try find() }
        do {
            let data = try span.run(find)
            guard case .archive(let write) = data else {
                span.end()
                return data
            }
            return .archive { sink in
                defer { span.end() }
                try span.run { try write(sink) }
            }
        } catch {
            span.end()
            throw error
        }
    }

    /// Stores a main container's output as it was captured.
    ///
    /// - Returns: nil where nothing was captured.
    func saveLog(of container: String) throws -> Artifact? {
        try Trace.span("saveContainerLogs", [.text("container_name", container)]) { try saveLogUntraced(of: container) }
    }

    private func saveLogUntraced(of container: String) throws -> Artifact? {
        do {
            let folder = directory.container(container)
            try folder.requireWhole(folder.combined)
            let file = OpenFile(try folder.openFile(folder.combined), subject: folder.combined.text)
            return try store(
                .file(file), of: Artifact(name: container + "-logs"),
                fileName: OutputFileName.ofLog(containerName: container))
        } catch let error as SystemError where error.isMissingFile {
            log.warn("no log was captured", ["container": .text(container), "error": .error(error)])
            return nil
        } catch { throw ExecutorError.wrapping("save the log of container '\(container)'", error) }
    }

    private func store(_ data: OutputData, of artifact: Artifact, fileName: String) throws -> Artifact {
        let location = try artifact.location.withDefaultKey(in: template.archiveLocation, fileName: fileName)
        let complete = try location.relocated(to: template.archiveLocation)
        var drivers = step.drivers
        drivers.log = log.with(["name": .text(artifact.name)])
        drivers.artifact = artifact
        let store = try drivers.store(for: complete, artifactName: artifact.name)
        try claim(complete, store.subject, for: artifact)
        log.info("saving artifact", ["name": .text(artifact.name), "to": .text(store.subject)])
        let upload = store.upload
        let fileName = BytePath(fileName)
        switch data {
        case .file(let file): try upload.file(file, fileName: fileName)
        case .directory(let path, let root):
            try upload.directory(try root.openDirectory(path), path: BytePath(root.subject(path)))
        case .archive(let write):
            try BytePipe.run(writing: write) { source in try upload.stream(source, fileName: fileName) }
        }
        return artifact.withLocation(location)
    }

    /// Throws where another artifact of the step is stored under the very same key: one would overwrite the other.
    private func claim(_ location: ArtifactLocation, _ subject: String, for artifact: Artifact) throws {
        guard let place = LocalStore.place(of: location) else { return }
        let name = [place.endpoint, place.bucket, place.key].joined(separator: "\n")
        let other = places.update { places -> String? in
            if let other = places[name] { return other }
            places[name] = artifact.name
            return nil
        }
        guard let other else { return }
        throw ExecutorError.badRequest(
            "store it at \(subject): artifact '\(other)' is stored there, and one would overwrite the other; give one of them a key"
        )
    }
}

extension SystemError {
    /// Whether there is no such file; a link or a component that is no directory is another matter.
    var isMissingFile: Bool { code == ENOENT }
}
