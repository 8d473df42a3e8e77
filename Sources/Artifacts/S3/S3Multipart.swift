import ExecutorCore
import Formats
import HTTPTransport
import RequestSigning

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
        var request = S3Request("POST", key: key)
        request.query = [("uploads", "")]
        request.headers = [
            ("Content-Type", contentType), ("x-amz-checksum-algorithm", "CRC32C"), ("x-amz-checksum-type", "FULL_OBJECT"),
        ]
        request.headers += try client.encryption.headers(for: .create, key: key)
        let response = try client.send(request, "save", subject)
        guard let id = XMLElement.parse(response.body)?["UploadId"]?.text, !id.isEmpty else {
            throw ArtifactError.damaged("save", subject, "the answer to the start of a multipart upload names no upload")
        }
        // Only a store that says it back really checks; with others MD5 does the work.
        let integrity: S3MultipartUpload.Integrity
        if response.headers["x-amz-checksum-algorithm"]?.uppercased() != "CRC32C" {
            integrity = .md5
        } else if response.headers["x-amz-checksum-type"]?.uppercased() == "FULL_OBJECT" {
            integrity = .crc32cOfObject
        } else {
            integrity = .crc32cOfParts
        }
        return S3MultipartUpload(client: client, key: key, subject: subject, id: id, integrity: integrity)
    }
}

/// A multipart upload that S3 has begun.
struct S3MultipartUpload: MultipartUpload {
    /// What the store checks.
    enum Integrity {
        case md5, crc32cOfParts, crc32cOfObject
    }

    let client: S3Client
    let key: [UInt8]
    let subject: String
    let id: String
    let integrity: Integrity

    func put(part number: Int, _ body: ObjectBody) throws -> PartReceipt {
        let checksums = try S3Checksums(of: body, needsHash: integrity == .md5)
        var request = S3Request("PUT", key: key)
        request.query = [("partNumber", String(number)), ("uploadId", id)]
        if let hash = checksums.md5 {
            request.headers = [("Content-MD5", Base64.encode(hash))]
        } else {
            request.headers = [("x-amz-checksum-crc32c", checksums.crc32cText)]
        }
        request.headers += try client.encryption.headers(for: .putPart, key: key)
        request.body = try body.http()
        request.payload = .unsigned
        let response = try client.send(request, "save part \(number) of", subject)
        try checksums.compare(with: response, subject)
        guard let tag = response.headers["ETag"], !tag.isEmpty else {
            throw ArtifactError.damaged("save part \(number) of", subject, "the answer has no ETag")
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
            // The status is sent before the work is done: an error can still follow in the body.
            let body = response.body.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
            guard let root = XMLElement.parse(Array(body)) else {
                throw ArtifactError.damaged("complete", subject, "the answer is not XML")
            }
            if root.name == "Error" { throw try client.error(root, to: request, "complete", subject) }
            if let told = root["ChecksumCRC32C"]?.text, integrity == .crc32cOfObject,
                told != S3Checksums.text(whole.crc32c)
            {
                throw ArtifactError.damaged("complete", subject, "the store put other bytes together")
            }
        } catch let error as ArtifactError {
            guard case .refused(_, "NoSuchUpload") = error.code, try isThere(whole) else { throw error }
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

    /// Whether the object is the one that was to be made: a repeated completion finds no upload any more.
    private func isThere(_ whole: (length: Int64, crc32c: UInt32)) throws -> Bool {
        let head = try S3Object(client: client, key: key, subject: subject, head: ObjectHead()).describe()
        guard head.length == whole.length else { return false }
        if case .cyclic(.crc32c, let value)? = head.checksum { return value == UInt64(whole.crc32c) }
        return true
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
