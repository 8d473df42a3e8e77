import CLinuxShims
import FileTrees
import Glibc
package import SystemSupport

/// Wakes a loop when something changes in any of several directories: one inotify instance for all of them.
///
/// Instances are scarce (128 a user, shared by every pod of that user on the node). Where none is granted, `wait` returns every
/// 50 to 250 ms instead. Either way the caller looks at all its conditions again after each return; a condition looked at after
/// `watch` is never missed.
package final class FileWatcher {
    private struct Watch {
        let directory: BytePath
        /// The run directory in which it is; nil for a path that is trusted.
        let run: RunDirectory?
        let writes: Bool
    }

    private var instance: Descriptor?
    private var descriptor: Int32?
    /// When the instance is to be asked for; nil once it has been.
    private var opening: Int64?
    /// Directories that could not be watched so far; while there are any, `wait` polls.
    private var unwatched: [Watch] = []
    private var pollInterval = FileWatcher.shortestInterval
    /// When everything is to be looked at again whatever was reported; by `monotonicNanoseconds`.
    private var nextLook: Int64 = 0

    private static let shortestInterval: Int64 = 50_000_000
    private static let longestInterval: Int64 = 250_000_000
    /// Even with inotify, all conditions are looked at this often: a directory may have been replaced.
    private static let recheckInterval: Int64 = 5_000_000_000

    /// - Parameters:
    ///   - forcePolling: asks for no instance, as if none were granted.
    ///   - delay: nanoseconds until the instance is asked for; until then changes are not seen. To give one back costs the kernel
    ///     some 15 ms, which is much for a process that may end before it needs one.
    package init(forcePolling: Bool = false, delay: Int64 = 0) {
        if forcePolling { return }
        if delay > 0 { opening = monotonicNanoseconds() + delay } else { open() }
    }

    private func open() {
        opening = nil
        let raw = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        guard raw != -1 else { return }
        instance = Descriptor(owning: raw)
        descriptor = raw
    }

    /// Whether changes are looked for instead of reported.
    package var isPolling: Bool { descriptor == nil || !unwatched.isEmpty }

    /// Watches a directory for files that appear, vanish, or are closed after writing; with `writes`, for each write as well.
    ///
    /// Watching again is no matter. A directory that is not there yet is tried again at each `wait`.
    package func watch(_ directory: BytePath, writes: Bool = false) {
        add(Watch(directory: directory, run: nil, writes: writes))
    }

    /// The same of a container's directory.
    package func watch(_ container: ContainerDirectory) {
        add(Watch(directory: container.path, run: container.run, writes: false))
    }

    /// The same of a directory at or below a run directory, through no link.
    package func watch(_ directory: BytePath, in run: RunDirectory, writes: Bool = false) {
        add(Watch(directory: directory, run: run, writes: writes))
    }

    private func add(_ watch: Watch) {
        if !begin(watch) { unwatched.append(watch) }
    }

    private func begin(_ watch: Watch) -> Bool {
        guard let descriptor else { return false }
        var events = UInt32(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE) | UInt32(IN_MASK_ADD)
        if watch.writes { events |= UInt32(IN_MODIFY) }
        events |= UInt32(IN_ONLYDIR)
        guard let run = watch.run else {
            return unsafe watch.directory.withCString { unsafe inotify_add_watch(descriptor, $0, events) } != -1
        }
        guard let place = try? run.place(),
            let opened = try? place.directory.open(run.relative(watch.directory), linux_o_path() | O_DIRECTORY)
        else { return false }
        // By the open directory; where there is no /proc, by its path, through no link at its end.
        for (path, flags) in [
            (BytePath("/proc/self/fd/\(opened.raw)"), events), (watch.directory, events | UInt32(IN_DONT_FOLLOW)),
        ] {
            if unsafe path.withCString({ unsafe inotify_add_watch(descriptor, $0, flags) }) != -1 { return true }
        }
        return false
    }

    /// Waits until something may have changed, one of `others` has events, or the clock of `monotonicNanoseconds` reaches
    /// `deadline`; nil for no limit of the caller's own. May return early.
    ///
    /// - Returns: whether something may have changed in the directories.
    @discardableResult
    package func wait(until deadline: Int64? = nil, also others: inout PollSet) throws(SystemError) -> Bool {
        if let opening {
            if try others.wait(until: min(deadline ?? opening, opening)) || monotonicNanoseconds() < opening { return false }
            open()
            unwatched.removeAll { begin($0) }
            // What happened until now is nowhere reported.
            return true
        }
        if descriptor != nil, !unwatched.isEmpty {
            let before = unwatched.count
            unwatched.removeAll { begin($0) }
            // What happened before the watch began is nowhere reported.
            if unwatched.count < before { return true }
        }
        if nextLook == 0 { scheduleLook() }
        let own = descriptor.map { others.add($0, .readable) }
        try others.wait(until: min(deadline ?? nextLook, nextLook))
        if let own, others[own].contains(.readable) {
            discardEvents()
            pollInterval = Self.shortestInterval
        } else if monotonicNanoseconds() < nextLook {
            return false
        }
        scheduleLook()
        return true
    }

    private func scheduleLook() {
        nextLook = monotonicNanoseconds() + (isPolling ? pollInterval : Self.recheckInterval)
        pollInterval = min(Self.longestInterval, pollInterval + pollInterval / 8)
    }

    /// As `wait(until:also:)` with nothing else to wait for.
    @discardableResult
    package func wait(until deadline: Int64? = nil) throws(SystemError) -> Bool {
        var none = PollSet()
        return try wait(until: deadline, also: &none)
    }

    /// What happened is of no interest, only that it did.
    private func discardEvents() {
        guard let descriptor else { return }
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        var count = 1
        while count > 0 {
            var span = buffer.mutableSpan
            count = (try? DescriptorIO.read(descriptor, into: &span, subject: "inotify")) ?? 0
        }
    }
}
