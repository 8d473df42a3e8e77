package import ExecutorCore

/// Copying whole trees: files (shared blocks where possible), directories, symbolic links as they are, hard links as links, named
/// pipes; modes and times, and owners where that is allowed.
package enum TreeCopy {
    /// What could not be copied, by count.
    package struct Summary: Sendable, Equatable {
        package var files = 0
        package var bytes: Int64 = 0
        /// Sockets, and device files where making them is not allowed.
        package var dropped = 0

        package init() {}
    }

    /// Copies the file or directory at `source` (a link there is copied as a link) to `target`, which must not exist.
    @discardableResult
    package static func copy(_ source: BytePath, to target: BytePath) throws(SystemError) -> Summary {
        fatalError()
    }
}
