import Archiving
import Artifacts
import ExecutorCore
import FileTrees
import Glibc
import RunDirectory

/// An archive of the local store as it was unpacked once, for the next step that loads it: the trees share their blocks, so that
/// nothing is copied, and no step sees what another one writes.
///
/// Only on file systems that share blocks; and nothing depends on it: where anything fails the archive is unpacked again.
struct UnpackedCache {
    private let folder: BytePath
    private let entry: BytePath
    private let object: any StoredObject

    /// Nil where there is no such cache for this object.
    init?(_ store: LocalStore?, _ object: any StoredObject, _ options: UnpackOptions) {
        guard let folder = store?.cache, let identity = object.identity else { return nil }
        self.folder = folder
        self.object = object
        entry = folder.appending(BytePath(options.isFaithful ? identity + "-faithful" : identity))
    }

    /// Puts the unpacked archive to its place.
    ///
    /// - Returns: whether it was there.
    func take(to target: BytePath) -> Bool {
        guard AtomicFile.exists(entry) else { return false }
        let aside = target.suffixed(".tmpdir")
        do {
            try TreeCopy.copy(entry, to: aside)
            try AtomicFile.rename(aside, to: target)
            return true
        } catch {
            try? TreeRemoval.remove(aside)
            return false
        }
    }

    /// Keeps what was unpacked to a place.
    func keep(_ target: BytePath) {
        if AtomicFile.exists(entry) || !sharesBlocks { return }
        let aside = folder.appending(BytePath(".\(UInt64.random(in: 0...UInt64.max)).tmp"))
        do {
            try TreeCopy.copy(target, to: aside)
            try AtomicFile.rename(aside, to: entry)
        } catch { try? TreeRemoval.remove(aside) }
    }

    /// Whether the file system can: tried with the object itself.
    private var sharesBlocks: Bool {
        let path = folder.appending(BytePath(".\(UInt64.random(in: 0...UInt64.max)).probe"))
        guard let file = try? Descriptor.open(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600) else { return false }
        defer { try? DirectoryIO.unlink(AT_FDCWD, path, subject: path.text) }
        return (try? object.share(with: file.raw)) ?? false
    }
}
