package import ExecutorCore
package import FileTrees
import Glibc

/// What becomes of a directory into which an archive was unpacked (contract 03 §2): exactly one entry in it is the artifact; else
/// the directory itself is.
package enum SingleEntryRule {
    /// The path of the artifact, `unpacked` itself or its only entry.
    package static func artifact(
        _ unpacked: BytePath, in directory: ContainedDirectory
    ) throws(SystemError) -> BytePath {
        let opened = try directory.openDirectory(unpacked)
        let names = try DirectoryIO.firstNames(opened.raw, subject: directory.subject(unpacked))
        return names.count == 1 ? unpacked.appending(names[0]) : unpacked
    }
}
