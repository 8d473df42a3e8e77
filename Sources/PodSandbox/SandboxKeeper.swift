import Glibc
import ProcessControl
import Synchronization
import SystemSupport

/// Sees to it that no sandbox outlives us, whatever ends us.
///
/// Bubblewrap ends with us, and a sandbox with its bubblewrap, but not one that is being set up at that moment: its first process
/// asks for its parent's death to be told only before it starts the command. So all are in one process group from their very
/// start, that of a shell which waits for our end and then kills its group. A sandbox must not have a session of its own for that,
/// at least not before its command makes one.
final class SandboxKeeper: Sendable {
    private final class State {
        var shell: ChildProcess?
        /// The shell's standard input: a line lets it go, the mere end makes it kill.
        var input: Descriptor?
    }

    private let state = Mutex(State())

    init() {}

    deinit {
        state.withLock { state in
            guard let input = state.input?.raw else { return }
            try? DescriptorIO.write(input, [0x0A].span, subject: "keeper")
            _ = try? state.shell?.wait(until: monotonicNanoseconds() + 1_000_000_000)
        }
    }

    /// The group for a new sandbox; nil where there is no shell to keep one.
    func group() -> Int32? {
        state.withLock { state in
            if let shell = state.shell, (try? shell.poll()) == .some(nil) { return shell.id }
            state.shell = nil
            state.input = nil
            guard let pipe = try? Pipe() else { return nil }
            let reading = Descriptor(owning: pipe.reading)
            let writing = Descriptor(owning: pipe.writing)
            guard let null = try? Descriptor.open("/dev/null", O_WRONLY) else { return nil }
            var spawner = Spawner(
                program: "/bin/sh", arguments: ["sh", "-c", "read -r line || kill -KILL 0"],
                environment: ProcessEnvironment([]))
            spawner.placement = .newGroup
            spawner.closesOtherDescriptors = true
            spawner.standardInput = reading.raw
            spawner.standardOutput = null.raw
            spawner.standardError = null.raw
            guard let shell = try? spawner.start() else { return nil }
            state.shell = shell
            state.input = consume writing
            return shell.id
        }
    }
}
