import FileTrees
import Glibc
package import SystemSupport

/// An exit code file that is certain to be written: made aside while there is room on the disk, renamed when the code is known.
///
/// A user's process that fills the volume would else keep its own exit code from everybody who waits for it.
package struct ExitCodeReservation: ~Copyable {
    private let directory: ContainerDirectory
    private let reserved: Reserved?

    private final class Reserved {
        let file: TemporaryFile
        init(_ file: consuming TemporaryFile) { self.file = file }
    }

    /// Reserves as well as can be; on failure `publish` writes the file anew.
    package init(in directory: ContainerDirectory) {
        self.directory = directory
        do throws(SystemError) {
            let file = try directory.run.place().temporaryFile(for: directory.run.relative(directory.exitCode))
            _ = posix_fallocate(file.file.raw, 0, 16)
            reserved = Reserved(file)
        } catch { reserved = nil }
    }

    /// Says that the container is done. Called once.
    package func publish(_ code: Int32) throws(SystemError) {
        if let reserved {
            do throws(SystemError) {
                let raw = reserved.file.file.raw
                let digits = Array(String(code).utf8)
                try DescriptorIO.write(raw, digits.span, at: 0, subject: directory.exitCode.text)
                try checked("truncate", directory.exitCode.text) { ftruncate(raw, off_t(digits.count)) }
                try reserved.file.publish(as: directory.exitCode.base, mode: 0o644, movesDirectories: true)
                // The directory may have been moved away meanwhile: then what is in it is not seen.
                if directory.readExitCode() == code { return }
            } catch { reserved.file.remove() }
        }
        try directory.create()
        try directory.writeExitCode(code)
    }
}
