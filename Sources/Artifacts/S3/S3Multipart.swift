import Artifacts
import Digests
import Documents
import Encodings
import HTTPTransport
import Synchronization
import SystemSupport

/// One object to be stored in parts.
struct S3MultipartTarget: MultipartTarget {
    let client: S3Client
    let key: [UInt8]
    let subject: String
    let contentType: String
    let maximumParts: Int

    var limits: MultipartLimits {
        MultipartLimits(minimumPart: 5 << 20, maximumPart: 5 << 30, maximumCount: maximumParts)
    }

    func begin() throws -> any MultipartUpload {
        do { return try client.fallingBack(on: [.sentChecksums]) { try begin($0) } } catch let error as ArtifactError {
            let isClear: Bool
            switch error.code {
            case .refused(405, _), .refused(501, _): isClear = true
            case .refused(_, let word): isClear = ["NotImplemented", "MethodNotAllowed", "UnsupportedOperation"].contains(word)
            default: throw error
            }
            guard S3Extension.multipart.mayBeRefused(by: error) || isClear && !error.isTransient else { throw error }
            // What may have another cause is asked anew for the next object.
            if isClear { client.note(lacking: .multipart) }
            throw MultipartUnsupported(refusal: error)
        }
    }

    private func begin(_ used: Set<S3Extension>) throws -> any MultipartUpload {
        var request = S3Request("POST", key: key)
        request.query = [("uploads", "")]
        request.headers = [("Content-Type", contentType)]
        if used.contains(.sentChecksums) {
            request.headers += [("x-amz-checksum-algorithm", "CRC32C"), ("x-amz-checksum-type", "FULL_OBJECT")]
        }
        request.headers += try client.encryption.headers(for: .create, key: key)
        let response = try client.send(request, "save", subject)
        let root = try S3Document.read(
            response.body, root: "InitiateMultipartUploadResult", "the start of an upload in parts", "save", subject
        ) { try client.error($0, to: request, "save", subject) }
        guard let id = root["UploadId"]?.text, !id.isEmpty else {
            throw ArtifactError.unintelligible(
                "save", subject, "the answer to the start of an upload in parts names no upload")
        }
        // Only a store that says it back really checks; with others MD5 does the work.
        let integrity: S3MultipartUpload.Integrity
        if !used.contains(.sentChecksums) || response.headers["x-amz-checksum-algorithm"]?.uppercased() != "CRC32C" {
            integrity = .md5
        } else if response.headers["x-amz-checksum-type"]?.uppercased() == "FULL_OBJECT" {
            integrity = .crc32cOfObject
        } else {
            integrity = .crc32cOfParts
        }
        return S3MultipartUpload(
            client: client, key: key, subject: subject, id: id, integrity: integrity,
            isEncryptedForOthers: S3Answer.hasForeignKey(response.headers))
    }
}

/// A multipart upload that S3 has begun.
final class S3MultipartUpload: MultipartUpload {
    /// What the store checks.
    enum Integrity {
        case md5, crc32cOfParts, crc32cOfObject
    }

    private let client: S3Client
    private let key: [UInt8]
    private let subject: String
    private let id: String
    private let integrity: Integrity
    private let isEncryptedForOthers: Bool

    private struct State {
        /// MD5s of the parts as they were sent, where they were computed.
        var hashes: [Int: [UInt8]] = [:]
        /// Of the parts that were sent without a checksum that the store checks.
        var further: [Int: [UInt64]] = [:]
        /// Whether the ETag of a part looks like an MD5 of other bytes.
        var isInDoubt = false
        /// Whether the parts may have been put together already, by a request whose answer was lost.
        var mayBeComplete = false
    }
    private let state = Mutex(State())

    init(
        client: S3Client, key: [UInt8], subject: String, id: String, integrity: Integrity, isEncryptedForOthers: Bool = false
    ) {
        self.client = client
        self.key = key
        self.subject = subject
        self.id = id
        self.integrity = integrity
        self.isEncryptedForOthers = isEncryptedForOthers
    }

