import Synchronization

/// What the transfers of one object have brought so far, where it does not fit what the store tells: only that says whether it was
/// damaged on the way.
package final class TransferEvidence: Sendable {
    private struct Bytes: Equatable {
        let length: Int64
        let crc32c: UInt64
    }

    private struct State {
        /// What the first transfer brought that did not fit an ETag.
        var first: Bytes?
        var transfers = 0
        var isOpen = false
        var wasSuspected = false
    }
    private let state = Mutex(State())

    package init() {}

    /// Whether this is not the first transfer.
    var isRepeated: Bool { state.withLock { $0.transfers > 1 } }

    /// Notes that a transfer begins.
    ///
    /// - Returns: how many there are now.
    func begin() -> Int {
        state.withLock { state in
            state.transfers += 1
            state.isOpen = false
            return state.transfers
        }
    }

    /// Whether only another transfer can tell what is right.
    var isOpen: Bool { state.withLock { $0.isOpen } }

    /// Whether bytes without a checksum that an archive's reader could make nothing of may have been damaged: asked once, and
    /// answered with yes, so that they are fetched once more.
    package func maySuspect() -> Bool {
        state.withLock { state in
            if state.wasSuspected { return false }
            state.wasSuspected = true
            state.isOpen = true
            return true
        }
    }

    /// Compares the bytes of a whole transfer with the checksum that was told.
    ///
    /// - Throws: `ArtifactError` (`damaged`) where they are to be refused: transient while another transfer may bring others.
    func judge(_ meter: ChecksumMeter, of object: any StoredObject) throws {
        if meter.matches() { return }
        guard case .etag = meter.expected else {
            throw ArtifactError.damaged("load", object.subject, "the bytes do not have the checksum that the store tells")
        }
        let bytes = Bytes(length: meter.length, crc32c: meter.cyclic)
        let first = state.withLock { state in
            let first = state.first
            state.first = first ?? bytes
            state.isOpen = first == nil
            return first
        }
        switch first {
        case nil:
            throw ArtifactError.damaged("load", object.subject, "the bytes do not have the MD5 that the ETag looks like")
        case bytes:
            // Damage is not the same twice: the ETag is no MD5.
            if object.acceptsOtherETag() { return }
            throw ArtifactError.damaged(
                "load", object.subject, "the bytes, twice the same, do not have the MD5 that the ETag looks like", isFinal: true
            )
        default:
            throw ArtifactError.damaged(
                "load", object.subject, "two transfers brought different bytes, and neither has the MD5 of the ETag",
                isFinal: true)
        }
    }
}
