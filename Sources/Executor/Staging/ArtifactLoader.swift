import Archiving
import Artifacts
import FileTrees
import Glibc
import RunDirectory
import SystemSupport
import Tracing
import WorkflowModel

/// Brings one artifact from its store to its place: download, unpack and write at the same time (contract 03 §2).
///
/// Everything is made in a workshop beside the target, and renamed when it is whole; what a failure leaves is removed.
struct ArtifactLoader: Sendable {
    let drivers: DriverContext
    let unpacking: UnpackOptions
    let log: Log

    /// Objects from this size on are fetched over several connections where they are stored as they are, bytes.
    static let parallelFrom: Int64 = 32 << 20

    func load(_ plan: InputPlan) throws {
        try Trace.span("loadArtifact", [.text("path", plan.target.text)]) { try loadUntraced(plan) }
    }

    private func loadUntraced(_ plan: InputPlan) throws {
        let artifact = plan.artifact
        var drivers = drivers
        drivers.log = log.with(["name": .text(artifact.name)])
        drivers.artifact = artifact
        do {
            let store = try drivers.store(for: plan.location, artifactName: artifact.name)
            log.info(
                "loading artifact",
                ["name": .text(artifact.name), "from": .text(store.subject), "path": .path(BytePath(artifact.path))])
            let (parent, name) = try plan.destination.open()
            let workshop = try Workshop(in: parent)
            defer { workshop.remove() }
            do {
                let made = try fetch(artifact, store, in: workshop.directory, isShared: !plan.destination.isReplacing)
                try setModes(of: made, plan, in: workshop.directory)
                // What is no archive takes its place, which is all the unpacking that there is.
                try Self.tracingUnpacking(made == Self.file ? "none" : nil) {
                    try workshop.publish(made, as: name, isReplacing: plan.destination.isReplacing)
                }
            } catch let error as any ClassifiedError where error.isNotFound && artifact.optional {
                // What an earlier run has left there is not this artifact either.
                if plan.destination.isReplacing { try TreeRemoval.remove(name, in: parent) }
                throw error
            }
            log.debug("artifact is in its place", ["artifact": .text(artifact.name), "path": .path(plan.target)])
        } catch let error as any ClassifiedError where error.isNotFound && artifact.optional {
            log.info("optional artifact is not there", ["artifact": .text(artifact.name), "error": .error(error)])
        } catch {
            throw ExecutorError.wrapping("load artifact '\(artifact.name)'", error)
        }
    }

    /// What a plugin has written is for everybody, unless the artifact says otherwise (contract 03 §2 row 10, 05 I10).
    private func setModes(of made: BytePath, _ plan: InputPlan, in directory: ContainedDirectory) throws {
        let recursively = plan.artifact.recurseMode
        if let mode = plan.artifact.mode {
            let mode = UInt32(truncatingIfNeeded: mode & 0o777)
            try TreeModes.apply(mode: mode, to: made, in: directory, recursively: recursively)
        } else if plan.isPlugin {
            try setPluginModes(of: made, in: directory, recursively)
        }
    }

    private func setPluginModes(of made: BytePath, in directory: ContainedDirectory, _ recursively: Bool) throws(SystemError) {
        do {
            try TreeModes.apply(mode: 0o666, to: made, in: directory, recursively: recursively, directoryMode: 0o777)
        } catch {
            // It may run as another user.
            guard error.code == EPERM else { throw error }
            let text = error.message
            log.warn("the plugin's files keep the modes that it gave them", ["error": .text(text)])
        }
    }

    /// Makes the artifact in a directory of ours.
    ///
    /// - Parameter isShared: whether others can write to it meanwhile, so that what was made is for this step alone.
    /// - Returns: its path there.
    private func fetch(
        _ artifact: Artifact, _ store: ArtifactStore, in directory: ContainedDirectory, isShared: Bool
    ) throws -> BytePath {
        switch try store.find() {
        case .tree(let tree):
            try store.download.tree(tree, at: Self.brought, in: directory)
            return try brought(artifact.archive, in: directory)
        case .directory(let found):
            try requireArchive(artifact.archive)
            try Self.tracingUnpacking("none") {
                try directory.makeDirectory(Self.tree, mode: store.driver.loadedModes.directory)
                try store.download.directory(found, into: try directory.subdirectory(Self.tree))
            }
            return Self.tree
        case .object(let object):
            let cache = UnpackedCache(drivers.localStore, object, unpacking, keeps: !isShared)
            switch artifact.archive {
            case .asIs:
                try store.download.file(object, at: Self.file, in: directory)
                return Self.file
            case .zip:
                return try repeating(object, from: store, in: directory) { _ in
                    try store.download.file(object, at: Self.file, in: directory)
                    let file = try directory.openFile(Self.file)
                    return try unpacked("zip", in: directory) { try Unpacker.unpackZip(file.raw, into: $0, options: unpacking) }
                }
            case .tar:
                if let cache, cache.take(to: Self.tree, in: directory) { return Self.tree }
                let made = try stream(object, from: store, in: directory) { source in
                    try unpacked("tar", in: directory) {
                        try Unpacker.unpack(source, as: .tarGzip, into: $0, options: unpacking)
                    }
                }
                cache?.keep(made, in: directory)
                return made
            case .empty, nil:
                if let cache, cache.take(to: Self.tree, in: directory) { return Self.tree }
                return try detect(object, store, in: directory, cache)
            }
        }
    }

