package import FileTrees
import Glibc
package import SystemSupport

/// What becomes of a directory into which an archive was unpacked (contract 03 §2): exactly one entry in it is the artifact; else
/// the directory itself is.
package enum SingleEntryRule {
    /// The path of the artifact, `unpacked` itself or its only entry.
    ///
    /// An archive may have given the directory a mode that keeps its owner, us, out: where it goes, it is opened for good.
    package static func artifact(
        _ unpacked: BytePath, in directory: ContainedDirectory
    ) throws(SystemError) -> BytePath {
        let status = try directory.status(unpacked)
        let isShut = status.kind == .directory && status.permissions & 0o700 != 0o700
        if isShut { try directory.chmod(unpacked, mode: status.permissions | 0o700) }
        let opened = try directory.openDirectory(unpacked)
        let names = try DirectoryIO.firstNames(opened.raw, subject: directory.subject(unpacked))
        if names.count == 1 { return unpacked.appending(names[0]) }
        if isShut { try directory.chmod(unpacked, mode: status.permissions) }
        return unpacked
    }
}
