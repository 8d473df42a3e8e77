import Glibc
import SystemSupport

/// Directories opened one inside the other, from a root down to where work goes on.
///
/// Only the innermost ones stay open, so that no depth uses up the descriptors; one that was closed is opened again through `..` of
/// its child, and only if it is still the same directory.
final class DirectoryStack {
    private final class Level {
        var descriptor: Descriptor?
        let device: UInt64
        let inode: UInt64

        init(_ descriptor: consuming Descriptor, _ status: FileStatus) {
            self.descriptor = consume descriptor
            device = status.device
            inode = status.inode
        }
    }

    /// How many stay open.
    private static let window = 32

    private var levels: [Level] = []

    var depth: Int { levels.count }

    /// The innermost directory's raw descriptor.
    var current: Int32 { levels.last?.descriptor?.raw ?? -1 }

    func push(_ directory: consuming Descriptor, subject: @autoclosure () -> String) throws(SystemError) {
        let status = try FileStatus.of(directory.raw, subject: subject())
        levels.append(Level(directory, status))
        if levels.count > Self.window { levels[levels.count - Self.window - 1].descriptor = nil }
    }

    /// - Parameter subject: the outer directory, which becomes the current one.
    func pop(subject: @autoclosure () -> String) throws(SystemError) {
        guard let inner = levels.popLast(), let outer = levels.last, outer.descriptor == nil,
            let raw = inner.descriptor?.raw
        else { return }
        let reopened = try DirectoryIO.open(raw, "..", O_RDONLY | O_DIRECTORY, subject: subject())
        let status = try FileStatus.of(reopened.raw, subject: subject())
        // Somebody moved the inner directory elsewhere meanwhile.
        guard status.device == outer.device, status.inode == outer.inode else {
            throw SystemError("return to directory", subject(), ESTALE)
        }
        outer.descriptor = consume reopened
    }
}
