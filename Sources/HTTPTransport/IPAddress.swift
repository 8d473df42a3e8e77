import Glibc

/// An IPv4 or IPv6 address; an IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is the same as itself.
package struct IPAddress: Equatable {
    /// 4 or 16.
    let bytes: [UInt8]

    package init?(_ text: String) {
        var four = in_addr()
        if unsafe inet_pton(AF_INET, text, &four) == 1 {
            bytes = unsafe withUnsafeBytes(of: four) { unsafe Array($0) }
            return
        }
        var sixteen = in6_addr()
        guard unsafe inet_pton(AF_INET6, text, &sixteen) == 1 else { return nil }
        let all = unsafe withUnsafeBytes(of: sixteen) { unsafe Array($0) }
        let mapped = all[..<10].allSatisfy { $0 == 0 } && all[10] == 0xFF && all[11] == 0xFF
        bytes = mapped ? Array(all[12...]) : all
    }

    package var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }
}

/// A network in CIDR notation.
struct IPNetwork {
    private let address: IPAddress
    private let length: Int

    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(String(parts[0])), let length = Int(parts[1]), length >= 0,
            length <= address.bytes.count * 8
        else { return nil }
        self.address = address
        self.length = length
    }

    func contains(_ other: IPAddress) -> Bool {
        guard other.bytes.count == address.bytes.count else { return false }
        for index in 0..<length {
            let mask = UInt8(0x80) >> UInt8(index % 8)
            if (address.bytes[index / 8] ^ other.bytes[index / 8]) & mask != 0 { return false }
        }
        return true
    }
}
