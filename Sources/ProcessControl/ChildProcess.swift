import CLinuxShims
import Glibc
package import SystemSupport

/// A process that we started and have to wait for.
package final class ChildProcess {
    /// The process id; with a group of its own also the group's.
    package let id: Int32
    private let leadsGroup: Bool
    private let descriptor: Descriptor?
    /// Becomes readable when the process has ended; nil where the kernel has no such thing or forbids it.
    package let exitDescriptor: Int32?
    /// How the process ended, once it has been waited for.
    package private(set) var status: ExitStatus?

    init(id: Int32, leadsGroup: Bool) {
        self.id = id
        self.leadsGroup = leadsGroup
        let raw = linux_pidfd_open(id)
        descriptor = raw == -1 ? nil : Descriptor(owning: raw)
        exitDescriptor = raw == -1 ? nil : raw
    }

    /// Looks whether the process has ended.
    ///
    /// - Returns: how; nil while it runs.
    /// - Throws: it cannot be waited for because it already has been.
    @discardableResult
    package func poll() throws(SystemError) -> ExitStatus? {
        if let status { return status }
        var waitStatus: Int32 = 0
        let found = try checked("wait", "process \(id)") { unsafe waitpid(id, &waitStatus, WNOHANG) }
        if found == id { record(waitStatus) }
        return status
    }

    /// Takes what a wait for any child found.
    func record(_ waitStatus: Int32) { status = status ?? ExitStatus(waitStatus: waitStatus) }

    /// Waits for the process's end, at most until the clock of `monotonicNanoseconds` reaches `deadline`; nil for no limit.
    ///
    /// Other children and signals are left alone, so this is for threads beside others.
    package func wait(until deadline: Int64? = nil) throws(SystemError) -> ExitStatus? {
        var interval: Int64 = 1_000_000
        while true {
            if let status = try poll() { return status }
            let now = monotonicNanoseconds()
            if let deadline, now >= deadline { return nil }
            var set = PollSet()
            if let exitDescriptor {
                set.add(exitDescriptor, .readable)
                try set.wait(until: deadline)
            } else {
                try set.wait(until: min(deadline ?? .max, now + interval))
                interval = min(interval * 2, 50_000_000)
            }
        }
    }

    /// Sends a signal to the process's group where it has one of its own, else to it alone. Ended processes are passed over.
    package func signal(_ number: Int32) throws(SystemError) {
        if leadsGroup, kill(-id, number) == 0 { return }
        let code = errno
        if leadsGroup, code != ESRCH { throw SystemError("kill", "process group \(id)", code) }
        // The process may have left its group; unless it has been waited for, its number is still its own.
        if status != nil { return }
        do throws(SystemError) { try checked("kill", "process \(id)") { kill(id, number) } } catch  where error.code == ESRCH {}
    }
}

/// Waiting for processes that were not started here: as process 1 of a container we inherit the orphans.
package enum Reaper {
    /// Waits for all children that have ended. If `child` is among them, it learns of it.
    ///
    /// - Returns: whether others still run.
    @discardableResult
    package static func reap(keeping child: ChildProcess?) -> Bool {
        // Others must not delay the one that counts, however many there are.
        _ = try? child?.poll()
        while true {
            var waitStatus: Int32 = 0
            let found = unsafe waitpid(-1, &waitStatus, WNOHANG)
            if found > 0 {
                if found == child?.id { child?.record(waitStatus) }
            } else if found == 0 || errno != EINTR {
                return found == 0
            }
        }
    }
}
