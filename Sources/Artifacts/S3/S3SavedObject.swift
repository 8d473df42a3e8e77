import Artifacts
import Digests
import HTTPTransport
import SystemSupport

/// An object that was just saved: what the store says that it holds is compared with what was sent.
struct S3SavedObject {
    let client: S3Client
    let key: [UInt8]
    let subject: String
    /// Bytes that were sent.
    let length: Int64
    let crc32c: UInt32
    /// As the store names it; nil for none.
    let version: String?

    /// Compares the answer to a PUT of the whole; its checksums have been.
    ///
    /// - Throws: `ArtifactError` (`damaged`) where the store holds something else.
    func check(_ response: HTTPResponse, _ checksums: S3Checksums, _ body: ObjectBody) throws {
        // A checksum of what the store received is proof enough.
        if S3Checksums.isTold(response) { return }
        guard let tag = response.headers["ETag"], !tag.isEmpty else { return try confirm() }
        guard client.has(.hashETags), !isEncryptedForOthers(response.headers), let told = S3Answer.md5(ofETag: tag) else {
            return
        }
        let sent: [UInt8]
        if let md5 = checksums.md5 { sent = md5 } else { sent = try S3Checksums(of: body, needsHash: true).md5 ?? [] }
        if told != sent { try settle(.hashETags, isFinal: false) }
    }

    /// Asks for the object whose ETag is not the MD5 of what was sent: equal bytes mean that this store's ETags are none.
    ///
    /// - Parameter isFinal: whether saving it again is no way out.
    func settle(_ doubted: S3Extension, isFinal: Bool) throws {
        let found = try readBack()
        guard found.length == length, found.crc32c == crc32c else {
            throw ArtifactError.damaged(
                "save", subject, "read back, the object is not what was sent: \(found.length) bytes, \(length) bytes were sent",
                isFinal: isFinal)
        }
        client.noteETagIsNoMD5(doubted)
    }

    /// Asks for the object of which the store tells something that cannot be compared with what was sent, if that is allowed.
    ///
    /// - Returns: whether it was read, and is what was sent.
    func isReadBack() throws -> Bool {
        let found: (length: Int64, crc32c: UInt32)
        do { found = try readBack() } catch let error as ArtifactError {
            // Whoever may write need not be allowed to read.
            if case .refused(let status, _) = error.code, [401, 403].contains(status) { return false }
            throw error
        }
        guard found.length == length, found.crc32c == crc32c else {
            throw ArtifactError.damaged(
                "save", subject, "read back, the object is not what was sent: \(found.length) bytes, \(length) bytes were sent",
                isFinal: true)
        }
        return true
    }

    /// Asks for an object of which the answer to the save has told nothing.
    func confirm() throws {
        let head: ObjectHead
        do { head = try object.describe() } catch let error as ArtifactError {
            // Whoever may write need not be allowed to read.
            if case .refused(let status, _) = error.code, [400, 401, 403, 405, 501].contains(status) { return }
            if error.isNotFound {
                throw ArtifactError.damaged("save", subject, "the store has answered with success, but has no such object")
            }
            throw error
        }
        if let told = head.length, told != length {
            throw ArtifactError.damaged("save", subject, "the store has \(told) bytes of \(length)")
        }
        if case .cyclic(.crc32c, let told)? = head.checksum, told != UInt64(crc32c) {
            throw ArtifactError.damaged("save", subject, "the store has other bytes: their CRC32C differs from what was sent")
        }
    }

    /// Whether the ETag is of bytes that are never served: encrypted with a key of ours or of a key service.
    func isEncryptedForOthers(_ headers: HTTPHeaders) -> Bool {
        if S3Answer.hasForeignKey(headers) { return true }
        switch client.encryption {
        case .none, .store: return false
        case .managed, .customer: return true
        }
    }

    private var object: S3Object {
        S3Object(
            client: client, key: key, subject: subject, head: ObjectHead(length: length),
            version: version.flatMap { $0.isEmpty || $0 == "null" ? nil : $0 })
    }

    private func readBack() throws -> (length: Int64, crc32c: UInt32) {
        let sink = MeasuringSink()
        try object.read(from: 0, length: nil, validator: nil) { _ in sink }
        return (sink.length, UInt32(truncatingIfNeeded: sink.crc32c))
    }

    /// Keeps nothing of what it is given but length and checksum.
    private final class MeasuringSink: ByteSink {
        private(set) var length: Int64 = 0
        private(set) var crc32c: UInt64 = 0

        func write(_ bytes: Span<UInt8>) {
            length += Int64(bytes.count)
            crc32c = CyclicChecksum.crc32c.update(crc32c, bytes)
        }
    }
}
