import Glibc
import ProcessControl
import Synchronization
import SystemSupport

/// Reads the lines that somebody types, once they are wanted, and hears signals from the beginning.
final class KeyboardInput: Sendable {
    private let mailbox: RunMailbox
    private let isStarted = Atomic(false)

    init(_ mailbox: RunMailbox) { self.mailbox = mailbox }

    /// Begins to read standard input. Lines typed before are read too.
    func start() {
        if isStarted.exchange(true, ordering: .relaxed) { return }
        do {
            try WorkerThread { [mailbox] in
                var pending: [UInt8] = []
                var block = [UInt8](repeating: 0, count: 4096)
                while true {
                    var span = block.mutableSpan
                    guard let count = try? DescriptorIO.read(STDIN_FILENO, into: &span, subject: "standard input"), count > 0
                    else { break }
                    pending += block[..<count]
                    while let end = pending.firstIndex(of: 0x0A) {
                        mailbox.post(.typed(String(decoding: pending[..<end], as: UTF8.self)))
                        pending.removeSubrange(...end)
                    }
                }
                mailbox.post(.typed(nil))
            }.detach()
        } catch { mailbox.post(.typed(nil)) }
    }

    /// Tells of each signal that asks for the end. To be called before any other thread is started.
    static func hearSignals(_ mailbox: RunMailbox) throws(SystemError) {
        let signals = try SignalDescriptor([SIGINT, SIGTERM, SIGHUP])
        try WorkerThread {
            while true {
                var set = PollSet()
                signals.addInterests(to: &set)
                guard (try? set.wait(until: nil)) != nil else { return }
                for _ in signals.take() { mailbox.post(.interrupted) }
            }
        }.detach()
    }
}
