package import Formats
import RequestSigning

/// A checksum of a whole object, as a store tells it.
package enum ObjectChecksum: Sendable, Equatable {
    case cyclic(CyclicChecksum, UInt64)
    case md5([UInt8])
}

/// Computes the checksum of bytes as they pass, to compare it with the one told.
final class ChecksumMeter {
    private let expected: ObjectChecksum
    private var cyclic: UInt64 = 0
    private let digest: Digest?

    init(_ expected: ObjectChecksum) {
        self.expected = expected
        digest = if case .md5 = expected { Digest(.md5) } else { nil }
    }

    func update(_ bytes: Span<UInt8>) {
        switch expected {
        case .cyclic(let algorithm, _): cyclic = algorithm.update(cyclic, bytes)
        case .md5: digest?.update(bytes)
        }
    }

    /// The checksum of the bytes so far, where it is a cyclic one.
    var cyclicValue: UInt64? { if case .cyclic = expected { cyclic } else { nil } }

    /// Whether all bytes together have the expected checksum; asked once, at the end.
    func matches() -> Bool {
        switch expected {
        case .cyclic(_, let value): cyclic == value
        case .md5(let hash): digest?.finish() == hash
        }
    }
}
