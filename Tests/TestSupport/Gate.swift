internal import Foundation
import Synchronization

/// A way to a server that can be closed: the server is away then, and what was under way is cut off.
package final class Gate: Sendable {
    private struct State {
        var isOpen = true
        var passing: Set<Int32> = []
        var count = 0
    }

    /// What the gate shares with the threads that serve it.
    private final class Door: Sendable {
        let state = Mutex(State())

        func pass(_ conversation: ScriptedServer.Conversation, to port: Int) {
            let descriptor = conversation.descriptor
            let isOpen = state.withLock { state in
                state.count += 1
                if state.isOpen { state.passing.insert(descriptor) }
                return state.isOpen
            }
            guard isOpen else { return conversation.reset() }
            conversation.tunnel(to: port)
            // Before the descriptor is closed, so that its number means this connection.
            state.withLock { _ = $0.passing.remove(descriptor) }
        }
    }

    private let server: ScriptedServer
    private let door = Door()

    package var port: Int { server.port }
    /// How often somebody has come.
    package var connections: Int { door.state.withLock { $0.count } }

    /// - Parameter port: of the server, on loopback.
    package init(to port: Int) throws {
        let door = door
        server = try ScriptedServer { door.pass($0, to: port) }
    }

    package func close() {
        door.state.withLock { state in
            state.isOpen = false
            for descriptor in state.passing { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    package func open() { door.state.withLock { $0.isOpen = true } }

    package func stop() {
        close()
        server.stop()
    }
}
