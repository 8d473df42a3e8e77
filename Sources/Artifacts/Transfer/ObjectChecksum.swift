package import Formats
package import RequestSigning

/// A checksum of a whole object, as a store tells it.
package enum ObjectChecksum: Sendable, Equatable {
    case cyclic(CyclicChecksum, UInt64)
    case hash(HashAlgorithm, [UInt8])

    package static func md5(_ hash: [UInt8]) -> Self { .hash(.md5, hash) }
}

/// Computes the checksum of bytes as they pass, to compare it with the one told.
final class ChecksumMeter {
    private let expected: ObjectChecksum
    private var cyclic: UInt64 = 0
    private let digest: Digest?

    init(_ expected: ObjectChecksum) {
        self.expected = expected
        digest = if case .hash(let algorithm, _) = expected { Digest(algorithm) } else { nil }
    }

    func update(_ bytes: Span<UInt8>) {
        switch expected {
        case .cyclic(let algorithm, _): cyclic = algorithm.update(cyclic, bytes)
        case .hash: digest?.update(bytes)
        }
    }

    /// The checksum of the bytes so far, where it is a cyclic one.
    var cyclicValue: UInt64? { if case .cyclic = expected { cyclic } else { nil } }

    /// Whether all bytes together have the expected checksum; asked once, at the end.
    func matches() -> Bool {
        switch expected {
        case .cyclic(_, let value): cyclic == value
        case .hash(_, let hash): digest?.finish() == hash
        }
    }
}
