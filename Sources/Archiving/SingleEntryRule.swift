package import ExecutorCore
package import FileTrees

/// What becomes of a directory into which an archive was unpacked (contract 03 §2): exactly one entry in it is renamed to the
/// target, and the directory removed; else the directory itself becomes the target.
package enum SingleEntryRule {
    /// - Throws: `SystemError`; a non-empty directory at the target is ENOTEMPTY or EEXIST.
    package static func settle(_ unpacked: BytePath, as target: BytePath) throws(SystemError) {
        fatalError()
    }

    /// The same beneath a directory.
    package static func settle(
        _ unpacked: BytePath, as target: BytePath, in directory: ContainedDirectory
    ) throws(SystemError) {
        fatalError()
    }
}
