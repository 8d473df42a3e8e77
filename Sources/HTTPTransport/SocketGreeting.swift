import Glibc
package import SystemSupport

/// Looks whether a server of HTTP/2 is there at a socket of the file system: it is once it greets (RFC 9113 §3.4). A connection alone
/// says nothing, since the kernel takes it for a server that hangs.
package enum SocketGreeting {
    /// What a client begins with, and settings of which none differs from the usual.
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]
    private static let frameHeader = 9
    private static let settingsFrame: UInt8 = 4
    private static let pause: Int64 = 50_000_000

    /// Greets, again and again until there is an answer.
    ///
    /// - Parameters:
    ///   - limit: nanoseconds.
    ///   - isStopped: asked some times a second; true ends the waiting.
    /// - Throws: `ExecutorError` with the last cause.
    package static func wait(at socket: BytePath, atMost limit: Int64, isStopped: () -> Bool) throws(ExecutorError) {
        let end = monotonicNanoseconds(after: limit)
        while true {
            let cause: String
            do throws(SystemError) {
                let answer = try greet(socket, until: end, isStopped)
                if answer.count == frameHeader, answer[3] == settingsFrame { return }
                cause = answer.isEmpty ? "no greeting came" : "what answers does not speak HTTP/2"
            } catch { cause = error.cause }
            if isStopped() { throw .failed("context canceled") }
            if monotonicNanoseconds() >= end { throw .failed("no answer within \(limit / 1_000_000_000) s: \(cause)") }
            sleepNanoseconds(pause)
        }
    }

    /// - Returns: the header of the first frame, or as much as came of it.
    private static func greet(_ path: BytePath, until end: Int64, _ isStopped: () -> Bool) throws(SystemError) -> [UInt8] {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let connection = Descriptor(owning: try checked("socket", path.text) { socket(AF_UNIX, type, 0) })
        try connect(connection.raw, path)
        try checked("write", path.text) {
            unsafe preface.withUnsafeBytes { unsafe send(connection.raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        }
        var answer: [UInt8] = []
        while answer.count < frameHeader {
            var set = PollSet()
            set.add(connection.raw, .readable)
            guard try set.wait(until: min(end, monotonicNanoseconds() + 4 * pause)) else {
                if isStopped() || monotonicNanoseconds() >= end { break }
                continue
            }
            var buffer = [UInt8](repeating: 0, count: frameHeader - answer.count)
            let count = try checked("read", path.text) {
                unsafe buffer.withUnsafeMutableBytes { unsafe recv(connection.raw, $0.baseAddress, $0.count, 0) }
            }
            if count == 0 { break }
            answer += buffer[..<count]
        }
        return answer
    }

    private static func connect(_ descriptor: Int32, _ path: BytePath) throws(SystemError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.bytes.count < room else { throw SystemError("connect", path.text, ENAMETOOLONG) }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.bytes) }
        try checked("connect", path.text) {
            unsafe withUnsafePointer(to: &address) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
    }
}
