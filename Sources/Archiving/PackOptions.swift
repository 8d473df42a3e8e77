package import FileTrees
package import SystemSupport

/// How trees are packed.
package struct PackOptions: Sendable {
    /// Threads that compress; 1 compresses on the caller's thread. nil takes as many as the control group allows.
    package var threads: Int?
    /// Told once, in one record, what was left out or changed.
    package var log: Log
    /// Names of users and groups for the headers.
    package var userNames: ResolvedUserNames
    /// Hard links as links, extended attributes, and times to the nanosecond (`ARGOEXEC_FAITHFUL_TREES`).
    package var isFaithful: Bool

    package init(
        threads: Int? = nil, log: Log = .silent, userNames: ResolvedUserNames = ResolvedUserNames(), isFaithful: Bool = false
    ) {
        self.threads = threads
        self.log = log
        self.userNames = userNames
        self.isFaithful = isFaithful
    }
}