    func put(part number: Int, _ body: ObjectBody) throws -> PartReceipt {
        let operation = "save part \(number) of"
        let (response, checksums) = try client.fallingBack(on: optional(.unsignedPayloads)) { used in
            let needsHash = !used.contains(.sentChecksums)
            let checksums = try S3Checksums(
                of: body, needsHash: needsHash, needsPayloadHash: !used.contains(.unsignedPayloads),
                also: needsHash ? Self.further : [])
            var request = S3Request("PUT", key: key)
            request.query = [("partNumber", String(number)), ("uploadId", id)]
            if let hash = checksums.md5 {
                request.headers = [("Content-MD5", Base64.encode(hash))]
            } else {
                request.headers = [("x-amz-checksum-crc32c", checksums.crc32cText)]
            }
            request.headers += try client.encryption.headers(for: .putPart, key: key)
            request.body = try body.http()
            request.payload = checksums.payload
            let response = try client.send(request, operation, subject)
            try S3Document.checkNone(response.body, operation, subject) {
                try client.error($0, to: request, operation, subject)
            }
            return (response, checksums)
        }
        try checksums.compare(with: response, body, operation, subject)
        guard let tag = response.headers["ETag"], !tag.isEmpty else {
            throw ArtifactError.damaged(operation, subject, "the answer has no ETag")
        }
        if let sent = checksums.md5 {
            let isOther = S3Answer.md5(ofETag: tag).map { $0 != sent } ?? false
            state.withLock { state in
                state.hashes[number] = sent
                state.further[number] = checksums.others
                if isOther, !S3Checksums.isTold(response) { state.isInDoubt = true }
            }
        }
        return PartReceipt(number: number, length: body.length ?? 0, tag: tag, crc32c: checksums.crc32c)
    }

    func complete(_ parts: [PartReceipt]) throws {
        let whole = whole(parts)
        do {
            try client.fallingBack(on: optional()) { try complete(parts, whole, $0.contains(.sentChecksums)) }
        } catch let error as ArtifactError {
            guard saysUploadIsGone(error), try isThere(parts, whole) else {
                if error.isTransient { state.withLock { $0.mayBeComplete = true } }
                throw error
            }
        } catch {
            state.withLock { $0.mayBeComplete = true }
            throw error
        }
    }

    private func complete(_ parts: [PartReceipt], _ whole: (length: Int64, crc32c: UInt32), _ tellsChecksums: Bool) throws {
        var request = S3Request("POST", key: key)
        request.query = [("uploadId", id)]
        request.setDocument(document(parts, tellsChecksums))
        if tellsChecksums { request.headers += try client.encryption.headers(for: .complete, key: key) }
        if tellsChecksums, integrity == .crc32cOfObject {
            request.headers += [
                ("x-amz-checksum-crc32c", S3Checksums.text(whole.crc32c)), ("x-amz-checksum-type", "FULL_OBJECT"),
            ]
        }
        // Putting thousands of parts together can take minutes, in which some stores say nothing.
        request.stallTimeout = 600
        let response = try client.send(request, "complete", subject)
        let root = try S3Document.read(
            response.body, root: "CompleteMultipartUploadResult", "the end of an upload in parts", "complete", subject
        ) { try client.error($0, to: request, "complete", subject) }
        try compare(root, response, parts, whole)
    }

    /// What the store may refuse of a request of this upload, besides what is named: even one that says the checksum back at the
    /// start may do without.
    private func optional(_ others: S3Extension...) -> [S3Extension] {
        integrity == .md5 ? others : [.sentChecksums] + others
    }

    /// Whether a completion fails as one does that was made before.
    private func saysUploadIsGone(_ error: ArtifactError) -> Bool {
        if case .refused(_, "NoSuchUpload") = error.code { return true }
        guard state.withLock({ $0.mayBeComplete }) else { return false }
        if case .refused(400, "InvalidPart") = error.code { return true }
        return error.isNotFound
    }

    func abort() throws {
        var request = S3Request("DELETE", key: key)
        request.query = [("uploadId", id)]
        request.isCleanup = true
        do { _ = try client.send(request, "abort", subject) } catch let error as ArtifactError {
            guard case .refused(404, _) = error.code else {
                if error.isNotFound { return }
                throw error
            }
        }
    }

