import CLinuxShims
import Glibc
package import SystemSupport

/// Signals as events of a poll loop instead of interruptions: they are blocked in this thread and read from a descriptor.
///
/// Made before any other thread is started, so that no thread has them unblocked. Threads of `WorkerThread` block all signals.
package final class SignalDescriptor: Sendable {
    private let descriptor: Descriptor
    private let sentFaults: Descriptor?
    /// Readable when a signal is there.
    package let descriptors: [Int32]

    /// Takes these signals. Those of faults (SIGSEGV and its kin) are left alone: a fault of ours must find its handler.
    package init(_ numbers: [Int32]) throws(SystemError) {
        descriptor = try Self.descriptor(for: numbers)
        sentFaults = nil
        descriptors = [descriptor.raw]
    }

    /// Takes every signal that can be taken; signals of faults only where another process sent them. Once a process.
    package init() throws(SystemError) {
        let pipe = try Pipe()
        let (reading, writing) = (pipe.reading, pipe.writing)
        let descriptor = try Self.descriptor(for: Array(1...linux_highest_signal()))
        // The writing end belongs to the handler, which stays for as long as the process.
        for end in [reading, writing] { try checked("fcntl") { linux_set_nonblocking(end) } }
        try checked("sigaction") { linux_forward_sent_faults(writing) }
        descriptors = [descriptor.raw, reading]
        self.descriptor = descriptor
        sentFaults = Descriptor(owning: reading)
    }

    private static func descriptor(for numbers: [Int32]) throws(SystemError) -> Descriptor {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for number in numbers { unsafe sigaddset(&signals, number) }
        return Descriptor(owning: try checked("signalfd") { unsafe linux_signal_descriptor(&signals) })
    }

    /// Adds what `wait` has to look at.
    package func addInterests(to set: inout PollSet) {
        for descriptor in descriptors { set.add(descriptor, .readable) }
    }

    /// The numbers of all signals that came since, in no order. Does not block.
    ///
    /// SIGPIPE that a write of our own raised is left out.
    package func take() -> [Int32] {
        var numbers: [Int32] = []
        var block = [signalfd_siginfo](repeating: signalfd_siginfo(), count: 16)
        while true {
            let count = unsafe block.withUnsafeMutableBytes { unsafe read(descriptors[0], $0.baseAddress!, $0.count) }
            if count == -1, errno == EINTR { continue }
            if count <= 0 { break }
            for signal in block[..<(count / MemoryLayout<signalfd_siginfo>.stride)] {
                let number = Int32(signal.ssi_signo)
                if number != SIGPIPE || signal.ssi_pid != UInt32(getpid()) { numbers.append(number) }
            }
        }
        if descriptors.count > 1 {
            var bytes = [UInt8](repeating: 0, count: 64)
            while true {
                var span = bytes.mutableSpan
                guard let count = try? DescriptorIO.read(descriptors[1], into: &span, subject: "signals"), count > 0 else {
                    break
                }
                numbers += bytes[..<count].map { Int32($0) }
            }
        }
        return numbers
    }
}
