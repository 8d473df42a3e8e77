import CLinuxShims
import Glibc
package import SystemSupport

/// Calls on one name in an open directory, whose raw descriptor the caller owns.
///
/// None follows a symbolic link that stands under the name itself, unless it says so. Where the name is a path, its inner
/// components are resolved by the kernel without restriction: paths from outside belong to `ContainedDirectory`.
package enum DirectoryIO {
    package static func open(
        _ directory: Int32, _ name: BytePath, _ flags: Int32, mode: UInt32 = 0o666, subject: @autoclosure () -> String
    ) throws(SystemError) -> Descriptor {
        let raw = try unsafe name.withCString { (name) throws(SystemError) in
            try checked("open", subject()) { unsafe openat(directory, name, flags | O_NOFOLLOW | O_CLOEXEC, mode) }
        }
        return Descriptor(owning: raw)
    }

    package static func status(
        _ directory: Int32, _ name: BytePath, followingLinks: Bool = false, subject: @autoclosure () -> String
    ) throws(SystemError) -> FileStatus {
        var status = stat()
        try unsafe name.withCString { (name) throws(SystemError) in
            _ = try checked("stat", subject()) {
                unsafe fstatat(directory, name, &status, followingLinks ? 0 : AT_SYMLINK_NOFOLLOW)
            }
        }
        return FileStatus(status)
    }

    package static func makeDirectory(
        _ directory: Int32, _ name: BytePath, mode: UInt32, subject: @autoclosure () -> String
    ) throws(SystemError) {
        try unsafe name.withCString { (name) throws(SystemError) in
            _ = try checked("create directory", subject()) { unsafe mkdirat(directory, name, mode) }
        }
    }

    package static func makeSymlink(
        _ directory: Int32, _ name: BytePath, to target: BytePath, subject: @autoclosure () -> String
    ) throws(SystemError) {
        try unsafe name.withCString { (name) throws(SystemError) in
            try unsafe target.withCString { (target) throws(SystemError) in
                _ = try checked("create symbolic link", subject()) { unsafe symlinkat(target, directory, name) }
            }
        }
    }

    package static func makeLink(
        _ directory: Int32, _ name: BytePath, to existing: BytePath, in source: Int32, subject: @autoclosure () -> String
    ) throws(SystemError) {
        try unsafe name.withCString { (name) throws(SystemError) in
            try unsafe existing.withCString { (existing) throws(SystemError) in
                _ = try checked("create hard link", subject()) { unsafe linkat(source, existing, directory, name, 0) }
            }
        }
    }

    package static func makeFIFO(
        _ directory: Int32, _ name: BytePath, mode: UInt32, subject: @autoclosure () -> String
    ) throws(SystemError) {
        try unsafe name.withCString { (name) throws(SystemError) in
            _ = try checked("create named pipe", subject()) { unsafe mkfifoat(directory, name, mode) }
        }
    }

    /// The target of a symbolic link, of any length.
    package static func readLink(
        _ directory: Int32, _ name: BytePath, subject: @autoclosure () -> String
    ) throws(SystemError) -> BytePath {
        var capacity = 256
        while true {
            var buffer = [UInt8](repeating: 0, count: capacity)
            var span = buffer.mutableSpan
            let length = try unsafe name.withCString { (name) throws(SystemError) in
                try unsafe span.withUnsafeMutableBytes { (bytes) throws(SystemError) in
                    try checked("read symbolic link", subject()) {
                        unsafe readlinkat(
                            directory, name, bytes.baseAddress!.assumingMemoryBound(to: CChar.self), bytes.count)
                    }
                }
            }
            if length < capacity { return BytePath(bytes: buffer[..<length]) }
            capacity *= 2
        }
    }

    /// Removes a name that is no directory.
    package static func unlink(
        _ directory: Int32, _ name: BytePath, subject: @autoclosure () -> String
    ) throws(SystemError) {
        try remove(directory, name, flags: 0, subject: subject())
    }

    /// Removes an empty directory.
    package static func removeDirectory(
        _ directory: Int32, _ name: BytePath, subject: @autoclosure () -> String
    ) throws(SystemError) {
        try remove(directory, name, flags: AT_REMOVEDIR, subject: subject())
    }

    private static func remove(
        _ directory: Int32, _ name: BytePath, flags: Int32, subject: @autoclosure () -> String
    ) throws(SystemError) {
        try unsafe name.withCString { (name) throws(SystemError) in
            _ = try checked("remove", subject()) { unsafe unlinkat(directory, name, flags) }
        }
    }

    package static func rename(
        _ directory: Int32, _ name: BytePath, to newName: BytePath, in target: Int32, subject: @autoclosure () -> String
    ) throws(SystemError) {
        try unsafe name.withCString { (name) throws(SystemError) in
            try unsafe newName.withCString { (newName) throws(SystemError) in
                _ = try checked("rename", subject()) { unsafe renameat(directory, name, target, newName) }
            }
        }
    }

    /// - Throws: EOPNOTSUPP for a symbolic link, whose mode cannot change.
    package static func chmod(
        _ directory: Int32, _ name: BytePath, mode: UInt32, subject: @autoclosure () -> String
    ) throws(SystemError) {
        try unsafe name.withCString { (name) throws(SystemError) in
            _ = try checked("chmod", subject()) { unsafe linux_chmod_nofollow(directory, name, mode) }
        }
    }

    package static func chown(
        _ directory: Int32, _ name: BytePath, user: UInt32, group: UInt32, subject: @autoclosure () -> String
    ) throws(SystemError) {
        try unsafe name.withCString { (name) throws(SystemError) in
            _ = try checked("chown", subject()) {
                unsafe fchownat(directory, name, user, group, AT_SYMLINK_NOFOLLOW)
            }
        }
    }

    /// Sets the times of a name; nil leaves one alone.
    package static func setTimes(
        _ directory: Int32, _ name: BytePath, accessed: Timestamp?, modified: Timestamp?, subject: @autoclosure () -> String
    ) throws(SystemError) {
        let times: [2 of timespec] = [timespec(accessed), timespec(modified)]
        try unsafe name.withCString { (name) throws(SystemError) in
            try unsafe times.span.withUnsafeBufferPointer { (times) throws(SystemError) in
                _ = try checked("set times of", subject()) {
                    unsafe utimensat(directory, name, times.baseAddress!, AT_SYMLINK_NOFOLLOW)
                }
            }
        }
    }

    /// Sets the times of an open file; nil leaves one alone.
    package static func setTimes(
        _ file: Int32, accessed: Timestamp?, modified: Timestamp?, subject: @autoclosure () -> String
    ) throws(SystemError) {
        let times: [2 of timespec] = [timespec(accessed), timespec(modified)]
        try unsafe times.span.withUnsafeBufferPointer { (times) throws(SystemError) in
            _ = try checked("set times of", subject()) { unsafe futimens(file, times.baseAddress!) }
        }
    }

    /// Makes a directory and all missing ones above it. Components that exist may be symbolic links to directories.
    package static func makeDirectories(_ path: BytePath, mode: UInt32) throws(SystemError) {
        var missing: [BytePath] = []
        var prefix = path.cleaned
        while true {
            do {
                try makeDirectory(AT_FDCWD, prefix, mode: mode, subject: prefix.text)
                break
            } catch  where error.code == ENOENT && prefix != "." && prefix != "/" {
                missing.append(prefix)
                prefix = prefix.directory
            } catch  where error.code == EEXIST || error.code == EROFS || error.code == EACCES {
                // A read-only or foreign directory that exists is as good as one just made.
                guard let status = try? FileStatus.of(prefix, followingLinks: true) else { throw error }
                guard status.kind == .directory else { throw SystemError("create directory", prefix.text, ENOTDIR) }
                break
            }
        }
        while let next = missing.popLast() {
            do { try makeDirectory(AT_FDCWD, next, mode: mode, subject: next.text) } catch  where error.code == EEXIST {
                // Somebody else was faster.
            }
        }
    }
}

extension timespec {
    /// nil means UTIME_OMIT: the time stays as it is.
    init(_ time: Timestamp?) {
        if let time {
            self.init(tv_sec: Int(time.seconds), tv_nsec: Int(time.nanoseconds))
        } else {
            self.init(tv_sec: 0, tv_nsec: (1 << 30) - 2)
        }
    }
}