    // MARK: What the store holds

    /// Compares all that the answer tells of the object.
    private func compare(
        _ root: XMLElement, _ response: HTTPResponse, _ parts: [PartReceipt], _ whole: (length: Int64, crc32c: UInt32)
    ) throws {
        let saved = S3SavedObject(
            client: client, key: key, subject: subject, length: whole.length, crc32c: whole.crc32c,
            version: response.headers["x-amz-version-id"])
        if let told = root["Key"]?.text, !told.isEmpty, !isKey(told) {
            throw ArtifactError.damaged(
                "complete", subject, "the store names another object: '\(told.prefix(200))'", isFinal: true)
        }
        let lengths = [root["Size"]?.text, response.headers["x-amz-object-size"]].compactMap { $0.flatMap { Int64($0) } }
        if let other = lengths.first(where: { $0 != whole.length }) {
            throw ArtifactError.damaged(
                "complete", subject, "the store has \(other) bytes of \(whole.length)", isFinal: true)
        }
        switch try compareChecksums(root, response, parts, whole) {
        case .right: return
        // It is told, but cannot be compared.
        case .unknown: if try saved.isReadBack() { return }
        case .none: break
        }
        guard let tag = root["ETag"]?.text ?? response.headers["ETag"], !tag.isEmpty else { return try saved.confirm() }
        try settle(tag, parts, saved)
    }

    private enum Proof {
        case right, unknown
    }

    /// Compares the checksums that the answer to the completion tells, in its document or its headers.
    ///
    /// - Returns: nil where it tells none.
    private func compareChecksums(
        _ root: XMLElement, _ response: HTTPResponse, _ parts: [PartReceipt], _ whole: (length: Int64, crc32c: UInt32)
    ) throws -> Proof? {
        var proof: Proof?
        let algorithms: [(CyclicChecksum, String)] = [(.crc32c, "CRC32C"), (.crc32, "CRC32"), (.crc64nvme, "CRC64NVME")]
        for (algorithm, name) in algorithms {
            let told = [root["Checksum\(name)"]?.text, response.headers["x-amz-checksum-\(name.lowercased())"]]
                .compactMap { $0 }.filter { !$0.isEmpty }
            if told.isEmpty { continue }
            guard let right = texts(of: algorithm, parts) else {
                proof = proof ?? .unknown
                continue
            }
            guard told.allSatisfy(right.contains) else {
                throw ArtifactError.damaged(
                    "complete", subject, "the store put other bytes together: their \(name) differs from what was sent",
                    isFinal: true)
            }
            proof = .right
        }
        for case (.crc32c, let value) in S3ToldContent(response).cyclic where response.headers["x-goog-hash"] != nil {
            guard value == UInt64(whole.crc32c) else {
                throw ArtifactError.damaged("complete", subject, "the store put other bytes together", isFinal: true)
            }
            proof = .right
        }
        return proof
    }

    /// How a store may write a checksum of the object: of all bytes, or of the parts' checksums, with their number or without.
    ///
    /// - Returns: nil where the parts' checksums are not known.
    private func texts(of algorithm: CyclicChecksum, _ parts: [PartReceipt]) -> [String]? {
        var whole: UInt64 = 0
        var all: [UInt8] = []
        for part in parts {
            let value: UInt64
            if algorithm == .crc32c {
                value = UInt64(part.crc32c ?? 0)
            } else {
                let known = state.withLock { $0.further[part.number] }
                guard let index = Self.further.firstIndex(of: algorithm), let known else { return nil }
                value = known[index]
            }
            whole = algorithm.combine(whole, value, secondLength: part.length)
            all += algorithm.bytes(value)
        }
        var right = [Base64.encode(algorithm.bytes(whole))]
        if algorithm != .crc64nvme {
            let ofParts = Base64.encode(algorithm.bytes(algorithm.update(0, all.span)))
            right.append("\(ofParts)-\(parts.count)")
            if integrity != .crc32cOfObject { right.append(ofParts) }
        }
        return right
    }

