import Artifacts
import Digests
import Encodings
import HTTPTransport
import SystemSupport

/// One object in a bucket.
struct GCSObject: StoredObject {
    let client: GCSClient
    let key: [UInt8]
    let resource: GCSResource

    var subject: String { client.subject(key) }
    var head: ObjectHead { resource.head }
    var identity: String? { resource.generation }

    private static let largeBody: Int64 = 1 << 20

    /// What the store tells of an object; one request.
    static func resource(_ client: GCSClient, _ key: [UInt8], _ operation: String = "find") throws -> GCSResource {
        let subject = client.subject(key)
        var request = GCSRequest("GET", client.objectPath(key))
        request.query = [("fields", GCSAnswer.fields)]
        let response = try client.send(request, operation, subject)
        guard let resource = GCSResource(try GCSAnswer.document(response, "an object's", operation, subject)),
            Array(resource.name.utf8) == key
        else { throw ArtifactError.unintelligible(operation, subject, "the answer does not tell of this object") }
        return resource
    }

    func read(
        from offset: Int64, length: Int64?, validator: String?, receive: (ObjectHead) throws -> any ByteSink
    ) throws {
        var request = GCSRequest("GET", client.objectPath(key))
        request.query = [("alt", "media")]
        if let validator { request.query.append(("ifGenerationMatch", validator)) }
        request.decodesGzip = resource.isGzipped
        let isRanged = (length != nil || offset > 0) && !resource.isGzipped
        if isRanged {
            let last = length.map { offset.addingReportingOverflow($0 - 1) }
            request.headers = [("Range", "bytes=\(offset)-" + (last.map { "\($0.overflow ? .max : $0.partialValue)" } ?? ""))]
        }
        request.expectsLargeBody = (length ?? head.length.map { $0 - offset } ?? .max) > Self.largeBody
        do {
            try client.send(request, "load", subject) { answer in
                try PartialAnswer.check(answer, subject)
                return try receive(answered(answer, isRanged: isRanged))
            }
        } catch let error as ArtifactError {
            if validator != nil, case .refused(let status, _) = error.code, [404, 412].contains(status) {
                throw ArtifactError.changed("load", subject)
            }
            // It was there when it was found.
            if GCSAnswer.saysAbsent(error) { throw ArtifactError.notFound("load", subject, "404 Not Found") }
            throw error
        }
    }

    /// What an answer tells of the object.
    private func answered(_ answer: HTTPResponseHead, isRanged: Bool) -> ObjectHead {
        let headers = answer.headers
        var head = ObjectHead(validator: headers["x-goog-generation"])
        let coding = headers["Content-Encoding"]?.lowercased() ?? ""
        let stored = headers["x-goog-stored-content-encoding"]?.lowercased() ?? "identity"
        // Decoded by the store or by us: length and checksums are those of the gzipped bytes.
        if answer.isDecoded || resource.isGzipped || stored == "gzip" && coding != "gzip" { return head }
        if answer.status == 206 {
            head.take(headers.contentRange)
        } else {
            head.length =
                headers["Content-Length"].flatMap { Int64($0) } ?? headers["x-goog-stored-content-length"].flatMap { Int64($0) }
        }
        // Whoever answers a range with the whole knows no ranges.
        head.supportsRanges = answer.status == 206 || !isRanged
        for (name, value) in GoogleHash.all(headers) {
            if name == "crc32c", let value = CyclicChecksum.crc32c.value(value) { head.checksum = .cyclic(.crc32c, value) }
            if name == "md5", value.count == 16, head.checksum == nil { head.checksum = .md5(value) }
        }
        return head
    }

    func acceptsOtherETag() -> Bool { false }
}
