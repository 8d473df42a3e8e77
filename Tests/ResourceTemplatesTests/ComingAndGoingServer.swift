import Foundation
import Synchronization
import SystemSupport
import TestSupport

/// A port of this machine that leads to another one while it is open, and to nobody while it is not.
final class ComingAndGoingServer: Sendable {
    let port: Int
    private let target: Int
    private let state = Mutex<(listener: Int32?, connections: [Int32])>((nil, []))

    /// - Parameter target: the port that connections lead to.
    init(to target: Int) throws {
        self.target = target
        let (descriptor, port) = try Loopback.listen()
        self.port = port
        Foundation.close(descriptor)
    }

    func open() throws {
        let listener = try Self.socket()
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard Self.withAddress(port, { bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0 else {
            throw SystemError("listen", "127.0.0.1:\(port)", errno)
        }
        state.withLock { $0.listener = listener }
        Thread.detachNewThread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0 { break }
                Thread.detachNewThread { [self] in tunnel(connection) }
            }
            Foundation.close(listener)
        }
    }

    /// Ends all connections and takes no more.
    func close() {
        state.withLock { state in
            if let listener = state.listener { shutdown(listener, Int32(SHUT_RDWR)) }
            for connection in state.connections { shutdown(connection, Int32(SHUT_RDWR)) }
            state = (nil, [])
        }
    }

    func stop() { close() }

    private func tunnel(_ near: Int32) {
        defer { Foundation.close(near) }
        guard let far = try? Self.socket() else { return }
        defer { Foundation.close(far) }
        guard Self.withAddress(target, { connect(far, $0, $1) }) == 0 else { return }
        state.withLock { $0.connections += [near, far] }
        defer { state.withLock { state in state.connections.removeAll { $0 == near || $0 == far } } }
        var ends = [pollfd(fd: near, events: Int16(POLLIN), revents: 0), pollfd(fd: far, events: Int16(POLLIN), revents: 0)]
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while poll(&ends, 2, -1) >= 0 {
            for (from, to) in [(0, 1), (1, 0)] where ends[from].revents != 0 {
                let count = recv(ends[from].fd, &block, block.count, 0)
                if count <= 0 { return }
                var sent = 0
                while sent < count {
                    let done = block[sent..<count].withUnsafeBytes {
                        send(ends[to].fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                    }
                    if done <= 0 { return }
                    sent += done
                }
            }
        }
    }

    private static func socket() throws -> Int32 {
        let descriptor = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if descriptor < 0 { throw SystemError("socket", "", errno) }
        return descriptor
    }

    private static func withAddress(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
