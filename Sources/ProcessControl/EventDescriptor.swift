import CLinuxShims
import Glibc
package import SystemSupport

/// Wakes a poll loop from another thread: readable from the first `signal` on.
package final class EventDescriptor: Sendable {
    private let reading: Descriptor
    private let writing: Descriptor

    package init() throws(SystemError) {
        var ends: (Int32, Int32) = (-1, -1)
        try checked("pipe") {
            unsafe withUnsafeMutableBytes(of: &ends) { unsafe linux_pipe($0.baseAddress!.assumingMemoryBound(to: Int32.self)) }
        }
        reading = Descriptor(owning: ends.0)
        writing = Descriptor(owning: ends.1)
        let raw = writing.raw
        try checked("fcntl") { linux_set_nonblocking(raw) }
    }

    /// To be polled for reading; never to be read.
    package var raw: Int32 { reading.raw }

    /// Makes the descriptor readable for good. EAGAIN on a full pipe can be ignored.
    package func signal() { try? DescriptorIO.write(writing.raw, [1].span, subject: "event") }
}
