import Archiving
import Artifacts
import FileTrees
import SystemSupport

/// An archive of the local store as it was unpacked once, for the next step that loads it: the trees share their blocks, so that
/// nothing is copied, and no step sees what another one writes.
///
/// Only on file systems that share blocks; and nothing depends on it: where anything fails the archive is unpacked again.
struct UnpackedCache {
    private let place: SharedPlace
    private let entry: BytePath
    private let object: any StoredObject
    private let keeps: Bool

    /// Nil where there is no such cache for this object.
    ///
    /// - Parameter keeps: whether to add what is unpacked: not where others could change it meanwhile.
    init?(_ store: LocalStore?, _ object: any StoredObject, _ options: UnpackOptions, keeps: Bool) {
        guard let folder = store?.cache, let identity = object.identity, let place = try? SharedPlace(folder) else {
            return nil
        }
        self.place = place
        self.object = object
        self.keeps = keeps
        entry = BytePath(options.isFaithful ? identity + "-faithful" : identity)
    }

    /// Puts the unpacked archive under a name in a directory of ours.
    ///
    /// - Returns: whether it was there.
    func take(to name: BytePath, in directory: ContainedDirectory) -> Bool {
        guard place.exists(entry) else { return false }
        do {
            try TreeCopy.copy(entry, in: place.directory, to: name, in: directory)
            return true
        } catch {
            try? TreeRemoval.remove(name, in: directory)
            return false
        }
    }

    /// Keeps what was unpacked, where that is allowed.
    func keep(_ path: BytePath, in directory: ContainedDirectory) {
        guard keeps, !place.exists(entry), let workshop = try? place.workshop(for: entry) else { return }
        defer { workshop.remove() }
        guard sharesBlocks(workshop.directory) else { return }
        do {
            try TreeCopy.copy(path, in: directory, to: "tree", in: workshop.directory)
            try workshop.publish("tree", as: entry, isReplacing: false)
        } catch {
            // Somebody else was faster, or the archive is unpacked again.
        }
    }

    /// Whether the file system can: tried with the object itself.
    private func sharesBlocks(_ directory: ContainedDirectory) -> Bool {
        guard let file = try? directory.createFile("probe", mode: 0o600) else { return false }
        return (try? object.share(with: file.raw)) ?? false
    }
}
