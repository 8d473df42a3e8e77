package import ExecutorCore

/// Removing whole trees.
package enum TreeRemoval {
    /// Removes a file or directory with all below it, never through a symbolic link; what is absent is as good as removed.
    package static func remove(_ path: BytePath) throws(SystemError) {
        fatalError()
    }

    /// The same beneath a directory.
    package static func remove(_ path: BytePath, in directory: ContainedDirectory) throws(SystemError) {
        fatalError()
    }
}
