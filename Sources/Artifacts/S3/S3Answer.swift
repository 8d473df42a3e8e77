import Artifacts
import Digests
import Documents
import Encodings
import HTTPTransport
import SystemSupport

/// What S3's answers say: errors, heads of objects.
enum S3Answer {
    /// Codes of errors that may go away (contract 02 §12, driver additions).
    private static let transientWords: Set<String> = [
        "RequestError", "RequestTimeout", "Throttling", "ThrottlingException", "RequestLimitExceeded", "RequestThrottled",
        "InternalError", "SlowDown", "ServiceUnavailable",
        // Bytes were changed or lost on the way, or the file changed while it was being sent: the next attempt reads it anew.
        "BadDigest", "XAmzContentChecksumMismatch", "IncompleteBody",
        // Somebody else is at the bucket, e.g. making it.
        "OperationAborted",
    ]
    /// Codes that say that the credential was good once and no longer is.
    private static let expiryWords: Set<String> = [
        "ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired",
    ]

    /// An answer that is no success, as the code word and sentence that it carries.
    struct Failure {
        let status: Int
        let word: String
        let text: String
        /// The region that the bucket is in, where the answer says so.
        let region: String?
        /// A 400 in the words of an HTTP server or proxy rather than S3's: it did not get the whole request.
        private let isGarbledRequest: Bool
        /// Whether nothing in the answer is S3's: some other server may have answered.
        private let isForeign: Bool

        /// - Parameter hasKey: whether the request was for an object, not for the bucket.
        init(status: Int, headers: HTTPHeaders, body: [UInt8], hasKey: Bool) {
            self.status = status
            let root = XMLElement.parse(body)
            let error = root?.name == "Error" ? root : nil
            isGarbledRequest = status == 400 && root == nil && !body.isEmpty
            isForeign = error?["Code"] == nil && headers["x-minio-error-code"] == nil && headers["x-amz-request-id"] == nil
            region = headers["x-amz-bucket-region"] ?? error?["Region"]?.text
            // The answer to HEAD has no body; MinIO then says the word in a header.
            if let word = error?["Code"]?.text ?? headers["x-minio-error-code"] {
                self.word = word
                text = error?["Message"]?.text ?? headers["x-minio-error-desc"] ?? ""
            } else {
                (word, text) = Self.byStatus(status, hasKey: hasKey)
            }
        }

        init(_ response: HTTPResponse, hasKey: Bool) {
            self.init(status: response.status, headers: response.headers, body: response.body, hasKey: hasKey)
        }

        /// An error that stands in an answer of status 200, as completing an upload may bring.
        init(error: XMLElement) {
            status = 200
            word = error["Code"]?.text ?? ""
            text = error["Message"]?.text ?? ""
            region = nil
            isGarbledRequest = false
            isForeign = false
        }

        var isTransient: Bool {
            isGarbledRequest || transientWords.contains(word) || status >= 500 && status != 501
                || HTTPStatus.isPassingRefusal(status)
        }

        var saysExpired: Bool { expiryWords.contains(word) }

        /// - Parameters:
        ///   - secrets: what was sent, and must not be shown where the answer repeats it.
        ///   - canRenew: whether another attempt would be made with a fresh credential.
        func error(
            _ operation: String, _ subject: String, hiding secrets: [Secret], canRenew: Bool = false
        ) -> ArtifactError {
            if status == 404, word == "NoSuchKey" { return .notFound(operation, subject, "404 NoSuchKey") }
            let error = ArtifactError.refused(
                operation, subject, status: status, word: word, text: text, hiding: secrets,
                isTransient: isTransient || canRenew)
            return isForeign ? error.foreign : error
        }

        private static func byStatus(_ status: Int, hasKey: Bool) -> (String, String) {
            switch status {
            case 404: hasKey ? ("NoSuchKey", "") : ("NoSuchBucket", "")
            case 403: ("AccessDenied", "")
            case 409: ("Conflict", "")
            case 412: ("PreconditionFailed", "")
            default: ("", "")
            }
        }
    }

