import Glibc
package import SystemSupport

/// Names of what is ours for a while, beside what it will become: random, so that they are unique, and of a form by which the
/// next process of ours knows what a killed one has left.
package struct TemporaryNames: Sendable {
    /// In directories that are not ours.
    package static let usual = TemporaryNames(prefix: ".argoexec-")

    /// How many names are tried where another process removes what we make as fast as we make it.
    static let attempts = 100

    private let prefix: [UInt8]
    private static let suffix = Array(".tmp".utf8)
    /// Of 64 random bits in base 36.
    private static let digits = 13

    package init(prefix: String) { self.prefix = Array(prefix.utf8) }

    /// A new name.
    package func make() -> BytePath {
        let number = Array(String(UInt64.random(in: .min ... .max), radix: 36).utf8)
        let padding = [UInt8](repeating: UInt8(ascii: "0"), count: Self.digits - number.count)
        return BytePath(bytes: prefix + padding + number + Self.suffix)
    }

    /// Whether a name has the form of those that `make` gives.
    package func matches(_ name: BytePath) -> Bool {
        let bytes = name.bytes
        guard bytes.count == prefix.count + Self.digits + Self.suffix.count, bytes.starts(with: prefix),
            bytes.suffix(Self.suffix.count).elementsEqual(Self.suffix)
        else { return false }
        return bytes[prefix.count..<(prefix.count + Self.digits)].allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        }
    }
}

/// The lock by which a living process keeps what it has under a temporary name: what is locked is never swept.
enum TemporaryLock {
    enum Answer { case taken, held, unsupported }

    /// Tries to lock an open file. On a file system without locks nothing is ever swept either.
    static func take(_ file: Int32) -> Answer {
        while flock(file, LOCK_EX | LOCK_NB) == -1 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK: return .held
            default: return .unsupported
            }
        }
        return .taken
    }

    /// Whether a name still is the open file: a sweeper may have been faster with its lock.
    static func stands(_ name: BytePath, in directory: Int32, for file: Int32) -> Bool {
        guard let named = try? DirectoryIO.status(directory, name, subject: ""),
            let opened = try? FileStatus.of(file, subject: "")
        else { return false }
        return named.device == opened.device && named.inode == opened.inode
    }
}
