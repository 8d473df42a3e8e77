import ExecutorCore
import HTTPTransport

/// One object in a bucket.
struct S3Object: StoredObject {
    let client: S3Client
    let key: [UInt8]
    let subject: String
    let head: ObjectHead

    /// The same object with all that HEAD tells.
    func described() throws -> S3Object {
        S3Object(client: client, key: key, subject: subject, head: try describe())
    }

    func describe() throws -> ObjectHead {
        if head.checksum != nil { return head }
        var request = S3Request("HEAD", key: key)
        request.headers = [("x-amz-checksum-mode", "ENABLED")] + (try client.encryption.headers(for: .read, key: key))
        let response = try client.send(request, "find", subject)
        return S3Answer.head(status: response.status, headers: response.headers)
    }

    func read(
        from offset: Int64, length: Int64?, validator: String?, receive: (ObjectHead) throws -> any ByteSink
    ) throws {
        var request = S3Request("GET", key: key)
        request.headers = [("x-amz-checksum-mode", "ENABLED")] + (try client.encryption.headers(for: .read, key: key))
        if let length {
            let (last, overflow) = offset.addingReportingOverflow(length - 1)
            request.headers.append(("Range", "bytes=\(offset)-\(overflow ? .max : last)"))
        } else if offset > 0 {
            request.headers.append(("Range", "bytes=\(offset)-"))
        }
        if let validator { request.headers.append(("If-Match", validator)) }
        request.expectsLargeBody = (length ?? head.length.map { $0 - offset } ?? .max) > Self.largeBody
        do {
            let isRanged = length != nil || offset > 0
            _ = try client.download(request, "load", subject) { answer in
                var head = S3Answer.head(status: answer.status, headers: answer.headers)
                // Whoever answers a range with the whole knows no ranges, whatever its headers say.
                if isRanged, answer.status == 200 { head.supportsRanges = false }
                return try receive(head)
            }
        } catch let error as ArtifactError {
            guard validator != nil, case .refused(412, _) = error.code else { throw error }
            throw ArtifactError.changed("load", subject)
        }
    }

    private static let largeBody: Int64 = 1 << 20
}
