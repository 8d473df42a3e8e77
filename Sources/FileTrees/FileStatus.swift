import CLinuxShims
import Glibc
package import SystemSupport

/// What an entry of a directory is.
package enum FileKind: Sendable {
    case file, directory, symlink, fifo, socket, characterDevice, blockDevice

    init(mode: UInt32) {
        switch mode & S_IFMT {
        case S_IFDIR: self = .directory
        case S_IFLNK: self = .symlink
        case S_IFIFO: self = .fifo
        case S_IFSOCK: self = .socket
        case S_IFCHR: self = .characterDevice
        case S_IFBLK: self = .blockDevice
        default: self = .file
        }
    }

    /// One word for messages.
    package var word: String {
        switch self {
        case .file: "file"
        case .directory: "directory"
        case .symlink: "symbolic link"
        case .fifo: "named pipe"
        case .socket: "socket"
        case .characterDevice: "character device"
        case .blockDevice: "block device"
        }
    }
}

/// The kernel's record of one file.
package struct FileStatus: Sendable, Equatable {
    package var kind: FileKind
    /// Permissions with setuid, setgid and sticky: the lower twelve bits.
    package var permissions: UInt32
    package var userID: UInt32
    package var groupID: UInt32
    /// Bytes; for a symbolic link the length of its target.
    package var size: Int64
    /// Bytes really stored: less than `size` when the file has holes.
    package var allocated: Int64
    package var modified: Timestamp
    package var accessed: Timestamp
    /// The file system's device number and the file's number there: together its identity.
    package var device: UInt64
    package var inode: UInt64
    package var linkCount: UInt64
    /// Of a device file: the device that it stands for.
    package var specialMajor: UInt32
    package var specialMinor: UInt32

    init(_ raw: stat) {
        kind = FileKind(mode: raw.st_mode)
        permissions = raw.st_mode & 0o7777
        userID = raw.st_uid
        groupID = raw.st_gid
        size = Int64(raw.st_size)
        allocated = Int64(raw.st_blocks) * 512
        modified = Timestamp(seconds: Int64(raw.st_mtim.tv_sec), nanoseconds: Int32(raw.st_mtim.tv_nsec))
        accessed = Timestamp(seconds: Int64(raw.st_atim.tv_sec), nanoseconds: Int32(raw.st_atim.tv_nsec))
        device = UInt64(raw.st_dev)
        inode = UInt64(raw.st_ino)
        linkCount = UInt64(raw.st_nlink)
        specialMajor = linux_device_major(UInt64(raw.st_rdev))
        specialMinor = linux_device_minor(UInt64(raw.st_rdev))
    }

    /// The status of an open file.
    package static func of(_ raw: Int32, subject: @autoclosure () -> String) throws(SystemError) -> FileStatus {
        var status = stat()
        try checked("stat", subject()) { unsafe fstat(raw, &status) }
        return FileStatus(status)
    }

    /// The status of a path.
    package static func of(_ path: BytePath, followingLinks: Bool) throws(SystemError) -> FileStatus {
        try DirectoryIO.status(AT_FDCWD, path, followingLinks: followingLinks, subject: path.text)
    }
}