    /// What is made in the workshop: an object as it is, and a directory, or what an archive is unpacked into.
    private static let file: BytePath = "file"
    private static let tree: BytePath = "tree"
    /// What a driver has written by itself.
    private static let brought: BytePath = "brought"

    /// Throws where a directory would have to be an archive.
    private func requireArchive(_ archive: ArchiveStrategy?) throws {
        switch archive {
        case .tar, .zip: throw ExecutorError.badRequest("unpack: it is a directory in its store, not an archive")
        case .asIs, .empty, nil: break
        }
    }

    /// What was brought: as it is where it is a directory; a file is unpacked like an object.
    private func brought(_ archive: ArchiveStrategy?, in directory: ContainedDirectory) throws -> BytePath {
        if try directory.status(Self.brought).kind == .directory {
            try requireArchive(archive)
            return Self.brought
        }
        let file = try directory.openFile(Self.brought)
        let source = DescriptorSource(file.raw, subject: directory.subject(Self.brought))
        switch archive {
        case .asIs: return Self.brought
        case .zip: return try unpacked("zip", in: directory) { try Unpacker.unpackZip(file.raw, into: $0, options: unpacking) }
        case .tar:
            return try unpacked("tar", in: directory) {
                try Unpacker.unpack(source, as: .tarGzip, into: $0, options: unpacking)
            }
        case .empty, nil:
            let detected = try ArchiveDetector.detect(source)
            guard detected.isTarGzip else { return Self.brought }
            return try unpacked("tar", in: directory) {
                try Unpacker.unpack(detected.source, as: .tarGzip, into: $0, options: unpacking)
            }
        }
    }

    /// - Parameter archive: `tar`, `zip` or `none`; nil for no span.
    private static func tracingUnpacking<R>(_ archive: String?, _ body: () throws -> R) rethrows -> R {
        guard let archive else { return try body() }
        return try Trace.span("unarchiveArtifact", [.text("archive", archive)], body)
    }

    private func unpacked(
        _ archive: String, in directory: ContainedDirectory, _ unpack: (ContainedDirectory) throws -> Void
    ) throws -> BytePath {
        try Self.tracingUnpacking(archive) {
            try directory.makeDirectory(Self.tree, mode: 0o777)
            try unpack(try directory.subdirectory(Self.tree))
            return try SingleEntryRule.artifact(Self.tree, in: directory)
        }
    }

    /// Without an archive strategy the first bytes tell: a gzipped tar is unpacked, everything else is kept as it is.
    private func detect(
        _ object: any StoredObject, _ store: ArtifactStore, in directory: ContainedDirectory, _ cache: UnpackedCache?
    ) throws -> BytePath {
        let made = try stream(object, from: store, in: directory) { source -> BytePath? in
            let detected = try ArchiveDetector.detect(source)
            if detected.isTarGzip {
                return try unpacked("tar", in: directory) {
                    try Unpacker.unpack(detected.source, as: .tarGzip, into: $0, options: unpacking)
                }
            }
            // An object of the local store has an identity, and need perhaps not be read at all.
            let isLarge = object.head.supportsRanges && object.head.length ?? 0 >= Self.parallelFrom
            if isLarge || object.identity != nil { return nil }
            let file = try directory.createFile(Self.file, mode: store.driver.loadedModes.file)
            let subject = directory.subject(Self.file)
            try detected.source.copy(to: DescriptorSink(file.raw, subject: subject))
            try file.close(subject)
            return Self.file
        }
        guard let made else {
            try store.download.file(object, at: Self.file, in: directory)
            return Self.file
        }
        if made != Self.file { cache?.keep(made, in: directory) }
        return made
    }

    /// Downloads on a thread of its own while `body` reads what has come; once or twice again where that was damaged.
    ///
    /// What `body` leaves unread is not fetched; what it read to the end has been checked by length and checksum.
    ///
    /// - Parameter directory: where `body` makes something, which is removed before a repetition.
    @discardableResult
    private func stream<R>(
        _ object: any StoredObject, from store: ArtifactStore, in directory: ContainedDirectory,
        _ body: (any ByteSource) throws -> R
    ) throws -> R {
        try repeating(object, from: store, in: directory) { evidence in
            try BytePipe.run(
                writing: { sink in try store.download.stream(object, into: sink, evidence: evidence) }, reading: body)
        }
    }

    /// Loads and unpacks; once or twice again where what came was damaged, or looks so to the archive's reader.
    private func repeating<R>(
        _ object: any StoredObject, from store: ArtifactStore, in directory: ContainedDirectory,
        _ load: (TransferEvidence) throws -> R
    ) throws -> R {
        var isRepetition = false
        return try store.repeatingDamage { evidence in
            if isRepetition { for path in [Self.file, Self.tree] { try TreeRemoval.remove(path, in: directory) } }
            isRepetition = true
            do { return try load(evidence) } catch let error as ArchiveError
                where error.isOfBrokenBytes && object.identity == nil && evidence.maySuspect()
            {
                // No checksum may have told: perhaps the archive is broken, perhaps the transfer was.
                throw ArtifactError.damaged("load", object.subject, error.message)
            }
        }
    }
}
