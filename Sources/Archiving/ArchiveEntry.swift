import FileTrees
import SystemSupport

/// Reads an archive entry by entry.
protocol EntryReader: AnyObject {
    /// The next entry, whatever was read of the one before; nil at the end.
    func next() throws -> ArchiveEntry?

    /// Lends the entry's next piece of content with its place in the file; what lies between pieces is a hole.
    ///
    /// - Returns: false at the end of the content.
    func nextPiece(_ body: (Span<UInt8>, Int64) throws -> Void) throws -> Bool
}

/// One entry of an archive. Names are bytes.
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
    let mode: UInt32
    /// Bytes of content; nil when only reading it tells.
    let size: Int64?
    let modified: Timestamp?
    let accessed: Timestamp?
    let attributes: [ExtendedAttribute]
    let hasAccessList: Bool
}
