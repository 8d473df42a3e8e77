import FileTrees
import Glibc
import SystemSupport

/// Saves what a driver wants at a path: a copy of its own, by shared blocks where the file system can, so that nothing that others
/// may write to is read by its name.
struct PathUpload {
    let store: ArtifactStore
    let needs: DriverNeeds.PathNeeds
    let meter: TransferMeter

    func file(_ stretch: FileStretch, _ fileName: BytePath) throws {
        try save(fileName) { folder, name in
            let made = try folder.createFile(name, mode: 0o644)
            let size = try FileStatus.of(stretch.file.descriptor.raw, subject: stretch.file.subject).size
            if stretch.offset == 0, stretch.length == size, FileCopy.share(stretch.file.descriptor.raw, with: made.raw) {
                return
            }
            let subject = folder.subject(name)
            try FileReading.copy(
                stretch.file.descriptor.raw, from: stretch.offset, length: stretch.length,
                into: DescriptorSink(made.raw, subject: subject), subject: stretch.file.subject)
            try made.close(subject)
        }
        meter.add(bytes: stretch.length)
    }

    func stream(_ source: any ByteSource, _ fileName: BytePath) throws {
        try save(fileName) { folder, name in
            let made = try folder.createFile(name, mode: 0o644)
            let subject = folder.subject(name)
            try source.forEachBlock {
                try DescriptorIO.write(made.raw, $0, subject: subject)
                meter.add(bytes: Int64($0.count))
            }
            try made.close(subject)
        }
    }

    /// Symbolic links and named pipes are copied as they are: the driver must know what to do with them.
    func directory(_ root: ContainedDirectory) throws {
        try save(root.path.base) { folder, name in
            let summary = try TreeCopy.copy(root, to: name, in: folder)
            meter.add(bytes: summary.bytes)
        }
    }

    /// - Parameter make: makes the file or the directory under a name in a folder of ours.
    private func save(_ name: BytePath, _ make: (ContainedDirectory, BytePath) throws -> Void) throws {
        let home =
            if let folder = needs.folder {
                try SharedPlace(making: folder, mode: 0o755)
            } else {
                try SharedPlace(store.context.spoolDirectory)
            }
        let workshop = try Workshop(in: home.directory)
        defer { workshop.remove() }
        let name = [".", "..", "/"].contains(name.base) ? "data" : name.base
        try make(workshop.directory, name)
        if needs.isReadByOthers { try open(name, workshop.directory) }
        let path = workshop.directory.path.appending(name)
        try store.retry(.save, meter).run {
            try store.context.budget.withConnection { try store.driver.save(from: path) }
        }
        meter.addObject()
    }

    /// The umask may have closed what was made; of a tree that was copied the modes are the user's own.
    private func open(_ name: BytePath, _ folder: ContainedDirectory) throws {
        if try folder.status(name).kind == .file { try folder.chmod(name, mode: 0o644) }
        try folder.chmod(".", mode: 0o711)
    }
}
