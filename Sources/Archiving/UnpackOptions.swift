package import SystemSupport

/// How archives are unpacked.
package struct UnpackOptions: Sendable {
    /// What an archive may hold; nil for no limit.
    package struct Limits: Sendable {
        /// The sum of the files' sizes, in bytes.
        package var bytes: Int64?
        /// The number of entries.
        package var entries: Int64?
        /// Bytes unpacked for each byte packed; looked at once more than 1 MiB is unpacked.
        package var ratio: Int64?

        package init(bytes: Int64? = nil, entries: Int64? = nil, ratio: Int64? = nil) {
            self.bytes = bytes
            self.entries = entries
            self.ratio = ratio
        }
    }

    package var limits: Limits
    /// Modes of directories, setuid bits, times of directories and links, extended attributes and holes
    /// (`ARGOEXEC_FAITHFUL_TREES`).
    package var isFaithful: Bool
    /// Told once, in one record, what was left out.
    package var log: Log

    package init(limits: Limits = Limits(), isFaithful: Bool = false, log: Log = .silent) {
        self.limits = limits
        self.isFaithful = isFaithful
        self.log = log
    }
}

/// What an archive held.
package struct UnpackSummary: Sendable, Equatable {
    package var files = 0
    package var directories = 0
    package var symlinks = 0
    package var hardLinks = 0
    /// Bytes written to files.
    package var bytes: Int64 = 0
    /// Device files and named pipes that were left out.
    package var droppedSpecials = 0
    /// Hard links that were left out because their target is not in the archive.
    package var droppedLinks = 0
    /// Entries whose extended attributes or access control lists were left out.
    package var droppedAttributes = 0

    package init() {}
}
