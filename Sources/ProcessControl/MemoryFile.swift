import CLinuxShims
import Glibc
package import SystemSupport

/// A secret for a program that we start: a file in memory, of our user's alone, which the program reads by a path for as long as this
/// object lives. Nothing of it is ever on a disk, in an environment or on a command line.
package final class MemoryFile: Sendable {
    private let file: Descriptor

    package init(_ content: Secret) throws(SystemError) {
        file = Descriptor(owning: try checked("memfd_create") { linux_memory_file() })
        let raw = file.raw
        try checked("chmod", "a file in memory") { fchmod(raw, 0o600) }
        try DescriptorIO.write(raw, content.reveal().span, subject: "a file in memory")
    }

    /// Where a program of our user's finds it.
    package var path: BytePath { BytePath("/proc/\(getpid())/fd/\(file.raw)") }
}
