internal import Foundation
import Synchronization

/// A proxy on loopback that leads every connection to one port of this machine, whatever name it is asked for.
package final class TunnelProxy: Sendable {
    package enum Kind: Sendable {
        /// HTTP's CONNECT.
        case connect
        /// SOCKS 5 (RFC 1928), with a name and a password where some are asked for (RFC 1929).
        case socks
    }

    package let port: Int
    private let kind: Kind
    private let target: Int
    private let listener: Int32
    private let state = Mutex<(asked: [String], credentials: [String])>(([], []))

    /// The `host:port` that each connection was asked for.
    package var asked: [String] { state.withLock { $0.asked } }
    /// What each connection proved itself with: `Basic …`, or `name:password`.
    package var credentials: [String] { state.withLock { $0.credentials } }

    /// - Parameter target: the port that all connections lead to.
    package init(_ kind: Kind, to target: Int) throws {
        self.kind = kind
        self.target = target
        listener = Self.newSocket()
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 16) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard bound else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EINVAL) }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0 { break }
                Thread.detachNewThread { [self] in
                    serve(connection)
                    close(connection)
                }
            }
            close(listener)
        }
    }

    /// Takes no more connections.
    package func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func serve(_ connection: Int32) {
        guard kind == .connect ? acceptConnect(connection) : acceptSocks(connection) else { return }
        let other = Self.newSocket()
        defer { close(other) }
        var address = Self.loopback(target)
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(other, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if status == 0 { relay(connection, other) }
    }

    private func relay(_ left: Int32, _ right: Int32) {
        var pollers = [left, right].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while poll(&pollers, 2, -1) > 0 {
            for side in 0..<2 where pollers[side].revents != 0 {
                let count = recv(pollers[side].fd, &chunk, chunk.count, 0)
                if count <= 0 || !send(chunk.prefix(count), to: pollers[1 - side].fd) { return }
            }
        }
    }

    private func acceptConnect(_ connection: Int32) -> Bool {
        var head: [UInt8] = []
        while !head.suffix(4).elementsEqual(Array("\r\n\r\n".utf8)) {
            guard let byte = read(1, from: connection) else { return false }
            head += byte
        }
        let lines = String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count == 3, words[0] == "CONNECT" else { return false }
        let proof = lines.first { $0.lowercased().hasPrefix("proxy-authorization: ") }
        note(String(words[1]), proof.map { String($0.dropFirst("proxy-authorization: ".count)) })
        return send(Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8), to: connection)
    }

    private func acceptSocks(_ connection: Int32) -> Bool {
        guard let greeting = read(2, from: connection), greeting[0] == 5, let methods = read(Int(greeting[1]), from: connection)
        else { return false }
        var proof: String?
        let asksForPassword = methods.contains(2)
        guard send([5, asksForPassword ? 2 : 0], to: connection) else { return false }
        if asksForPassword {
            guard read(1, from: connection) != nil, let name = readText(connection), let password = readText(connection),
                send([1, 0], to: connection)
            else { return false }
            proof = "\(name):\(password)"
        }
        guard let request = read(4, from: connection), request[1] == 1 else { return false }
        let host: String
        switch request[3] {
        case 1: host = read(4, from: connection)?.map { "\($0)" }.joined(separator: ".") ?? ""
        case 3: host = readText(connection) ?? ""
        default: return false
        }
        guard let port = read(2, from: connection) else { return false }
        note("\(host):\(Int(port[0]) << 8 | Int(port[1]))", proof)
        return send([5, 0, 0, 1, 0, 0, 0, 0, 0, 0], to: connection)
    }

    private func note(_ asked: String, _ proof: String?) {
        state.withLock {
            $0.asked.append(asked)
            if let proof { $0.credentials.append(proof) }
        }
    }

    private func readText(_ connection: Int32) -> String? {
        guard let length = read(1, from: connection) else { return nil }
        return read(Int(length[0]), from: connection).map { String(decoding: $0, as: UTF8.self) }
    }

    private func read(_ count: Int, from connection: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return count == 0 || recv(connection, &bytes, count, Int32(MSG_WAITALL)) == count ? bytes : nil
    }

    private func send(_ bytes: some Collection<UInt8>, to connection: Int32) -> Bool {
        let bytes = Array(bytes)
        return Foundation.send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    private static func newSocket() -> Int32 {
        socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        address.sin_port = UInt16(port).bigEndian
        return address
    }
}
