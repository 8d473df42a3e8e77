package import FileTrees
package import SystemSupport

/// A file or a directory that its driver, or a program for it, writes by itself.
package protocol StoredTree: Sendable {
    /// The tree for messages, without secrets.
    var subject: String { get }

    /// Whether a program writes it that may run as another user.
    var isWrittenByOthers: Bool { get }

    /// Writes the file or the directory; ends early where `DriverContext.cancellation` says so. What an attempt that failed has left
    /// is removed before the next one.
    ///
    /// - Parameters:
    ///   - name: in `directory`, where nothing has it yet.
    ///   - directory: ours alone; a program is given `directory.path.appending(name)`.
    ///   - moved: to be told of the bytes that have come, from any thread, where the driver knows of them: else a person who
    ///     waits is told that nothing moves.
    func write(to name: BytePath, in directory: ContainedDirectory, moved: @escaping @Sendable (Int64) -> Void) throws
}

extension StoredTree {
    package var isWrittenByOthers: Bool { false }
}
