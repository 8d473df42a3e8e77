import FileTrees
import Glibc
package import SystemSupport

/// Saves files, streams and directories. Nothing half can be seen at the store: large objects come to be when they are complete.
package struct ArtifactUpload: Sendable {
    let store: ArtifactStore

    /// Saves a regular file as the artifact.
    ///
    /// - Parameter fileName: the local file's own name, from which stores take the content type.
    @discardableResult
    package func file(_ file: OpenFile, fileName: BytePath) throws -> TransferRecord {
        let meter = TransferMeter()
        let length = try FileStatus.of(file.descriptor.raw, subject: file.subject).size
        try store.watched(.saving, store.subject, meter, total: length) {
            try prepare()
            let stretch = FileStretch(file, offset: 0, length: length)
            if let paths = paths(meter) { return try paths.file(stretch, fileName) }
            try send(stretch, at: nil, fileName: fileName, meter)
        }
        return meter.record
    }

    /// Saves the regular file at a path of ours as the artifact.
    @discardableResult
    package func file(at path: BytePath) throws -> TransferRecord {
        let descriptor = try Descriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        let kind = try FileStatus.of(descriptor.raw, subject: path.text).kind
        guard kind == .file else { throw ArtifactError.invalid("save", path.text, "it is a \(kind.word), not a file") }
        return try file(OpenFile(descriptor, subject: path.text), fileName: path.base)
    }

    /// Saves a stream of unknown length, which can be read once, as the artifact.
    ///
    /// - Throws: errors of the source as they are; then nothing is stored.
    @discardableResult
    package func stream(_ source: any ByteSource, fileName: BytePath) throws -> TransferRecord {
        let meter = TransferMeter()
        try store.watched(.saving, store.subject, meter, total: nil) {
            try prepare()
            if let paths = paths(meter) { return try paths.stream(source, fileName) }
            try stream(source, fileName, meter)
        }
        return meter.record
    }

    /// Saves every regular file below a directory as an object of its own: symbolic links are left out, empty directories are
    /// lost (contract 03 §6.1), other kinds are left out with a warning.
    ///
    /// - Parameter root: an open directory; its path is for messages.
    /// - Throws: what cannot be read is an error by name (contract 03 §6).
    @discardableResult
    package func directory(_ root: consuming Descriptor, path: BytePath) throws -> TransferRecord {
        if store.driver.needs.singleFile {
            throw ArtifactError.unsupported(
                "save \(path) to \(store.subject): a directory cannot be saved there file by file; archive it (tar or zip)")
        }
        let meter = TransferMeter()
        if let paths = paths(meter) {
            let root = ContainedDirectory(owning: root, path: path)
            try store.watched(.saving, store.subject, meter, total: nil) {
                try prepare()
                try paths.directory(root)
            }
            return meter.record
        }
        let walk = try TreeWalk(root, path: path)
        try store.watched(.saving, store.subject, meter, total: nil) {
            try prepare()
            try DirectoryUpload(upload: self, meter: meter).run(walk)
        }
        return meter.record
    }

    /// As above, for a directory's path of ours.
    @discardableResult
    package func directory(at path: BytePath) throws -> TransferRecord {
        try directory(try Descriptor.open(path, O_RDONLY | O_DIRECTORY), path: path)
    }

    /// nil where the driver takes bytes.
    private func paths(_ meter: TransferMeter) -> PathUpload? {
        store.driver.needs.path.map { PathUpload(store: store, needs: $0, meter: meter) }
    }

    private func prepare() throws {
        try store.retry(.save).run { try store.context.budget.withConnection { try store.driver.prepareSave() } }
    }

    // MARK: One object

    /// Sends a stretch of a file by one request or in parts.
    ///
    /// - Parameter isAlone: whether no other objects of the artifact are on their way.
    func send(
        _ stretch: FileStretch, at relative: BytePath?, fileName: BytePath, _ meter: TransferMeter, isAlone: Bool = true
    ) throws {
        let wanted = store.context.uploads.partSize.flatMap { $0 <= stretch.length ? $0 : nil }
        if stretch.length > wanted ?? PartPlan.defaultSize,
            let target = try store.driver.multipart(at: relative, fileName: fileName)
        {
            guard let plan = PartPlan(length: stretch.length, wanted: wanted, limits: target.limits) else {
                throw ArtifactError.invalid("save", store.subject, "\(stretch.length) bytes are more than the store takes")
            }
            do {
                return try MultipartUploader(store: store, target: target, meter: meter)
                    .send(stretch, plan, mayWiden: isAlone)
            } catch let error as MultipartUnsupported {
                if stretch.length > MultipartUnsupported.singleRequestLimit { throw error.refusal }
            }
        }
        try put(.file(stretch), at: relative, fileName: fileName, meter)
    }

    private func put(_ body: ObjectBody, at relative: BytePath?, fileName: BytePath, _ meter: TransferMeter) throws {
        let content = ObjectContent(body, fileName: fileName)
        try store.retry(.save, meter).run {
            try store.context.budget.withConnection(for: body.length) {
                try meter.timed { try store.driver.put(content, at: relative) }
            }
        }
        meter.add(bytes: body.length ?? 0)
        meter.addObject()
    }

    private func stream(_ source: any ByteSource, _ fileName: BytePath, _ meter: TransferMeter) throws {
        if let target = try store.driver.multipart(at: nil, fileName: fileName) {
            let limits = target.limits
            let wanted = store.context.uploads.partSize
            let filler = SpooledPart.Filler(source, context: store.context)
            let part: (Int) throws -> SpooledPart? = { number in
                guard let size = PartPlan.streamedPartSize(number: number, wanted: wanted, limits: limits) else {
                    guard try filler.hasMore() else { return nil }
                    throw ArtifactError.invalid("save", store.subject, "the stream is longer than the store takes")
                }
                return try filler.next(size)
            }
            guard let first = try part(1) else { return try put(.bytes([]), at: nil, fileName: fileName, meter) }
            guard try filler.hasMore() else {
                defer { first.release() }
                return try put(first.body, at: nil, fileName: fileName, meter)
            }
            do {
                return try MultipartUploader(store: store, target: target, meter: meter).send(first: first, next: part)
            } catch let error as MultipartUnsupported {
                return try whole(from: first, next: part, fileName, meter, error.refusal)
            }
        }
        if !store.driver.needs.length {
            let counted = CountingSource(source, meter)
            try store.driver.put(ObjectContent(.stream(counted), fileName: fileName), at: nil)
            return meter.addObject()
        }
        let file = try SpoolFile.make(in: store.context.spoolDirectory)
        let length = try spool(source, into: file)
        try send(FileStretch(file, offset: 0, length: length), at: nil, fileName: fileName, meter)
    }

    /// Sends a stream of which a part was read already by one request.
    private func whole(
        from first: SpooledPart, next: (Int) throws -> SpooledPart?, _ fileName: BytePath, _ meter: TransferMeter,
        _ refusal: ArtifactError
    ) throws {
        let file = try SpoolFile.make(in: store.context.spoolDirectory)
        var length: Int64 = 0
        var number = 1
        var part: SpooledPart? = first
        while let ready = part {
            defer { ready.release() }
            length += ready.length
            if length > MultipartUnsupported.singleRequestLimit { throw refusal }
            try ready.body.forEachBlock { try DescriptorIO.write(file.descriptor.raw, $0, subject: file.subject) }
            ready.release()
            number += 1
            part = try next(number)
        }
        try put(.file(FileStretch(file, offset: 0, length: length)), at: nil, fileName: fileName, meter)
    }

    private func spool(_ source: any ByteSource, into file: OpenFile) throws -> Int64 {
        var length: Int64 = 0
        try source.forEachBlock {
            try DescriptorIO.write(file.descriptor.raw, $0, subject: file.subject)
            length += Int64($0.count)
        }
        return length
    }
}

/// Counts the bytes of a stream as they are read.
private final class CountingSource: ByteSource {
    private let source: any ByteSource
    private let meter: TransferMeter

    init(_ source: any ByteSource, _ meter: TransferMeter) {
        self.source = source
        self.meter = meter
    }

    func read(into buffer: inout MutableSpan<UInt8>) throws -> Int {
        let count = try source.read(into: &buffer)
        meter.add(bytes: Int64(count))
        return count
    }
}