    /// What stores tell of an object by themselves, if they were not sent a checksum. CRC64NVME is not among them: it takes longer to
    /// compute than MD5, which the ETags of the parts tell already.
    private static let further: [CyclicChecksum] = [.crc32]

    /// Reads the object back where its ETag, or one of its parts', is not what MD5 would make it.
    private func settle(_ tag: String?, _ parts: [PartReceipt], _ saved: S3SavedObject) throws {
        guard !saved.isEncryptedForOthers(HTTPHeaders()), !isEncryptedForOthers else { return }
        if state.withLock({ $0.isInDoubt }), client.has(.hashETags) { return try saved.settle(.hashETags, isFinal: true) }
        guard client.has(.partHashETags), let tag else { return }
        // Perhaps of the whole object, whose MD5 is not computed.
        if S3Answer.md5(ofETag: tag) != nil {
            if try saved.isReadBack() { client.note(lacking: .partHashETags) }
            return
        }
        guard let told = S3Answer.partHash(ofETag: tag) else { return }
        if let expected = hashOfParts(parts) {
            if told.hash == expected, told.parts == parts.count { return }
        } else if told.parts == parts.count {
            return
        }
        try saved.settle(.partHashETags, isFinal: true)
    }

    /// Whether the object is the one that was to be made: a repeated completion finds no upload any more.
    private func isThere(_ parts: [PartReceipt], _ whole: (length: Int64, crc32c: UInt32)) throws -> Bool {
        let head: ObjectHead
        do { head = try S3Object(client: client, key: key, subject: subject, head: ObjectHead()).describe() } catch let error
            as ArtifactError
        {
            if error.isNotFound { return false }
            throw error
        }
        guard head.length == whole.length else { return false }
        if case .cyclic(.crc32c, let value)? = head.checksum { return value == UInt64(whole.crc32c) }
        let saved = S3SavedObject(
            client: client, key: key, subject: subject, length: whole.length, crc32c: whole.crc32c, version: nil)
        try settle(head.validator, parts, saved)
        return true
    }

    /// Whether a text names our key: some stores encode it, some put a slash before it.
    private func isKey(_ told: String) -> Bool {
        let text = Array(told.utf8)
        let readings = [text, PercentEncoding.decode(text, plusIsSpace: true), PercentEncoding.decode(text)]
        // XML knows one kind of line break, and cannot hold all that keys can.
        func plain(_ key: some Sequence<UInt8>) -> [UInt8] { key.filter { $0 >= 0x20 && $0 != UInt8(ascii: "/") } }
        let own = plain(key)
        return readings.contains { plain($0) == own || plain($0) == plain(Array(client.endpoint.bucket.utf8) + key) }
    }

    /// MD5 of the parts' MD5s; nil where one of them was not computed.
    private func hashOfParts(_ parts: [PartReceipt]) -> [UInt8]? {
        state.withLock { state in
            var all: [UInt8] = []
            for part in parts {
                guard let hash = state.hashes[part.number] else { return nil }
                all += hash
            }
            return Digest.hash(.md5, all)
        }
    }

    private func whole(_ parts: [PartReceipt]) -> (length: Int64, crc32c: UInt32) {
        var length: Int64 = 0
        var crc: UInt64 = 0
        for part in parts {
            crc = CyclicChecksum.crc32c.combine(crc, UInt64(part.crc32c ?? 0), secondLength: part.length)
            length += part.length
        }
        return (length, UInt32(truncatingIfNeeded: crc))
    }

    private func document(_ parts: [PartReceipt], _ tellsChecksums: Bool) -> String {
        var text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        for part in parts {
            text += "<Part><PartNumber>\(part.number)</PartNumber><ETag>\(XMLElement.escape(part.tag) ?? "")</ETag>"
            if tellsChecksums, let crc = part.crc32c {
                text += "<ChecksumCRC32C>\(S3Checksums.text(crc))</ChecksumCRC32C>"
            }
            text += "</Part>"
        }
        return text + "</CompleteMultipartUpload>"
    }
}
