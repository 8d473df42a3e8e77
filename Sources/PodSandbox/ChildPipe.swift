import Glibc
import ProcessControl
import SystemSupport

/// A pipe that a child writes to and that is read here without waiting.
final class ChildPipe {
    private let reading: Descriptor
    private var writing: Descriptor?
    /// Whether more may come.
    private(set) var isOpen = true
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    init() throws(SystemError) {
        let pipe = try Pipe()
        reading = Descriptor(owning: pipe.reading)
        writing = Descriptor(owning: pipe.writing)
        try checked("fcntl") { fcntl(pipe.reading, F_SETFL, O_RDONLY | O_NONBLOCK) }
    }

    /// What the child is given; -1 once it has started.
    var childEnd: Int32 { writing?.raw ?? -1 }

    /// Lets go of the child's end, so that the end of its writing can be seen.
    func childStarted() { writing = nil }

    /// To be polled for reading.
    var raw: Int32 { reading.raw }

    /// Hands over what is in the pipe now.
    func drain(_ body: (ArraySlice<UInt8>) -> Void) {
        while isOpen {
            var span = buffer.mutableSpan
            do throws(SystemError) {
                let count = try DescriptorIO.read(reading.raw, into: &span, subject: "pipe")
                if count == 0 { isOpen = false } else { body(buffer[..<count]) }
            } catch {
                if error.code != EAGAIN { isOpen = false }
                return
            }
        }
    }
}
