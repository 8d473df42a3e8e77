import Archiving
import FileTrees
import Glibc
import ProcessControl
import Synchronization
package import SystemSupport

/// Unpacked images, kept by their digests: `./.argoexec/cache/images`.
package struct ImageStore: Sendable {
    private let folder: BytePath
    private let log: Log

    private static let asidePrefix = "unpacking-"

    /// Removes what was half unpacked when its process was killed.
    package static func sweep(_ folder: BytePath) { HeldFolder.sweep(folder, prefix: asidePrefix) }

    /// Two pods that want the same image at once do not unpack it twice.
    private static let unpacking = Mutex(())

    init(_ folder: BytePath, log: Log) {
        self.folder = folder
        self.log = log
    }

    /// The root file system of an image, not to be written to: the given folder itself, or the layout's unpacked.
    func root(of image: GivenImage) throws -> BytePath {
        switch image.form {
        case .folder(let path): return try ProcessAttributes.realPath(of: path)
        case .layout(let image):
            let place = folder.appending(BytePath(image.name))
            try Self.unpacking.withLock { _ in
                if (try? FileStatus.of(place, followingLinks: false)) == nil { try unpack(image, to: place) }
            }
            return try ProcessAttributes.realPath(of: place)
        }
    }

    /// Makes a copy for one container at a place where nothing is.
    func copy(_ image: GivenImage, to target: BytePath) throws {
        let source = try root(of: image)
        do { try TreeCopy.copy(source, to: target) } catch {
            throw ExecutorError.wrapping("copy the image \(source) for a container", error)
        }
    }

    /// Makes everything in a copy our own.
    static func takeOver(_ root: BytePath) throws(SystemError) {
        let (user, group) = (geteuid(), getegid())
        let walk = try TreeWalk(try Descriptor.open(root, O_RDONLY | O_DIRECTORY), path: root)
        while let entry = try walk.next() {
            if entry.status.userID == user, entry.status.groupID == group { continue }
            try DirectoryIO.chown(walk.parent, entry.name, user: user, group: group, subject: walk.subject(entry))
            // A change of owner clears setuid bits.
            if entry.status.kind != .symlink {
                try DirectoryIO.chmod(
                    walk.parent, entry.name, mode: entry.status.permissions, subject: walk.subject(entry))
            }
        }
        try DirectoryIO.chown(AT_FDCWD, root, user: user, group: group, subject: root.text)
    }

    /// Unpacks aside, so that what stands under the digest is whole.
    private func unpack(_ image: OCIImage, to place: BytePath) throws {
        // There may be programs with setuid bits in an image, which other users must not be able to run.
        try DirectoryIO.makeDirectories(folder, mode: 0o700)
        let aside = try HeldFolder(in: folder, prefix: Self.asidePrefix)
        do {
            try DirectoryIO.chmod(AT_FDCWD, aside.path, mode: 0o755, subject: aside.path.text)
            for layer in image.layers { try ImageLayer.apply(layer, to: aside.path, log: log) }
            try DirectoryIO.rename(AT_FDCWD, aside.path, to: place, in: AT_FDCWD, subject: place.text)
        } catch {
            try? aside.remove()
            // Another run may have been faster.
            if (try? FileStatus.of(place, followingLinks: false)) == nil { throw error }
        }
    }
}
