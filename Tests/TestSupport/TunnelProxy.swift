import Synchronization

/// A proxy on loopback that leads every connection to one port of this machine, whatever name it is asked for.
package final class TunnelProxy: Sendable {
    package enum Kind: Sendable {
        /// HTTP's CONNECT.
        case connect
        /// SOCKS 5 (RFC 1928), with a name and a password where some are offered (RFC 1929).
        case socks
    }

    /// What each connection was asked for, and what it proved itself with.
    private final class Record: Sendable {
        let asked = Mutex<[String]>([])
        let credentials = Mutex<[String]>([])

        func note(_ host: String, _ proof: String?) {
            asked.withLock { $0.append(host) }
            if let proof { credentials.withLock { $0.append(proof) } }
        }
    }

    private let record: Record
    private let server: ScriptedServer

    package var port: Int { server.port }
    /// The `host:port` that each connection was asked for.
    package var asked: [String] { record.asked.withLock { $0 } }
    /// What each connection proved itself with: `Basic …`, or `name:password`.
    package var credentials: [String] { record.credentials.withLock { $0 } }

    /// - Parameters:
    ///   - target: the port that all connections lead to.
    ///   - failures: how many connections are closed before anything is said.
    package init(_ kind: Kind, to target: Int, failingFirst failures: Int = 0) throws {
        let record = Record()
        self.record = record
        server = try ScriptedServer { conversation in
            if conversation.index < failures { return }
            let isAccepted =
                kind == .connect ? Self.acceptConnect(conversation, record) : Self.acceptSocks(conversation, record)
            if isAccepted { conversation.tunnel(to: target) }
        }
    }

    package func stop() { server.stop() }

    private static func acceptConnect(_ conversation: ScriptedServer.Conversation, _ record: Record) -> Bool {
        guard let request = conversation.readRequest() else { return false }
        let words = request.line.split(separator: " ")
        guard words.count == 3, words[0] == "CONNECT" else { return false }
        record.note(String(words[1]), request.header("Proxy-Authorization"))
        return conversation.send("HTTP/1.1 200 Connection established\r\n\r\n")
    }

    private static func acceptSocks(_ conversation: ScriptedServer.Conversation, _ record: Record) -> Bool {
        func text() -> String? {
            conversation.read(1).flatMap { conversation.read(Int($0[0])) }.map { String(decoding: $0, as: UTF8.self) }
        }
        guard let greeting = conversation.read(2), greeting[0] == 5, let methods = conversation.read(Int(greeting[1])) else {
            return false
        }
        var proof: String?
        let hasPassword = methods.contains(2)
        guard conversation.send([5, hasPassword ? 2 : 0]) else { return false }
        if hasPassword {
            guard conversation.read(1) != nil, let name = text(), let password = text(), conversation.send([1, 0]) else {
                return false
            }
            proof = "\(name):\(password)"
        }
        guard let request = conversation.read(4), request[1] == 1 else { return false }
        let host: String?
        switch request[3] {
        case 1: host = conversation.read(4)?.map { "\($0)" }.joined(separator: ".")
        case 3: host = text()
        default: return false
        }
        guard let host, let port = conversation.read(2) else { return false }
        record.note("\(host):\(Int(port[0]) << 8 | Int(port[1]))", proof)
        return conversation.send([5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
    }
}