    /// What the headers of HEAD or GET tell of an object.
    ///
    /// - Parameters:
    ///   - found: the length that counts where the answer, to GET, tells none.
    ///   - anySize: whether an ETag that looks like an MD5 counts for objects of any size.
    static func head(status: Int, headers: HTTPHeaders, found: Int64? = nil, anySize: Bool = false) -> ObjectHead {
        var head = ObjectHead(validator: headers["ETag"], supportsRanges: headers["Accept-Ranges"] != "none")
        let length = headers["Content-Length"].flatMap { Int64($0) } ?? (isAsStored(headers) ? found : nil)
        if status == 206 {
            head.take(headers.contentRange)
        } else {
            head.length = length
            head.checksum = checksum(headers, length: length, anySize: anySize)
        }
        return head
    }

    /// The best checksum of the whole object; those put together from parts' own cannot be checked. A store that does not say
    /// which of both it means may mean either where the ETag tells of parts.
    private static func checksum(_ headers: HTTPHeaders, length: Int64?, anySize: Bool) -> ObjectChecksum? {
        let isOfParts = headers["ETag"].map { $0.utf8.contains(UInt8(ascii: "-")) } ?? false
        if headers["x-amz-checksum-type"].map({ $0.uppercased() == "FULL_OBJECT" }) ?? !isOfParts {
            if let cyclic = cyclicChecksums(headers).first { return .cyclic(cyclic.algorithm, cyclic.value) }
            let hashes: [(HashAlgorithm, String)] = [(.sha256, "sha256"), (.sha1, "sha1")]
            for (algorithm, name) in hashes {
                guard let hash = headers["x-amz-checksum-\(name)"].flatMap(Base64.decode), hash.count == algorithm.length else {
                    continue
                }
                return .hash(algorithm, hash)
            }
        }
        let google = GoogleHash.all(headers).first { $0.name == "crc32c" }?.value
        if isAsStored(headers), let value = google.flatMap(CyclicChecksum.crc32c.value) {
            return .cyclic(.crc32c, value)
        }
        guard let length, anySize || length <= etagCheckLimit, let etag = headers["ETag"], !hasForeignKey(headers) else {
            return nil
        }
        return md5(ofETag: etag).map { .etag($0) }
    }

    /// Whether the bytes come as they are stored: Google unpacks some on the way.
    private static func isAsStored(_ headers: HTTPHeaders) -> Bool {
        headers["x-goog-stored-content-encoding"].map { $0 == "identity" } ?? true
    }

    /// The cyclic checksums of a whole body or object that headers tell.
    static func cyclicChecksums(_ headers: HTTPHeaders) -> [(algorithm: CyclicChecksum, value: UInt64)] {
        let algorithms: [(CyclicChecksum, String)] = [(.crc32c, "crc32c"), (.crc32, "crc32"), (.crc64nvme, "crc64nvme")]
        return algorithms.compactMap { algorithm, name in
            headers["x-amz-checksum-\(name)"].flatMap(Base64.decode).flatMap(algorithm.value).map { (algorithm, $0) }
        }
    }

    /// Above this an MD5 takes longer than the transfer.
    static let etagCheckLimit: Int64 = 64 << 20

    /// Whether the object is stored under a key of the customer's or of KMS: its ETag is no MD5 then.
    static func hasForeignKey(_ headers: HTTPHeaders) -> Bool {
        headers["x-amz-server-side-encryption-customer-algorithm"] != nil
            || headers["x-amz-server-side-encryption"].map { $0 != "AES256" } ?? false
    }

    /// The MD5 that an ETag looks like: of an object that was stored in one piece it is one.
    static func md5(ofETag tag: String) -> [UInt8]? { hash(Array(tag.utf8.filter { $0 != UInt8(ascii: "\"") })[...]) }

    /// The hash and the number of parts of an ETag that looks like those of objects stored in parts.
    static func partHash(ofETag tag: String) -> (hash: [UInt8], parts: Int)? {
        let digits = tag.utf8.filter { $0 != UInt8(ascii: "\"") }
        guard digits.count > 33, digits[32] == UInt8(ascii: "-"), let hash = hash(digits[..<32]),
            let parts = Int(String(decoding: digits[33...], as: UTF8.self))
        else { return nil }
        return (hash, parts)
    }

    private static func hash(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
        digits.count == 32 ? hexadecimalBytes(of: digits) : nil
    }
}
