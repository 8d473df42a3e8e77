import Glibc
import Synchronization
import SystemSupport

/// Reads lines from the terminal on demand.
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
}
