package import ExecutorCore
import Glibc

/// An exit code file that is certain to be written: made aside while there is room on the disk, renamed when the code is known.
///
/// A user's process that fills the volume would else keep its own exit code from everybody who waits for it.
package struct ExitCodeReservation: ~Copyable {
    private let directory: ContainerDirectory
    private let aside: BytePath
    private let file: Descriptor?
    private let raw: Int32

    /// Reserves as well as can be; on failure `publish` writes the file anew.
    package init(in directory: ContainerDirectory) {
        self.directory = directory
        aside = AtomicFile.temporaryName(for: directory.exitCode)
        let raw = unsafe aside.withCString { unsafe open($0, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644) }
        self.raw = raw
        file = raw == -1 ? nil : Descriptor(owning: raw)
        if raw != -1 {
            _ = fchmod(raw, 0o644)
            _ = posix_fallocate(raw, 0, 16)
        }
    }

    /// Says that the container is done. Called once.
    package func publish(_ code: Int32) throws(SystemError) {
        do throws(SystemError) {
            let digits = Array(String(code).utf8)
            try DescriptorIO.write(raw, digits.span, at: 0, subject: directory.exitCode.text)
            try checked("truncate", directory.exitCode.text) { ftruncate(raw, off_t(digits.count)) }
            try AtomicFile.rename(aside, to: directory.exitCode)
        } catch {
            AtomicFile.remove(aside)
            try directory.create()
            try directory.writeExitCode(code)
        }
    }
}
