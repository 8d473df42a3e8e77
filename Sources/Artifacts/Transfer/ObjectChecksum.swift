package import Digests

/// A checksum of a whole object, as a store tells it.
package enum ObjectChecksum: Sendable, Equatable {
    case cyclic(CyclicChecksum, UInt64)
    case hash(HashAlgorithm, [UInt8])
    /// An ETag that looks like an MD5: with many stores it is one, with some it only looks so.
    case etag([UInt8])

    package static func md5(_ hash: [UInt8]) -> Self { .hash(.md5, hash) }
}

/// Computes the checksum of bytes as they pass, to compare it with the one told.
final class ChecksumMeter {
    let expected: ObjectChecksum
    private(set) var cyclic: UInt64 = 0
    private(set) var length: Int64 = 0
    private let digest: Digest?

    init(_ expected: ObjectChecksum) {
        self.expected = expected
        digest =
            switch expected {
            case .hash(let algorithm, _): Digest(algorithm)
            case .etag: Digest(.md5)
            case .cyclic: nil
            }
    }

    func update(_ bytes: Span<UInt8>) {
        length += Int64(bytes.count)
        switch expected {
        case .cyclic(let algorithm, _): cyclic = algorithm.update(cyclic, bytes)
        case .hash: digest?.update(bytes)
        case .etag:
            digest?.update(bytes)
            // Tells whether another transfer brings the same.
            cyclic = CyclicChecksum.crc32c.update(cyclic, bytes)
        }
    }

    /// The checksum of the bytes so far, where a cyclic one is told.
    var cyclicValue: UInt64? { if case .cyclic = expected { cyclic } else { nil } }

    /// Whether all bytes together have the expected checksum; asked once, at the end.
    func matches() -> Bool {
        switch expected {
        case .cyclic(_, let value): cyclic == value
        case .hash(_, let hash), .etag(let hash): digest?.finish() == hash
        }
    }
}
