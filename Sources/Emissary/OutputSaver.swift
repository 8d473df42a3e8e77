import Archiving
import FileTrees
import Glibc
import RunDirectory
import SystemSupport
import WorkflowModel

/// Leaves the outputs that only the user's container can see to the executor (contract 02 §4.16): parameters as copies of their
/// files, artifacts in the form in which they are uploaded.
struct OutputSaver {
    let template: Template
    let runDirectory: RunDirectory
    /// Whether inputs are links in the user's file system rather than mounts.
    let isInitless: Bool
    let options: PackOptions
    let log: Log

    /// Saves all outputs: parameters, then artifacts, each in the template's order. An error does not keep the others from it.
    ///
    /// - Throws: the first error.
    func save() throws {
        var failure: (any Error)?
        let attempt = { (what: String, body: () throws -> Void) in
            do { try body() } catch {
                let error = ExecutorError.wrapping("save \(what)", error)
                log.error("cannot save an output", ["error": .error(error)])
                if failure == nil { failure = error }
            }
        }
        for parameter in template.outputs.parameters {
            guard let path = parameter.valueFrom?.path, !path.isEmpty else { continue }
            attempt("parameter '\(parameter.name)' from \(path)") { try save(parameter: path) }
        }
        for artifact in template.outputs.artifacts where !artifact.path.isEmpty {
            attempt("artifact '\(artifact.name)' from \(artifact.path)") { try save(artifact) }
        }
        if let failure { throw failure }
    }

    /// The path to read and what is there; nil where the executor sees the data itself, or there is none.
    private func source(_ path: String) throws(SystemError) -> (path: BytePath, status: FileStatus)? {
        let cleaned = BytePath(path).cleaned
        if case .mirror = PathRules.origin(ofOutput: path, in: template, isInitless: isInitless) {
            log.info("no need to save output: on a volume", ["path": .path(cleaned)])
            return nil
        }
        // In our own root links are followed.
        do throws(SystemError) { return (cleaned, try FileStatus.of(cleaned, followingLinks: true)) } catch {
            guard error.code == ENOENT else { throw error }
            log.warn("cannot save output: it does not exist (it may be optional)", ["path": .path(cleaned)])
            return nil
        }
    }

    private func save(parameter path: String) throws {
        guard let (source, status) = try source(path) else { return }
        // Opening a device may do something to it.
        guard status.kind == .file else {
            throw ExecutorError.badRequest("read \(source): is a \(status.kind.word), not a file")
        }
        let target = runDirectory.parameterHandOver(source)
        let place = try runDirectory.place()
        try place.makeDirectories(runDirectory.relative(target.directory), mode: 0o755)
        place.sweep(runDirectory.relative(target.directory))
        // One byte more than the executor takes tells it that there is more.
        try copyFile(source, to: target, in: place, limit: Int64(RunDirectory.parameterLimit) + 1)
        log.info("saved parameter", ["path": .path(source)])
    }

    private func save(_ artifact: Artifact) throws {
        guard let (source, status) = try source(artifact.path) else { return }
        let target = runDirectory.artifactHandOver(name: artifact.name)
        // For every user, so that an executor under another uid can remove what it has uploaded.
        let place = try runDirectory.place()
        try place.makeDirectories(runDirectory.relative(target.directory), mode: 0o777)
        place.sweep(runDirectory.relative(target.directory))
        switch artifact.archive {
        case nil: try pack(to: target.tarball, in: place) { try TarGzip.pack(source, level: -1, into: $0, options: options) }
        case .tar(let level):
            try pack(to: target.tarball, in: place) { try TarGzip.pack(source, level: level ?? -1, into: $0, options: options) }
        case .zip: try pack(to: target.zip, in: place) { try Zip.pack(source, into: $0, options: options) }
        case .asIs, .empty:
            if status.kind != .file, status.kind != .directory {
                throw ExecutorError.badRequest("read \(source): is a \(status.kind.word), neither a file nor a directory")
            }
            if status.kind == .directory {
                try copyTree(source, to: target, in: place)
            } else {
                try copyFile(source, to: target.plain, in: place)
            }
        }
        log.info("saved artifact", ["name": .text(artifact.name), "path": .path(source)])
    }

    private func pack(to target: BytePath, in place: SharedPlace, _ body: (any ByteSink) throws -> Void) throws {
        try place.write(runDirectory.relative(target), mode: 0o666) { raw in try body(DescriptorSink(raw, subject: target.text))
        }
    }

    private func copyFile(_ source: BytePath, to target: BytePath, in place: SharedPlace, limit: Int64 = .max) throws {
        // A named pipe must not hold us up.
        let file = try Descriptor.open(source, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        let kind = try FileStatus.of(file.raw, subject: source.text).kind
        guard kind == .file else { throw ExecutorError.badRequest("read \(source): is a \(kind.word), not a file") }
        try place.write(runDirectory.relative(target), mode: 0o666) { raw in
            try FileCopy.copy(file.raw, to: raw, limit: limit, subject: source.text)
        }
    }

    /// Copies a directory's content so that every user can read it: files 0666, directories 0777, links as they are.
    private func copyTree(_ source: BytePath, to target: ArtifactHandOver, in place: SharedPlace) throws {
        let workshop = try place.workshop(for: runDirectory.relative(target.plain))
        defer { workshop.remove() }
        try workshop.directory.makeDirectory("tree", mode: 0o777)
        let copy = try workshop.directory.subdirectory("tree")
        let walk = try TreeWalk(try Descriptor.open(source, O_RDONLY | O_DIRECTORY), path: source)
        var left = 0
        let tellVanished = { [log] (path: String) in
            log.warn("left out of the artifact: it vanished while it was being saved", ["path": .text(path)])
        }
        walk.onVanished = tellVanished
        while let entry = try walk.next() {
            switch entry.status.kind {
            case .directory: try copy.makeDirectory(entry.path, mode: 0o777)
            case .symlink:
                guard let link = try readLink(walk, entry) else {
                    tellVanished(walk.subject(entry))
                    continue
                }
                try copy.symlink(entry.path, to: link)
            case .file:
                guard let from = try openFile(walk, entry) else {
                    tellVanished(walk.subject(entry))
                    continue
                }
                let to = try copy.createFile(entry.path, mode: 0o666)
                try FileCopy.copy(from.raw, to: to.raw, subject: walk.subject(entry))
                try to.close(walk.subject(entry))
            default: left += 1
            }
        }
        if left > 0 {
            log.warn("left out what is neither file, directory nor link", ["path": .path(source), "count": .count(left)])
        }
        try workshop.publish("tree", as: target.plain.base, isReplacing: true)
    }

    /// nil for what has vanished or was replaced since it was listed.
    private func openFile(_ walk: TreeWalk, _ entry: TreeWalk.Entry) throws(SystemError) -> Descriptor? {
        do { return try walk.openFile(entry) } catch  where [ENOENT, ELOOP, ENXIO].contains(error.code) { return nil }
    }

    /// nil for what has vanished or was replaced since it was listed.
    private func readLink(_ walk: TreeWalk, _ entry: TreeWalk.Entry) throws(SystemError) -> BytePath? {
        do { return try walk.readLink(entry) } catch  where [ENOENT, EINVAL].contains(error.code) { return nil }
    }
}
