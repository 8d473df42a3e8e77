import CLinuxShims
import Glibc
package import SystemSupport

/// A pseudo-terminal between our own terminal and the user's process (contract 02 §4): keys and window sizes go in, output is
/// read by an `OutputCapture`.
package final class TerminalSession {
    private let own: Int32
    private let master: Descriptor
    private var slave: Int32
    private var saved: [UInt8]?
    private var typed: [UInt8] = []
    private var isReading = true
    private var readIndex: Int?
    private var writeIndex: Int?

    /// Our side of the terminal.
    package let descriptor: Int32

    /// What becomes the child's standard input, output and error.
    package var childTerminal: Int32 { slave }

    /// - Parameter own: our own terminal, usually descriptor 0.
    package init(own: Int32) throws(SystemError) {
        var master: Int32 = -1
        var slave: Int32 = -1
        try checked("open terminal") { unsafe linux_open_terminal(&master, &slave) }
        self.own = own
        self.master = Descriptor(owning: master)
        self.slave = slave
        descriptor = master
        try checked("fcntl") { linux_set_nonblocking(master) }
        windowChanged()
    }

    deinit {
        leaveRawMode()
        if slave != -1 { close(slave) }
    }

    /// Whether a descriptor is a terminal.
    package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// The size of a terminal in characters; nil for what is none, or does not know.
    package static func size(of descriptor: Int32) -> (rows: Int, columns: Int)? {
        var rows: Int32 = 0
        var columns: Int32 = 0
        guard unsafe linux_window_size(descriptor, &rows, &columns) == 0, rows > 0, columns > 0 else { return nil }
        return (Int(rows), Int(columns))
    }

    /// To be called once the child runs: closes its side here, and hands each key on as it is typed.
    package func childStarted() {
        close(slave)
        slave = -1
        var settings = [UInt8](repeating: 0, count: Int(linux_terminal_settings_size()))
        let status = unsafe settings.withUnsafeMutableBytes { unsafe linux_set_raw_terminal(own, $0.baseAddress!) }
        if status == 0 { saved = settings }
    }

    /// Gives our own terminal its settings back.
    package func leaveRawMode() {
        guard let saved else { return }
        _ = unsafe saved.withUnsafeBytes { unsafe linux_restore_terminal(own, $0.baseAddress!) }
        self.saved = nil
    }

    /// Hands the size of our own terminal on; to be called after SIGWINCH.
    package func windowChanged() { _ = linux_copy_window_size(own, descriptor) }

    /// Adds what `handle` has to look at.
    package func addInterests(to set: inout PollSet) {
        readIndex = isReading && typed.isEmpty ? set.add(own, .readable) : nil
        writeIndex = typed.isEmpty ? nil : set.add(descriptor, .writable)
    }

    /// Moves keys that were typed.
    package func handle(_ set: PollSet) {
        if let readIndex, !set[readIndex].isEmpty {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(own, $0.baseAddress!, $0.count) }
            if count > 0 {
                typed = Array(buffer[..<count])
            } else if count == 0 || ![EAGAIN, EINTR].contains(errno) {
                isReading = false
            }
        }
        if !typed.isEmpty {
            let count = unsafe typed.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress!, $0.count) }
            if count > 0 {
                typed.removeFirst(count)
            } else if ![EAGAIN, EINTR].contains(errno) {
                typed = []
                isReading = false
            }
        }
    }
}
