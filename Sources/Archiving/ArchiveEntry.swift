import ExecutorCore
import FileTrees

/// One entry of an archive, as libarchive tells of it. Names are bytes.
struct ArchiveEntry {
    enum Kind {
        case file, directory
        case symlink(BytePath)
        case hardLink(BytePath)
        /// Devices and named pipes.
        case special
    }

    let name: BytePath
    let kind: Kind
    /// Permissions with setuid, setgid and sticky.
    var mode: UInt32
    /// Bytes of content; nil when only reading it tells.
    let size: Int64?
    let modified: Timestamp?
    let accessed: Timestamp?
    let attributes: [ExtendedAttribute]
    let hasAccessList: Bool
}
