import ExecutorCore
import Formats
import HTTPTransport
import RequestSigning

/// Stores one object by one request.
struct S3Put {
    let client: S3Client
    let key: [UInt8]
    let subject: String

    func send(_ body: ObjectBody, contentType: String) throws {
        let checksums = try S3Checksums(of: body, needsHash: !client.bucketState.echoesChecksums)
        var request = S3Request("PUT", key: key)
        request.headers = [("Content-Type", contentType), ("x-amz-checksum-crc32c", checksums.crc32cText)]
        if let hash = checksums.md5 { request.headers.append(("Content-MD5", Base64.encode(hash))) }
        request.headers += try client.encryption.headers(for: .create, key: key)
        request.body = try body.http()
        request.payload = .unsigned
        let response = try client.send(request, "save", subject)
        try checksums.compare(with: response, subject)
        if response.headers["x-amz-checksum-crc32c"] != nil { client.bucketState.echoesChecksums = true }
    }
}

/// The checksums of a body that is about to be sent.
struct S3Checksums {
    let crc32c: UInt32
    let md5: [UInt8]?

    /// Reads the body once.
    init(of body: ObjectBody, needsHash: Bool) throws {
        let digest = needsHash ? Digest(.md5) : nil
        var crc: UInt64 = 0
        switch body {
        case .bytes(let bytes):
            crc = CyclicChecksum.crc32c.update(0, bytes.span)
            digest?.update(bytes.span)
        case .file(let stretch):
            try FileReading.forEachBlock(
                stretch.file.descriptor.raw, from: stretch.offset, length: stretch.length, subject: stretch.file.subject
            ) { bytes in
                crc = CyclicChecksum.crc32c.update(crc, bytes)
                digest?.update(bytes)
            }
        case .stream: throw ArtifactError.unsupported("send a stream of unknown length to S3")
        }
        crc32c = UInt32(truncatingIfNeeded: crc)
        md5 = digest?.finish()
    }

    var crc32cText: String { Self.text(crc32c) }

    static func text(_ crc32c: UInt32) -> String { Base64.encode(CyclicChecksum.crc32c.bytes(UInt64(crc32c))) }

    /// - Throws: where the store says that it holds other bytes.
    func compare(with response: HTTPResponse, _ subject: String) throws {
        guard let told = response.headers["x-amz-checksum-crc32c"], told != crc32cText else { return }
        throw ArtifactError.damaged("save", subject, "the store received other bytes: CRC32C \(told), not \(crc32cText)")
    }
}

extension ObjectBody {
    /// The body for HTTP; for a stream of unknown length there is none that S3 takes.
    func http() throws -> HTTPBody {
        switch self {
        case .bytes(let bytes): .bytes(bytes)
        case .file(let stretch):
            .file(
                descriptor: stretch.file.descriptor.raw, offset: stretch.offset, length: stretch.length,
                subject: stretch.file.subject)
        case .stream: throw ArtifactError.unsupported("send a stream of unknown length to S3")
        }
    }
}
