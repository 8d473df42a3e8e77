import Artifacts
import Digests
import Documents
import Encodings
import HTTPTransport
import RequestSigning

/// The bucket itself.
struct S3Bucket {
    let client: S3Client

    private var subject: String { "s3://\(client.endpoint.bucket)" }
    private static let namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

    /// Makes the bucket unless it is there (contract 05 C23: it is looked for first). Whoever makes it meanwhile is welcome; only
    /// a bucket that we made ourselves is told how to encrypt.
    func makeIfAbsent(objectLocking: Bool) throws {
        if try isThere() { return }
        do { try make(objectLocking: objectLocking) } catch let error as ArtifactError {
            guard case .refused(_, let word) = error.code,
                ["BucketAlreadyExists", "BucketAlreadyOwnedByYou"].contains(word)
            else { throw error }
            return
        }
        if let rule = client.encryption.bucketRule { try encryptByDefault(rule.algorithm, rule.keyID) }
    }

    private func isThere() throws -> Bool {
        do { _ = try client.send(S3Request("HEAD"), "find bucket", subject) } catch let error as ArtifactError {
            switch error.code {
            case .refused(404, _): return false
            // Where that cannot be asked, making it tells.
            case .refused(405, _), .refused(501, _): return false
            case .refused(403, _): return true  // It exists, but we may not look at it.
            default: throw error
            }
        }
        return true
    }

    private func make(objectLocking: Bool) throws {
        var request = S3Request("PUT")
        if objectLocking { request.headers.append(("x-amz-bucket-object-lock-enabled", "true")) }
        let region = client.effectiveRegion
        if region != "us-east-1" {
            request.setDocument(
                "<CreateBucketConfiguration xmlns=\"\(Self.namespace)\"><LocationConstraint>\(region)</LocationConstraint></CreateBucketConfiguration>"
            )
        }
        let response = try client.send(request, "create bucket", subject)
        try S3Document.checkNone(response.body, "create bucket", subject) {
            try client.error($0, to: request, "create bucket", subject)
        }
    }

    private func encryptByDefault(_ algorithm: String, _ keyID: String?) throws {
        var request = S3Request("PUT")
        request.query = [("encryption", "")]
        let key = keyID.flatMap(XMLElement.escape).map { "<KMSMasterKeyID>\($0)</KMSMasterKeyID>" } ?? ""
        request.setDocument(
            "<ServerSideEncryptionConfiguration xmlns=\"\(Self.namespace)\"><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>\(algorithm)</SSEAlgorithm>\(key)</ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"
        )
        _ = try client.send(request, "set the encryption of bucket", subject)
    }
}

extension S3Request {
    /// Makes an XML document the body, signed and with the hash that some stores insist on.
    mutating func setDocument(_ text: String) {
        let document = Array(text.utf8)
        body = .bytes(document)
        payload = .sha256(Digest.hash(.sha256, document))
        headers += [("Content-Type", "application/xml"), ("Content-MD5", Base64.encode(Digest.hash(.md5, document)))]
    }
}
