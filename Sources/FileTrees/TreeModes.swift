package import ExecutorCore

/// Changing the modes of trees (contract 03 §2 row 10).
package enum TreeModes {
    /// Sets `mode & 0777` on what stands at the path and, if asked, on everything below it.
    ///
    /// Links are passed over: what they point to inside the tree is reached by its own name, and what is outside or absent is
    /// nobody's business here.
    package static func apply(mode: UInt32, to path: BytePath, recursively: Bool) throws(SystemError) {
        fatalError()
    }

    /// The same beneath a directory.
    package static func apply(
        mode: UInt32, to path: BytePath, in directory: ContainedDirectory, recursively: Bool
    ) throws(SystemError) {
        fatalError()
    }
}
