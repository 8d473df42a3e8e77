import Glibc

/// Descriptors to wait on with one call of poll(2). Built anew for each wait; the descriptors belong to others.
package struct PollSet: Sendable {
    /// What to wait for, and what happened.
    package struct Events: OptionSet, Sendable {
        package let rawValue: Int16
        package init(rawValue: Int16) { self.rawValue = rawValue }
        /// Bytes, or the end, can be read.
        package static let readable = Events(rawValue: Int16(POLLIN))
        /// At least some bytes can be written without blocking; for a pipe at least 4 KiB.
        package static let writable = Events(rawValue: Int16(POLLOUT))
        /// The other side has gone, or the descriptor is in error; reported without being asked for.
        package static let ended = Events(rawValue: Int16(POLLHUP | POLLERR | POLLNVAL))
    }

    private var entries: [pollfd] = []

    package init() {}

    /// Adds a descriptor; the index asks for the answer after `wait`.
    @discardableResult
    package mutating func add(_ descriptor: Int32, _ events: Events) -> Int {
        entries.append(pollfd(fd: descriptor, events: events.rawValue, revents: 0))
        return entries.count - 1
    }

    /// Waits until something happened, the clock of `monotonicNanoseconds` reached `deadline` (nil: no limit), or a signal
    /// handler ran.
    ///
    /// - Returns: whether any descriptor has events.
    @discardableResult
    package mutating func wait(until deadline: Int64?) throws(SystemError) -> Bool {
        while true {
            var timeout: Int32 = -1
            if let deadline {
                let left = max(0, deadline.subtractingReportingOverflow(monotonicNanoseconds()).partialValue)
                timeout = Int32(clamping: (left / 1_000_000).addingReportingOverflow(left % 1_000_000 > 0 ? 1 : 0).partialValue)
            }
            let count = unsafe entries.withUnsafeMutableBufferPointer {
                unsafe poll($0.baseAddress, nfds_t($0.count), timeout)
            }
            if count > 0 { return true }
            if count == 0 {
                // Limits beyond what poll can count in are waited for in parts.
                if timeout == .max { continue }
                return false
            }
            let code = errno
            if code == EINTR { return false }
            throw SystemError("poll", "", code)
        }
    }

    /// What happened to the descriptor that `add` gave this index.
    package subscript(index: Int) -> Events { Events(rawValue: entries[index].revents) }
}
