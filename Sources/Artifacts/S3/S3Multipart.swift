import ExecutorCore
import Formats
import HTTPTransport
import RequestSigning
import Synchronization

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
            guard case .refused(let status, let word) = error.code, !error.isTransient,
                [405, 501].contains(status) || ["NotImplemented", "MethodNotAllowed", "UnsupportedOperation"].contains(word)
            else { throw error }
            client.note(lacking: .multipart)
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
        /// Whether the ETag of a part looks like an MD5 of other bytes.
        var isInDoubt = false
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
        let (response, checksums) = try client.fallingBack(on: [.unsignedPayloads]) { used in
            let checksums = try S3Checksums(
                of: body, needsHash: integrity == .md5, needsPayloadHash: !used.contains(.unsignedPayloads))
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
                if isOther, response.headers["x-amz-checksum-crc32c"] == nil { state.isInDoubt = true }
            }
        }
        return PartReceipt(number: number, length: body.length ?? 0, tag: tag, crc32c: checksums.crc32c)
    }

    func complete(_ parts: [PartReceipt]) throws {
        var request = S3Request("POST", key: key)
        request.query = [("uploadId", id)]
        request.setDocument(document(parts))
        if integrity != .md5 { request.headers += try client.encryption.headers(for: .complete, key: key) }
        let whole = whole(parts)
        if integrity == .crc32cOfObject {
            request.headers += [
                ("x-amz-checksum-crc32c", S3Checksums.text(whole.crc32c)), ("x-amz-checksum-type", "FULL_OBJECT"),
            ]
        }
        // Putting thousands of parts together can take minutes, in which some stores say nothing.
        request.stallTimeout = 600
        do {
            let response = try client.send(request, "complete", subject)
            let root = try S3Document.read(
                response.body, root: "CompleteMultipartUploadResult", "the end of an upload in parts", "complete", subject
            ) { try client.error($0, to: request, "complete", subject) }
            try compare(root, response, parts, whole)
        } catch let error as ArtifactError {
            guard case .refused(_, "NoSuchUpload") = error.code, try isThere(parts, whole) else { throw error }
        }
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
        if let told = root["ChecksumCRC32C"]?.text, !told.isEmpty {
            let ofParts = compositeText(parts)
            var right = [S3Checksums.text(whole.crc32c), ofParts]
            if integrity != .crc32cOfObject { right.append(String(ofParts.prefix { $0 != "-" })) }
            if right.contains(told) { return }
            throw ArtifactError.damaged("complete", subject, "the store put other bytes together", isFinal: true)
        }
        guard let tag = root["ETag"]?.text ?? response.headers["ETag"], !tag.isEmpty else { return try saved.confirm() }
        try settle(tag, parts, saved)
    }

    /// Reads the object back where its ETag, or one of its parts', is not what MD5 would make it.
    private func settle(_ tag: String?, _ parts: [PartReceipt], _ saved: S3SavedObject) throws {
        guard !saved.isEncryptedForOthers(HTTPHeaders()), !isEncryptedForOthers else { return }
        if state.withLock({ $0.isInDoubt }), client.has(.hashETags) { return try saved.settle(.hashETags, isFinal: true) }
        guard client.has(.partHashETags), let told = tag.flatMap({ S3Answer.partHash(ofETag: $0) }) else { return }
        if let expected = hashOfParts(parts) {
            if told.hash == expected, told.parts == parts.count { return }
        } else if told.parts == parts.count {
            return
        }
        try saved.settle(.partHashETags, isFinal: true)
    }

    /// Whether the object is the one that was to be made: a repeated completion finds no upload any more.
    private func isThere(_ parts: [PartReceipt], _ whole: (length: Int64, crc32c: UInt32)) throws -> Bool {
        let head = try S3Object(client: client, key: key, subject: subject, head: ObjectHead()).describe()
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

    /// CRC32C of the parts' CRC32Cs, as S3 writes it.
    private func compositeText(_ parts: [PartReceipt]) -> String {
        let all = parts.flatMap { CyclicChecksum.crc32c.bytes(UInt64($0.crc32c ?? 0)) }
        return S3Checksums.text(UInt32(truncatingIfNeeded: CyclicChecksum.crc32c.update(0, all.span))) + "-\(parts.count)"
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

    private func document(_ parts: [PartReceipt]) -> String {
        var text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        for part in parts {
            text += "<Part><PartNumber>\(part.number)</PartNumber><ETag>\(XMLElement.escape(part.tag) ?? "")</ETag>"
            if integrity != .md5, let crc = part.crc32c {
                text += "<ChecksumCRC32C>\(S3Checksums.text(crc))</ChecksumCRC32C>"
            }
            text += "</Part>"
        }
        return text + "</CompleteMultipartUpload>"
    }
}
