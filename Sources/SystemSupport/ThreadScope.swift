import CThreadShims

/// What the work of a thread belongs to, for what would else have to be passed through every call: an object that a thread has while
/// a closure runs, and that the threads have which are started meanwhile (`WorkerThread`).
///
/// For observation alone, never for what a result depends on. A thread without one pays a look at a pointer.
package enum ThreadScope {
    package typealias Object = any AnyObject & Sendable

    /// The calling thread's object.
    package static var current: Object? {
        guard let pointer = unsafe thread_scope() else { return nil }
        return unsafe Unmanaged<Holder>.fromOpaque(pointer).takeUnretainedValue().object
    }

    /// Runs `body` with the object in place of the thread's own, which comes back afterwards.
    package static func with<R>(_ object: Object?, _ body: () throws -> R) rethrows -> R {
        let previous = unsafe thread_scope()
        let holder = object.map { Holder($0) }
        if let holder {
            unsafe set_thread_scope(Unmanaged.passUnretained(holder).toOpaque())
        } else {
            set_thread_scope(nil)
        }
        defer { withExtendedLifetime(holder) { unsafe set_thread_scope(previous) } }
        return try body()
    }

    private final class Holder {
        let object: Object
        init(_ object: Object) { self.object = object }
    }
}
