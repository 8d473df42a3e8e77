package import ExecutorCore

/// Goes through a tree depth first, names in bytewise order within a directory, without following links.
package final class TreeWalk {
    package struct Entry: Sendable {
        /// Relative to the root, which itself is not among the entries.
        package let path: BytePath
        package let name: BytePath
        package let status: FileStatus
    }

    /// - Parameter path: the root's path, for messages.
    package init(_ root: consuming Descriptor, path: BytePath) {
        fatalError()
    }

    /// The next entry: a directory comes before what is in it.
    ///
    /// - Throws: a directory that cannot be read is an error by name.
    package func next() throws(SystemError) -> Entry? {
        fatalError()
    }
}
