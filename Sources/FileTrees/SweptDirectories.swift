import Synchronization

/// Which directories were swept by this process.
final class Swept: Sendable {
    private struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private let known = Mutex<Set<Identity>>([])
    private static let limit = 4096

    /// Whether a directory is asked for the first time; false as well where too many have been.
    func isFirst(_ device: UInt64, _ inode: UInt64) -> Bool {
        known.withLock { known in
            known.count < Self.limit && known.insert(Identity(device: device, inode: inode)).inserted
        }
    }
}
