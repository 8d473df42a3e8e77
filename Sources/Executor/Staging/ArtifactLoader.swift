import Archiving
import Artifacts
import ExecutorCore
import FileTrees
import Glibc
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
            let driver = try ArtifactDrivers.driver(for: plan.location, artifact: artifact.name, context: drivers)
            let aside = plan.target.suffixed(".tmp")
            let asideDirectory = plan.target.suffixed(".tmpdir")
            // Left behind by an attempt that was killed.
            try TreeRemoval.remove(aside)
            try TreeRemoval.remove(asideDirectory)
            try makeDirectories(plan.target.directory, mode: 0o700)
            do {
                try fetch(artifact, driver, target: plan.target, aside: aside, asideDirectory: asideDirectory)
            } catch {
                try? TreeRemoval.remove(aside)
                try? TreeRemoval.remove(asideDirectory)
                throw error
            }
            if let mode = artifact.mode {
                try TreeModes.apply(mode: mode_t(mode & 0o777), to: plan.target, recursively: artifact.recurseMode)
            }
            log.info("artifact loaded", ["artifact": .text(artifact.name), "path": .path(plan.target)])
        } catch let error as any ClassifiedError where error.isNotFound && artifact.optional {
            log.info("optional artifact is not there", ["artifact": .text(artifact.name), "error": .error(error)])
        } catch {
            throw ExecutorError.wrapping("load artifact '\(artifact.name)'", error)
        }
    }

    private func fetch(
        _ artifact: Artifact, _ driver: any ArtifactDriver, target: BytePath, aside: BytePath, asideDirectory: BytePath
    ) throws {
        switch try ArtifactDownload.find(driver, drivers) {
        case .directory(let directory):
            switch artifact.archive {
            case .tar, .zip: throw ExecutorError.badRequest("unpack: it is a directory in its store, not an archive")
            case .some(.none), .empty, nil: break
            }
            try ArtifactDownload.directory(directory, into: aside, drivers)
            try rename(aside, target)
        case .object(let object):
            switch artifact.archive {
            case .some(.none):
                try ArtifactDownload.file(object, to: aside, drivers)
                try rename(aside, target)
            case .zip:
                try ArtifactDownload.file(object, to: aside, drivers)
                report(try Unpacker.unpackZip(file: aside, into: asideDirectory, options: unpacking), artifact)
                try SingleEntryRule.settle(asideDirectory, target: target)
                try TreeRemoval.remove(aside)
            case .tar:
                try stream(object) { source in
                    report(try Unpacker.unpack(source, into: asideDirectory, options: unpacking), artifact)
                }
                try SingleEntryRule.settle(asideDirectory, target: target)
            case .empty, nil:
                try detect(artifact, object, target: target, aside: aside, asideDirectory: asideDirectory)
            }
        }
    }

    /// Without an archive strategy the first bytes tell: a gzipped tar is unpacked, everything else is kept as it is.
    private func detect(
        _ artifact: Artifact, _ object: any StoredObject, target: BytePath, aside: BytePath, asideDirectory: BytePath
    ) throws {
        enum Finding { case unpacked, stored, fetchInParts }
        let finding = try stream(object) { source -> Finding in
            let detected = try ArchiveDetector.detect(source)
            if detected.isTarGzip {
                report(try Unpacker.unpack(detected.source, into: asideDirectory, options: unpacking), artifact)
                return .unpacked
            }
            if let length = object.length, length >= Self.parallelFrom, object.supportsRanges { return .fetchInParts }
            let file = try Descriptor.open(aside, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
            try copy(detected.source, to: DescriptorSink(file.raw, subject: aside.text))
            try file.close(aside.text)
            return .stored
        }
        switch finding {
        case .unpacked: return try SingleEntryRule.settle(asideDirectory, target: target)
        case .fetchInParts: try ArtifactDownload.file(object, to: aside, drivers)
        case .stored: break
        }
        try rename(aside, target)
    }

    /// Downloads on a thread of its own while `body` reads what has come.
    ///
    /// What `body` leaves unread is not fetched; what it read to the end has been checked by length and checksum.
    private func stream<R>(_ object: any StoredObject, _ body: (any ByteSource) throws -> R) throws -> R {
        let pipe = BytePipe()
        let drivers = self.drivers
        let download = try WorkerThread {
            do {
                try ArtifactDownload.stream(object, into: pipe, drivers)
                pipe.finish()
            } catch {
                pipe.fail(error)
            }
        }
        defer {
            pipe.abandon()
            download.join()
        }
        return try body(pipe)
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

    private func report(_ summary: UnpackSummary, _ artifact: Artifact) {
        if let dropped = summary.droppedDescription {
            log.warn("unpacking left something out", ["artifact": .text(artifact.name), "dropped": .text(dropped)])
        }
    }
}
