import CLinuxShims
import Glibc
import SystemSupport

/// Resolves a path component by component without openat2, to the same effect: each step is an openat with O_NOFOLLOW, links are
/// read and put in the path's place, and `..` goes back to a descriptor that was passed on the way down.
struct ComponentWalk {
    let root: Int32
    let resolution: ContainedDirectory.Resolution
    let subject: String

    /// As many as the kernel follows.
    private static let linkLimit = 40

    func open(_ path: [BytePath], _ flags: Int32, _ mode: UInt32) throws(SystemError) -> Descriptor {
        var pending = Array(path.reversed())
        var passed: [OpenDirectory] = []
        var links = 0
        while true {
            let parent = passed.last?.descriptor.raw ?? root
            guard let component = pending.popLast() else {
                return try DirectoryIO.open(parent, ".", flags & ~(O_CREAT | O_EXCL), subject: subject)
            }
            if component == ".." {
                let isOutside = passed.popLast() == nil && resolution != .inRoot
                if isOutside || resolution == .noSymlinks { throw SystemError("open", subject, EXDEV) }
                continue
            }
            let isLast = pending.isEmpty
            if isLast, flags & O_NOFOLLOW != 0 || flags & O_EXCL != 0 {
                return try DirectoryIO.open(parent, component, flags, mode: mode, subject: subject)
            }
            if let target = try link(parent, component) {
                links += 1
                guard resolution != .noSymlinks, links <= Self.linkLimit else { throw SystemError("open", subject, ELOOP) }
                if target.isAbsolute {
                    if resolution == .beneath { throw SystemError("open", subject, EXDEV) }
                    passed.removeAll()
                }
                pending += target.components.reversed()
                continue
            }
            if isLast { return try DirectoryIO.open(parent, component, flags, mode: mode, subject: subject) }
            passed.append(
                OpenDirectory(
                    try DirectoryIO.open(parent, component, linux_o_path() | O_DIRECTORY, subject: subject)))
        }
    }

    /// The target when the name is a symbolic link; nil when it is anything else or nothing.
    private func link(_ parent: Int32, _ name: BytePath) throws(SystemError) -> BytePath? {
        do {
            return try DirectoryIO.readLink(parent, name, subject: subject)
        } catch  where error.code == EINVAL || error.code == ENOENT {
            return nil
        }
    }

    private final class OpenDirectory {
        let descriptor: Descriptor
        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }
}
