import HTTPTransport
import RequestSigning

/// The bucket itself.
struct S3Bucket {
    let client: S3Client

    private var subject: String { "s3://\(client.endpoint.bucket)" }

    /// Makes the bucket unless it is there (contract 05 C23: it is looked for first).
    func makeIfAbsent(objectLocking: Bool) throws {
        do {
            _ = try client.send(S3Request("HEAD"), "find bucket", subject)
            return
        } catch let error as ArtifactError {
            switch error.code {
            case .refused(404, _): break
            case .refused(403, _): return  // It is there, and somebody else decides who may look.
            default: throw error
            }
        }
        var request = S3Request("PUT")
        if objectLocking { request.headers.append(("x-amz-bucket-object-lock-enabled", "true")) }
        let region = client.effectiveRegion
        if region != "us-east-1" {
            let document = Array(
                "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>\(region)</LocationConstraint></CreateBucketConfiguration>"
                    .utf8)
            request.body = .bytes(document)
            request.payload = .sha256(Digest.hash(.sha256, document))
        }
        do { _ = try client.send(request, "create bucket", subject) } catch let error as ArtifactError {
            guard case .refused(_, let word) = error.code,
                ["BucketAlreadyExists", "BucketAlreadyOwnedByYou"].contains(word)
            else { throw error }
        }
    }
}
