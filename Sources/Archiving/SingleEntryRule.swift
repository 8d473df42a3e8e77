package import ExecutorCore
package import FileTrees
import Glibc

/// What becomes of a directory into which an archive was unpacked (contract 03 §2): exactly one entry in it is renamed to the
/// target, and the directory removed; else the directory itself becomes the target.
package enum SingleEntryRule {
    /// - Throws: `SystemError`; a non-empty directory at the target is ENOTEMPTY or EEXIST.
    package static func settle(_ unpacked: BytePath, as target: BytePath) throws(SystemError) {
        try settle(AT_FDCWD, unpacked, AT_FDCWD, target, subject: "\(unpacked) to \(target)")
    }

    /// The same beneath a directory.
    package static func settle(
        _ unpacked: BytePath, as target: BytePath, in directory: ContainedDirectory
    ) throws(SystemError) {
        try directory.withParent(of: unpacked) { (source, name) throws(SystemError) in
            try directory.withParent(of: target) { (destination, newName) throws(SystemError) in
                try settle(
                    source, name, destination, newName,
                    subject: "\(directory.subject(unpacked)) to \(directory.subject(target))")
            }
        }
    }

    private static func settle(
        _ source: Int32, _ name: BytePath, _ destination: Int32, _ newName: BytePath, subject: String
    ) throws(SystemError) {
        let mode = try openWide(source, name, subject)
        let opened = try DirectoryIO.open(source, name, O_RDONLY | O_DIRECTORY, subject: subject)
        let names = try DirectoryIO.firstNames(opened.raw, subject: subject)
        guard names.count == 1 else {
            try DirectoryIO.rename(source, name, to: newName, in: destination, subject: subject)
            let raw = opened.raw
            if let mode { try checked("chmod", subject) { fchmod(raw, mode) } }
            return
        }
        do {
            try DirectoryIO.rename(opened.raw, names[0], to: newName, in: destination, subject: subject)
        } catch  where error.code == EACCES {
            try renameShut(opened.raw, names[0], destination, newName, subject)
        }
        try DirectoryIO.removeDirectory(source, name, subject: subject)
    }

    /// Lets its owner, us, into a directory that an archive has given a mode which keeps us out.
    ///
    /// - Returns: the mode that it shall have again; nil where it still has it.
    private static func openWide(
        _ source: Int32, _ name: BytePath, _ subject: String
    ) throws(SystemError) -> UInt32? {
        let status = try DirectoryIO.status(source, name, subject: subject)
        guard status.kind == .directory, status.permissions & 0o700 != 0o700 else { return nil }
        try DirectoryIO.chmod(source, name, mode: status.permissions | 0o700, subject: subject)
        return status.permissions
    }

    /// A directory that its owner may not write to cannot be moved, since its `..` changes.
    private static func renameShut(
        _ source: Int32, _ name: BytePath, _ destination: Int32, _ newName: BytePath, _ subject: String
    ) throws(SystemError) {
        let mode = try DirectoryIO.status(source, name, subject: subject).permissions
        try DirectoryIO.chmod(source, name, mode: mode | 0o700, subject: subject)
        try DirectoryIO.rename(source, name, to: newName, in: destination, subject: subject)
        try DirectoryIO.chmod(destination, newName, mode: mode, subject: subject)
    }
}
