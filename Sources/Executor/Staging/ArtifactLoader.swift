import Archiving
import Artifacts
import ExecutorCore
import FileTrees
import Glibc
import RunDirectory
import WorkflowModel

/// Brings one artifact from its store to its place: download, unpack and write at the same time (contract 03 §2).
///
/// Everything is first made beside the target (`.tmp`, `.tmpdir`) and renamed when it is whole; what a failure leaves is removed.
struct ArtifactLoader: Sendable {
    let drivers: DriverContext
    let unpacking: UnpackOptions
    let log: Log

    /// Objects from this size on are fetched over several connections where they are stored as they are, bytes.
    static let parallelFrom: Int64 = 32 << 20

    func load(_ plan: InputPlan) throws {
        let artifact = plan.artifact
        do {
            let driver = try ArtifactDrivers.driver(for: plan.location, artifactName: artifact.name, context: drivers)
            let store = ArtifactStore(driver: driver, context: drivers)
            let aside = plan.target.suffixed(".tmp")
            let asideDirectory = plan.target.suffixed(".tmpdir")
            // Left behind by an attempt that was killed.
            try TreeRemoval.remove(aside)
            try TreeRemoval.remove(asideDirectory)
            if plan.coversTarget { try TreeRemoval.remove(plan.target) }
            try DirectoryIO.makeDirectories(plan.target.directory, mode: 0o700)
            do {
                try fetch(artifact, store, target: plan.target, aside: aside, asideDirectory: asideDirectory)
            } catch {
                try? TreeRemoval.remove(aside)
                try? TreeRemoval.remove(asideDirectory)
                throw error
            }
            if let mode = artifact.mode {
                try TreeModes.apply(
                    mode: UInt32(truncatingIfNeeded: mode & 0o777), to: plan.target, recursively: artifact.recurseMode)
            }
            log.info("artifact loaded", ["artifact": .text(artifact.name), "path": .path(plan.target)])
        } catch let error as any ClassifiedError where error.isNotFound && artifact.optional {
            log.info("optional artifact is not there", ["artifact": .text(artifact.name), "error": .error(error)])
        } catch {
            throw ExecutorError.wrapping("load artifact '\(artifact.name)'", error)
        }
    }

    private func fetch(
        _ artifact: Artifact, _ store: ArtifactStore, target: BytePath, aside: BytePath, asideDirectory: BytePath
    ) throws {
        switch try store.find() {
        case .directory(let directory):
            switch artifact.archive {
            case .tar, .zip: throw ExecutorError.badRequest("unpack: it is a directory in its store, not an archive")
            case .asIs, .empty, nil: break
            }
            try DirectoryIO.makeDirectories(aside, mode: store.driver.loadedModes.directory)
            try store.download.directory(directory, into: ContainedDirectory(aside))
            try AtomicFile.rename(aside, to: target)
        case .object(let object):
            switch artifact.archive {
            case .asIs:
                try store.download.file(object, at: aside)
                try AtomicFile.rename(aside, to: target)
            case .zip:
                try repeating(object, from: store, dropping: [asideDirectory]) { _ in
                    try store.download.file(object, at: aside)
                    try Unpacker.unpackZip(file: aside, into: asideDirectory, options: unpacking)
                }
                try SingleEntryRule.settle(asideDirectory, as: target)
                try TreeRemoval.remove(aside)
            case .tar, .empty, nil:
                if let cache = UnpackedCache(drivers.localStore, object, unpacking), cache.take(to: target) { return }
            }
            switch artifact.archive {
            case .asIs, .zip: break
            case .tar:
                try stream(object, from: store, dropping: [asideDirectory]) { source in
                    try Unpacker.unpack(source, as: .tarGzip, into: asideDirectory, options: unpacking)
                }
                try SingleEntryRule.settle(asideDirectory, as: target)
                UnpackedCache(drivers.localStore, object, unpacking)?.keep(target)
            case .empty, nil:
                try detect(object, store, target: target, aside: aside, asideDirectory: asideDirectory)
            }
        }
    }

    /// Without an archive strategy the first bytes tell: a gzipped tar is unpacked, everything else is kept as it is.
    private func detect(
        _ object: any StoredObject, _ store: ArtifactStore, target: BytePath, aside: BytePath, asideDirectory: BytePath
    ) throws {
        enum Finding { case unpacked, stored, fetchInParts }
        let finding = try stream(object, from: store, dropping: [aside, asideDirectory]) { source -> Finding in
            let detected = try ArchiveDetector.detect(source)
            if detected.isTarGzip {
                try Unpacker.unpack(detected.source, as: .tarGzip, into: asideDirectory, options: unpacking)
                return .unpacked
            }
            // An object of the local store has an identity, and need perhaps not be read at all.
            let isLarge = object.head.supportsRanges && object.head.length ?? 0 >= Self.parallelFrom
            if isLarge || object.identity != nil { return .fetchInParts }
            let file = try Descriptor.open(aside, O_WRONLY | O_CREAT | O_TRUNC, mode: store.driver.loadedModes.file)
            try copy(detected.source, to: DescriptorSink(file.raw, subject: aside.text))
            try file.close(aside.text)
            return .stored
        }
        switch finding {
        case .unpacked:
            try SingleEntryRule.settle(asideDirectory, as: target)
            UnpackedCache(drivers.localStore, object, unpacking)?.keep(target)
            return
        case .fetchInParts: try store.download.file(object, at: aside)
        case .stored: break
        }
        try AtomicFile.rename(aside, to: target)
    }

    /// Downloads on a thread of its own while `body` reads what has come; once or twice again where that was damaged.
    ///
    /// What `body` leaves unread is not fetched; what it read to the end has been checked by length and checksum.
    ///
    /// - Parameter leftovers: what `body` makes: it is removed before a repetition.
    @discardableResult
    private func stream<R>(
        _ object: any StoredObject, from store: ArtifactStore, dropping leftovers: [BytePath],
        _ body: (any ByteSource) throws -> R
    ) throws -> R {
        try repeating(object, from: store, dropping: leftovers) { evidence in
            try BytePipe.run(
                writing: { sink in try store.download.stream(object, into: sink, evidence: evidence) }, reading: body)
        }
    }

    /// Loads and unpacks; once or twice again where what came was damaged, or looks so to the archive's reader.
    private func repeating<R>(
        _ object: any StoredObject, from store: ArtifactStore, dropping leftovers: [BytePath],
        _ load: (TransferEvidence) throws -> R
    ) throws -> R {
        var isRepetition = false
        return try store.repeatingDamage { evidence in
            if isRepetition { for path in leftovers { try TreeRemoval.remove(path) } }
            isRepetition = true
            do { return try load(evidence) } catch let error as ArchiveError
                where error.isOfBrokenBytes && object.identity == nil && evidence.maySuspect()
            {
                // No checksum may have told: perhaps the archive is broken, perhaps the transfer was.
                throw ArtifactError.damaged("load", object.subject, error.message)
            }
        }
    }

    private func copy(_ source: any ByteSource, to sink: any ByteSink) throws {
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            var span = buffer.mutableSpan
            let count = try source.read(into: &span)
            if count == 0 { return }
            try sink.write(buffer.span.extracting(first: count))
        }
    }

}
