import Archiving
import Artifacts
import FileTrees
import Glibc
package import ProcessControl
package import SystemSupport

/// The `artifact-plugin-init` mode: runs a plugin's server for as long as the plugin's input artifacts are loaded (contract 02 §2).
package struct PluginInitRun: Sendable {
    package struct Plugin: Sendable {
        package var name: String
        /// Of its socket.
        package var folder: BytePath
        package var command: [BytePath]
        package var environment: ProcessEnvironment

        package init(name: String, folder: BytePath, command: [BytePath], environment: ProcessEnvironment) {
            self.name = name
            self.folder = folder
            self.command = command
            self.environment = environment
        }
    }

    private let plugin: Plugin
    private let drivers: DriverContext
    private let stager: InputStager

    /// Between SIGTERM and SIGKILL for a server that is no longer needed, nanoseconds.
    private static let grace: Int64 = 2_000_000_000

    package init(_ plugin: Plugin, step: StepContext, environment: Environment) {
        self.plugin = plugin
        drivers = step.drivers
        stager = InputStager(step: step, unpacking: UnpackOptions(environment, log: step.log))
    }

    /// Loads the plugin's artifacts; its server has ended when this returns.
    ///
    /// - Throws: the first error in the template's order; what the server ended with, where it did so before its work was done.
    package func run() throws {
        // Before the server, which makes its socket there.
        _ = try SharedPlace(making: plugin.folder, mode: 0o755)
        let spawner = try spawner()
        let server = Monitor(ServerState())
        let stop = try EventDescriptor()
        try WorkerThread {
            keep(spawner, server, stop)
            server.update { $0.isOver = true }
        }.detach()
        defer {
            stop.signal()
            server.wait { $0.isOver ? true : nil }
        }
        do { try stager.stage(plugin: plugin.name) } catch {
            // What breaks off because the server ends may be told a moment earlier than its end.
            guard let end = server.wait(atMost: Self.moment, { $0.end }) else { throw error }
            if let failure = server.current.failure { throw failure }
            throw ExecutorError.wrapping("the server of artifact plugin '\(plugin.name)' \(end)", error)
        }
    }

    private struct ServerState: Sendable {
        /// Why it could not be started.
        var failure: ExecutorError?
        /// How it ended before it was told to; nil while it runs.
        var end: String?
        /// Whether nothing of it is left.
        var isOver = false
    }

    private static let moment: Int64 = 200_000_000

    private func spawner() throws -> Spawner {
        guard let name = plugin.command.first else { throw ExecutorError.badRequest("no command was given after --") }
        do {
            var spawner = Spawner(
                program: try ProgramSearch.find(name, searchPath: plugin.environment["PATH"]), arguments: plugin.command,
                environment: plugin.environment)
            spawner.resetsSignals = true
            return spawner
        } catch { throw ExecutorError.wrapping(starting, error) }
    }

    private var starting: String { "start the server of artifact plugin '\(plugin.name)'" }

    /// Starts the server, waits for its end, and ends it once it is no longer needed, with all that it has started.
    private func keep(_ spawner: Spawner, _ server: Monitor<ServerState>, _ stop: EventDescriptor) {
        let process: ChildProcess
        do { process = try spawner.start() } catch {
            server.update {
                $0.failure = .wrapping(starting, error)
                $0.end = ""
            }
            return drivers.cancel()
        }
        var isNeeded = true
        while isNeeded, (try? process.poll()) == nil { isNeeded = wait(stop, or: process.exitDescriptor) }
        if isNeeded, let status = process.status, status.code != 0 {
            server.update { $0.end = Self.text(status) }
            drivers.cancel()
        }
        // A server that has gone into the background is still there.
        while isNeeded { isNeeded = wait(stop, or: nil) }
        try? process.signal(SIGTERM)
        if (try? process.wait(until: monotonicNanoseconds(after: Self.grace))) == nil {
            try? process.signal(SIGKILL)
            _ = try? process.wait()
        }
        _ = kill(-process.id, SIGKILL)
    }

    /// - Returns: false once the server is no longer needed.
    private func wait(_ stop: EventDescriptor, or exit: Int32?) -> Bool {
        var set = PollSet()
        let isStopped = set.add(stop.raw, .readable)
        if let exit { set.add(exit, .readable) }
        guard (try? set.wait(until: exit == nil ? monotonicNanoseconds(after: 50_000_000) : nil)) != nil else { return false }
        return set[isStopped].isEmpty
    }

    private static func text(_ status: ExitStatus) -> String {
        switch status {
        case .exited(let code): "ended with exit code \(code)"
        case .signaled(let number): "was killed by signal \(number)"
        }
    }
}
