import Artifacts
import Digests
import Encodings
import HTTPTransport
import RequestSigning
import SystemSupport

/// Stores one object by one request.
struct S3Put {
    let client: S3Client
    let key: [UInt8]
    let subject: String

    func send(_ body: ObjectBody, contentType: String) throws {
        let (response, checksums) = try client.fallingBack(on: [.sentChecksums, .unsignedPayloads]) { used in
            let sendsChecksum = used.contains(.sentChecksums)
            let checksums = try S3Checksums(
                of: body, needsHash: !sendsChecksum || !client.bucketState.echoesChecksums,
                needsPayloadHash: !used.contains(.unsignedPayloads))
            var request = S3Request("PUT", key: key)
            request.headers = [("Content-Type", contentType)]
            if sendsChecksum { request.headers.append(("x-amz-checksum-crc32c", checksums.crc32cText)) }
            if let hash = checksums.md5 { request.headers.append(("Content-MD5", Base64.encode(hash))) }
            request.headers += try client.encryption.headers(for: .create, key: key)
            request.body = try body.http()
            request.payload = checksums.payload
            let response = try client.send(request, "save", subject)
            try S3Document.checkNone(response.body, "save", subject) { try client.error($0, to: request, "save", subject) }
            return (response, checksums)
        }
        try checksums.compare(with: response, body, "save", subject)
        if S3Checksums.isTold(response) { client.bucketState.echoesChecksums = true }
        try S3SavedObject(
            client: client, key: key, subject: subject, length: body.length ?? 0, crc32c: checksums.crc32c,
            version: response.headers["x-amz-version-id"]
        ).check(response, checksums, body)
    }
}

/// The checksums of a body that is about to be sent.
struct S3Checksums {
    let crc32c: UInt32
    let md5: [UInt8]?
    /// Of the algorithms that were wanted besides.
    let others: [UInt64]
    private let sha256: [UInt8]?

    /// Reads the body once.
    ///
    /// - Parameters:
    ///   - needsPayloadHash: whether the signature must cover the body.
    ///   - also: further cyclic checksums to compute.
    init(
        of body: ObjectBody, needsHash: Bool, needsPayloadHash: Bool = false, also: [CyclicChecksum] = []
    ) throws {
        let digest = needsHash ? Digest(.md5) : nil
        let payload = needsPayloadHash ? Digest(.sha256) : nil
        var crc: UInt64 = 0
        var others = also.map { _ in UInt64(0) }
        try body.forEachBlock { bytes in
            crc = CyclicChecksum.crc32c.update(crc, bytes)
            for (index, algorithm) in also.enumerated() { others[index] = algorithm.update(others[index], bytes) }
            digest?.update(bytes)
            payload?.update(bytes)
        }
        crc32c = UInt32(truncatingIfNeeded: crc)
        md5 = digest?.finish()
        self.others = others
        sha256 = payload?.finish()
    }

    var crc32cText: String { Self.text(crc32c) }

    var payload: SigV4.Payload { sha256.map { .sha256($0) } ?? .unsigned }

    static func text(_ crc32c: UInt32) -> String { Base64.encode(CyclicChecksum.crc32c.bytes(UInt64(crc32c))) }

    /// Whether the store tells the CRC32C of what it received.
    static func isTold(_ response: HTTPResponse) -> Bool { !(response.headers["x-amz-checksum-crc32c"] ?? "").isEmpty }

    /// - Throws: where the store says, by a checksum or a length, that it holds other bytes.
    func compare(with response: HTTPResponse, _ body: ObjectBody, _ operation: String, _ subject: String) throws {
        if let told = response.headers["x-amz-checksum-crc32c"], !told.isEmpty, told != crc32cText {
            throw ArtifactError.damaged(
                operation, subject, "the store received other bytes: CRC32C \(told), not \(crc32cText)")
        }
        let told = S3ToldContent(response)
        func differs(_ name: String) -> ArtifactError {
            .damaged(operation, subject, "the store received other bytes: their \(name) differs from what was sent")
        }
        for (algorithm, value) in told.cyclic {
            var sent = algorithm == .crc32c ? UInt64(crc32c) : 0
            if algorithm != .crc32c { try body.forEachBlock { sent = algorithm.update(sent, $0) } }
            if value != sent { throw differs("\(algorithm)") }
        }
        for (algorithm, value) in told.hashes {
            let sent: [UInt8]
            if algorithm == .md5, let md5 {
                sent = md5
            } else {
                let digest = Digest(algorithm)
                try body.forEachBlock { digest.update($0) }
                sent = digest.finish()
            }
            if value != sent { throw differs("\(algorithm)") }
        }
        if let size = told.length, let length = body.length, size != length {
            throw ArtifactError.damaged(operation, subject, "the store has \(size) bytes of \(length)")
        }
    }
}
