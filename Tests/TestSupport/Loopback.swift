internal import Foundation
import SystemSupport

/// Sockets for servers of the tests' own.
package enum Loopback {
    /// Listens on a free port of 127.0.0.1.
    package static func listen() throws(SystemError) -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && Foundation.listen(descriptor, 64) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        if !bound { throw SystemError("listen", "127.0.0.1", errno) }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }
}
