import ProcessControl
import Synchronization
package import SystemSupport

/// Ends pods that are being run, from another thread: gently at the first request, at once at the second.
package final class PodStop: Sendable {
    let gentle: EventDescriptor
    let immediate: EventDescriptor
    private let requests = Atomic(0)

    package init() throws(SystemError) {
        gentle = try EventDescriptor()
        immediate = try EventDescriptor()
    }

    /// Asks for the end: SIGTERM now and SIGKILL after the pod's grace period; when asked again, SIGKILL now.
    package func request() {
        let before = requests.add(1, ordering: .relaxed).oldValue
        if before == 0 { gentle.signal() } else { immediate.signal() }
    }

    package var isRequested: Bool { requests.load(ordering: .relaxed) > 0 }

    /// Whether it was asked for more than once.
    var isUrgent: Bool { requests.load(ordering: .relaxed) > 1 }
}
