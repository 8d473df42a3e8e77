internal import Foundation
import Synchronization
import SystemSupport

/// A TCP server on loopback whose every connection is answered by a script, on a thread of its own.
package final class ScriptedServer: Sendable {
    /// A request as it came over the wire.
    package struct SeenRequest: Sendable {
        package var line: String
        package var headers: [String]
        package var body: [UInt8]
        package var connection: Int

        package func header(_ name: String) -> String? {
            headers.first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
                .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
        }
    }

    /// One accepted connection, for its script.
    package final class Conversation {
        package let descriptor: Int32
        package let index: Int
        private let server: ScriptedServer
        private var buffered: [UInt8] = []
        package var port: Int { server.port }

        fileprivate init(_ descriptor: Int32, _ index: Int, _ server: ScriptedServer) {
            self.descriptor = descriptor
            self.index = index
            self.server = server
        }

        /// Reads a whole request; nil once the client has gone.
        package func readRequest() -> SeenRequest? {
            guard let head = readHead() else { return nil }
            var lines = head.components(separatedBy: "\r\n")
            var request = SeenRequest(line: lines.removeFirst(), headers: lines, body: [], connection: index)
            if let length = request.header("Content-Length").flatMap({ Int($0) }) {
                guard let body = read(length) else { return nil }
                request.body = body
            } else if request.header("Transfer-Encoding") == "chunked" {
                while let size = readLine().flatMap({ Int($0, radix: 16) }), let chunk = read(size), readLine() != nil, size > 0
                {
                    request.body += chunk
                }
            }
            server.seen.withLock { $0.append(request) }
            return request
        }

        /// Reads up to the empty line; nil once the client has gone.
        package func readHead() -> String? {
            var head = ""
            while let line = readLine() {
                if line.isEmpty { return head }
                head += head.isEmpty ? line : "\r\n" + line
            }
            return nil
        }

        /// Sends all, or gives up when the client has gone.
        @discardableResult
        package func send(_ text: String) -> Bool { send(Array(text.utf8)) }

        /// - Returns: false once the client has gone.
        @discardableResult
        package func send(_ bytes: [UInt8]) -> Bool {
            var done = 0
            while done < bytes.count {
                let count = bytes[done...].withUnsafeBytes {
                    Foundation.send(descriptor, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL))
                }
                if count <= 0 { return false }
                done += count
            }
            return true
        }

        /// An answer with a length.
        package func answer(_ status: Int, headers: [String] = [], _ body: String = "") {
            let lines = ["HTTP/1.1 \(status) Text", "Content-Length: \(body.utf8.count)"] + headers
            send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
        }

        /// Ends the connection by a reset instead of an orderly close.
        package func reset() {
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        }

        /// Ends the connection after what was sent, though the script of the server would go on.
        package func end() { shutdown(descriptor, Int32(SHUT_RDWR)) }

        /// Waits until the client closes the connection.
        package func waitForClose() { while readByte() != nil {} }

        /// Passes bytes both ways between the client and a port of loopback, until either side ends.
        package func tunnel(to port: Int) {
            let other = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(other) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            address.sin_port = UInt16(port).bigEndian
            let status = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(other, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard status == 0 else { return }
            var pollers = [descriptor, other].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            while poll(&pollers, 2, -1) > 0 {
                for side in 0..<2 where pollers[side].revents != 0 {
                    let count = recv(pollers[side].fd, &chunk, chunk.count, 0)
                    if count <= 0 { return }
                    guard Foundation.send(pollers[1 - side].fd, chunk, count, Int32(MSG_NOSIGNAL)) == count else { return }
                }
            }
        }

        private func readLine() -> String? {
            var line: [UInt8] = []
            while let byte = readByte() {
                if byte == 0x0A {
                    if line.last == 0x0D { line.removeLast() }
                    return String(decoding: line, as: UTF8.self)
                }
                line.append(byte)
            }
            return nil
        }

        /// Reads that many bytes; nil once the client has gone.
        package func read(_ count: Int) -> [UInt8]? {
            var bytes: [UInt8] = []
            while bytes.count < count {
                if buffered.isEmpty, !fill() { return nil }
                let some = min(buffered.count, count - bytes.count)
                bytes += buffered[..<some]
                buffered.removeFirst(some)
            }
            return bytes
        }

        private func readByte() -> UInt8? {
            if buffered.isEmpty, !fill() { return nil }
            return buffered.removeFirst()
        }

        private func fill() -> Bool {
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count > 0 { buffered = Array(chunk[..<count]) }
            return count > 0
        }
    }

    package let port: Int
    private let listener: Int32
    private let seen = Mutex<[SeenRequest]>([])
    /// Descriptors still open: the connections and the listener. Each is closed by the thread that uses it, so that no
    /// thread can hit upon a number that was given out anew.
    private let open: Monitor<Set<Int32>>

    package var url: String { "http://127.0.0.1:\(port)" }
    /// All requests so far, in the order they were read.
    package var requests: [SeenRequest] { seen.withLock { $0 } }

    /// - Parameter script: talks on one connection; when it returns the connection is closed.
    package init(_ script: @escaping @Sendable (Conversation) -> Void) throws {
        (listener, port) = try Loopback.listen()
        open = Monitor([listener])
        let thread = Thread { [self] in accept(script) }
        thread.start()
    }

    /// Answers every request of every connection.
    package convenience init(answering answer: @escaping @Sendable (Conversation, SeenRequest) -> Void) throws {
        try self.init { conversation in
            while let request = conversation.readRequest() { answer(conversation, request) }
        }
    }

    private func accept(_ script: @escaping @Sendable (Conversation) -> Void) {
        var index = 0
        while true {
            let descriptor = Foundation.accept(listener, nil, nil)
            if descriptor < 0 { break }
            open.update { _ = $0.insert(descriptor) }
            let number = index
            index += 1
            Thread { [self] in
                script(Conversation(descriptor, number, self))
                release(descriptor)
            }.start()
        }
        release(listener)
    }

    private func release(_ descriptor: Int32) {
        open.update {
            $0.remove(descriptor)
            close(descriptor)
        }
    }

    /// Ends all connections and the listening; waits until the scripts are done.
    package func stop() {
        open.wait { open in
            for descriptor in open { shutdown(descriptor, Int32(SHUT_RDWR)) }
            return open.isEmpty ? true : nil
        }
    }
}

/// A port of loopback on which nobody listens.
package func unusedPort() throws -> Int {
    let server = try ScriptedServer { _ in }
    server.stop()
    return server.port
}
