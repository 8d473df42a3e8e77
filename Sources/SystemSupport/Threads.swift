import CThreadShims
import Glibc
import Synchronization

/// Suspends the calling thread.
package func sleepNanoseconds(_ duration: Int64) {
    guard duration > 0 else { return }
    var rest = timespec(tv_sec: Int(duration / 1_000_000_000), tv_nsec: Int(duration % 1_000_000_000))
    var left = timespec()
    while unsafe nanosleep(&rest, &left) == -1, errno == EINTR { rest = left }
}

/// A thread of our own: blocking work never runs on the cooperative pool.
package struct WorkerThread: ~Copyable, Sendable {
    private let handle: pthread_t

    private final class Start {
        let body: @Sendable () -> Void
        let scope = ThreadScope.current
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts `body` on a new thread with a small stack (512 KiB). All signals are blocked there but for those of faults, so
    /// that only the thread that asks for signals sees them. It has the scope of the calling thread (`ThreadScope`).
    package init(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setstacksize(&attributes, 512 << 10)
        var blocked = sigset_t()
        var previous = sigset_t()
        unsafe sigfillset(&blocked)
        for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP] { unsafe sigdelset(&blocked, fault) }
        unsafe pthread_sigmask(SIG_SETMASK, &blocked, &previous)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &previous, nil) }
        var handle = pthread_t()
        let start = unsafe Unmanaged.passRetained(Start(body))
        func create() -> Int32 {
            unsafe pthread_create(
                &handle, &attributes,
                { argument in
                    let start = unsafe Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                    if let scope = start.scope { ThreadScope.with(scope, start.body) } else { start.body() }
                    return nil
                }, start.toOpaque())
        }
        var status = create()
        // No other refusal is possible without asking for a schedule: a seccomp profile forbids clone3 (`linux_hide_clone3`).
        if status == EPERM, linux_hide_clone3() == 0 { status = create() }
        if status != 0 {
            unsafe start.release()
            throw SystemError("start a thread", "", status)
        }
        self.handle = handle
    }

    /// Waits for the thread's end.
    package consuming func join() { pthread_join(handle, nil) }

    /// Lets the thread run on by itself.
    package consuming func detach() { pthread_detach(handle) }
}

/// A value under a lock, with a condition to wait on: what `Mutex` lacks.
@safe
package final class Monitor<Value: Sendable>: @unchecked Sendable {
    // The mutex and the condition need a stable address, which a stored property of a class does not promise.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var value: Value

    package init(_ value: Value) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe condition.initialize(to: pthread_cond_t())
        unsafe pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
        self.value = value
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Runs `body` under the lock and wakes all waiters.
    package func update<R>(_ body: (inout Value) throws -> R) rethrows -> R {
        unsafe pthread_mutex_lock(mutex)
        defer {
            unsafe pthread_cond_broadcast(condition)
            unsafe pthread_mutex_unlock(mutex)
        }
        return try body(&value)
    }

    /// A copy of the value.
    package var current: Value {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return value
    }

    /// Waits until `body` returns something, looking again after every update.
    @discardableResult
    package func wait<R>(_ body: (inout Value) throws -> R?) rethrows -> R {
        unsafe pthread_mutex_lock(mutex)
        defer {
            unsafe pthread_cond_broadcast(condition)
            unsafe pthread_mutex_unlock(mutex)
        }
        while true {
            if let result = try body(&value) { return result }
            unsafe pthread_cond_wait(condition, mutex)
        }
    }

    /// As `wait`, but gives up after that many nanoseconds and returns nil.
    package func wait<R>(atMost nanoseconds: Int64, _ body: (inout Value) throws -> R?) rethrows -> R? {
        let end = monotonicNanoseconds(after: max(0, nanoseconds))
        var until = timespec(tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
        unsafe pthread_mutex_lock(mutex)
        defer {
            unsafe pthread_cond_broadcast(condition)
            unsafe pthread_mutex_unlock(mutex)
        }
        while true {
            if let result = try body(&value) { return result }
            if unsafe pthread_cond_timedwait(condition, mutex, &until) == ETIMEDOUT { return try body(&value) }
        }
    }
}

/// Work done side by side.
package enum Parallel {
    /// Runs `body` for each index below `count` on at most `width` threads and waits for all.
    ///
    /// Once one has failed no further index is begun. Of several failures the one with the lowest index is thrown.
    package static func forEach(count: Int, width: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
        try forEach(count: count, width: { width }, body)
    }

    /// As above, with a width that may change on the way.
    ///
    /// - Parameter width: asked at the start and after each index; threads are added where it has grown, and leave where it has
    ///   shrunk. Below 1 it counts as 1.
    package static func forEach(
        count: Int, width: @escaping @Sendable () -> Int, _ body: @escaping @Sendable (Int) throws -> Void
    ) throws {
        if count == 0 { return }
        if count == 1 { return try body(0) }
        try IndexWorkers(count: count, width: width, body).run()
    }
}

/// The threads of one `Parallel.forEach`, and what is left for them.
private final class IndexWorkers: Sendable {
    private let count: Int
    private let width: @Sendable () -> Int
    private let body: @Sendable (Int) throws -> Void
    private let state = Mutex((next: 0, failure: (index: Int, error: any Error)?.none))
    /// Threads at work, the calling one included until it has nothing more to do.
    private let working = Monitor(1)

    init(count: Int, width: @escaping @Sendable () -> Int, _ body: @escaping @Sendable (Int) throws -> Void) {
        self.count = count
        self.width = width
        self.body = body
    }

    func run() throws {
        addThreads()
        work()
        working.wait { $0 == 0 ? true : nil }
        if let failure = state.withLock({ $0.failure }) { throw failure.error }
    }

    private func work() {
        repeat {
            guard let index = takeIndex() else {
                working.update { $0 -= 1 }
                return
            }
            do { try body(index) } catch {
                state.withLock { if $0.failure == nil || index < $0.failure!.index { $0.failure = (index, error) } }
            }
            addThreads()
        } while !leave()
    }

    /// Whether this thread is one too many. The last one stays.
    private func leave() -> Bool {
        // The width is asked under the lock: what was asked before would hold threads that have become too many.
        working.update { working in
            guard working > max(1, width()) else { return false }
            working -= 1
            return true
        }
    }

    /// Where no thread can be started, fewer do the same work.
    private func addThreads() {
        while working.update({ working in
            guard working < min(width(), count), hasMore else { return false }
            working += 1
            return true
        }) {
            do { try WorkerThread { self.work() }.detach() } catch {
                working.update { $0 -= 1 }
                return
            }
        }
    }

    private var hasMore: Bool { state.withLock { $0.next < count && $0.failure == nil } }

    private func takeIndex() -> Int? {
        state.withLock { state in
            guard state.next < count, state.failure == nil else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }
}
