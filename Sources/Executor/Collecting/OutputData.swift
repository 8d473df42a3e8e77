import Archiving
import Artifacts
import FileTrees
import RunDirectory
import SystemSupport
import WorkflowModel

/// The data of an output artifact, in the form in which it is stored (contract 03 §3.2).
enum OutputData: Sendable {
    /// One file, stored as it is.
    case file(OpenFile)
    /// A tree, each of its files stored by itself.
    case directory(BytePath, in: ContainedDirectory)
    /// An archive, made while it is stored.
    case archive(write: @Sendable (any ByteSink) throws -> Void)
}

/// Finds the data of output artifacts: what the emissary has handed over, or the user's volumes as they are mounted here.
struct OutputDataFinder: Sendable {
    let paths: ExecutorPaths
    let directory: RunDirectory
    let log: Log

    /// - Parameter path: cleaned.
    /// - Throws: an error with `isNotFound` where the step has left nothing there.
    func data(of artifact: Artifact, path: BytePath, origin: OutputOrigin) throws -> OutputData {
        do {
            switch origin {
            case .baseImage where paths.mirrorsEverything:
                // As the emissary would have handed it over.
                return try mirrored(artifact, artifact.archive == .empty ? .asIs : artifact.archive, path.belowRoot)
            case .baseImage: return try handedOver(artifact)
            case .mirror: return try mirrored(artifact, artifact.archive, path.belowRoot)
            }
        } catch let error as SystemError where error.isMissingFile {
            throw ExecutorError.notFound("find \(paths.shown(path)): \(error.cause)")
        }
    }

    /// The emissary has packed already: see `ArtifactHandOver`. Where the user's code can write too, no link is followed.
    private func handedOver(_ artifact: Artifact) throws -> OutputData {
        let handOver = directory.artifactHandOver(name: artifact.name)
        let path =
            switch artifact.archive {
            case nil, .tar: handOver.tarball
            case .zip: handOver.zip
            case .asIs, .empty: handOver.plain
            }
        return try plain(directory.relative(path), in: try directory.place().directory)
    }

    /// Absolute links in the user's volumes lead to where they lead in the user's container.
    private func mirrored(_ artifact: Artifact, _ archive: ArchiveStrategy?, _ path: BytePath) throws -> OutputData {
        let root = try paths.mirrorPlace().directory
        let options = PackOptions(log: log.with(["artifact": .text(artifact.name)]))
        let level: Int
        switch archive {
        case .asIs: return try plain(path, in: root)
        case .zip:
            _ = try root.status(path, followingLinks: true)
            return .archive { sink in try Zip.pack(path, in: root, named: path.base, into: sink, options: options) }
        case .tar(let chosen): level = chosen ?? -1
        case .empty: level = 0
        case nil: level = -1
        }
        _ = try root.status(path, followingLinks: true)
        return .archive { sink in
            try TarGzip.pack(path, in: root, named: path.base, level: level, into: sink, options: options)
        }
    }

    private func plain(_ path: BytePath, in root: ContainedDirectory) throws -> OutputData {
        let status = try root.status(path, followingLinks: true)
        switch status.kind {
        case .directory: return .directory(path, in: root)
        case .file:
            return .file(OpenFile(try root.openFile(path), subject: root.subject(path)))
        default: throw ExecutorError.badRequest("\(path) is a \(status.kind.word), neither a file nor a directory")
        }
    }
}

extension BytePath {
    /// The path without its leading slashes.
    var belowRoot: BytePath { BytePath(bytes: bytes.drop { $0 == UInt8(ascii: "/") }) }
}
