import Artifacts
import SystemSupport

/// What Amazon's S3 offers and some stores that speak its protocol do not: each is used until a store refuses it, and what every
/// store understands is used from then on.
enum S3Extension: String, CaseIterable, Sendable {
    /// `x-amz-checksum-…` with what is saved; `Content-MD5` goes along without.
    case sentChecksums
    /// `x-amz-checksum-mode`: the store tells the checksums that it has.
    case toldChecksums
    /// Bodies that the signature does not cover (`UNSIGNED-PAYLOAD`).
    case unsignedPayloads
    /// `If-Match` with a read.
    case conditions
    /// `Range` with a read.
    case ranges
    /// HEAD of an object.
    case heads
    /// `encoding-type=url` with a listing.
    case encodedListings
    /// `list-type=2`.
    case secondListings
    /// Uploads in parts.
    case multipart
    /// Many objects deleted by one request.
    case deletionTogether
    /// The ETag of an object that was stored in one piece is its MD5.
    case hashETags
    /// The ETag of an object that was stored in parts is made of their MD5s.
    case partHashETags

    /// What the store lacks, for the log.
    fileprivate var title: String {
        switch self {
        case .sentChecksums: "checksum headers on saves"
        case .toldChecksums: "x-amz-checksum-mode"
        case .unsignedPayloads: "unsigned payloads"
        case .conditions: "If-Match"
        case .ranges: "ranges"
        case .heads: "HEAD of objects"
        case .encodedListings: "encoding-type=url"
        case .secondListings: "list-type=2"
        case .multipart: "uploads in parts"
        case .deletionTogether: "deletion of many objects by one request"
        case .hashETags: "ETags that are MD5s"
        case .partHashETags: "ETags that are made of the parts' MD5s"
        }
    }

    /// Words by which a refusal's sentence names it, in lower case.
    private var marks: [String] {
        switch self {
        case .sentChecksums: ["x-amz-checksum", "x-amz-sdk-checksum", "checksum"]
        case .toldChecksums: ["x-amz-checksum-mode", "checksum"]
        case .unsignedPayloads: ["content-sha256", "unsigned-payload", "contentsha256"]
        case .conditions: ["if-match"]
        case .ranges: ["range"]
        case .encodedListings: ["encoding-type", "encoding method", "encodingtype"]
        case .secondListings: ["list-type", "listtype"]
        case .heads, .multipart, .deletionTogether, .hashETags, .partHashETags: []
        }
    }

    /// Codes of errors that are about something else, whatever was sent along.
    private static let otherCauses: Set<String> = [
        "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken",
        "AuthorizationHeaderMalformed", "RequestTimeTooSkewed", "NoSuchBucket", "InvalidBucketName", "NoSuchUpload",
        "InvalidBucketState", "KeyTooLongError", "EntityTooLarge", "EntityTooSmall", "InvalidPart", "InvalidPartOrder",
        "BadDigest", "InvalidDigest", "InvalidRegion", "QuotaExceeded", "TooManyBuckets", "InvalidStorageClass",
    ]

    /// Whether an error's sentence names it.
    func isNamed(by error: ArtifactError) -> Bool {
        let text = error.message.lowercased()
        return marks.contains { text.contains($0) }
    }

    /// Whether an error may be the answer of a store that does not know it.
    func mayBeRefused(by error: ArtifactError) -> Bool {
        guard case .refused(let status, let word) = error.code else { return false }
        // Whoever refuses a header need not do it in S3's words: that may look like a request that was garbled on the way.
        let isWordless = status == 400 && word.isEmpty
        let saysSo = ["NotImplemented", "MethodNotAllowed", "UnsupportedOperation"].contains(word)
        if error.isTransient, !isWordless, !saysSo { return false }
        switch self {
        case .heads where status == 403: return true
        case .ranges where status == 416: return true
        case .unsignedPayloads where status == 403: return isNamed(by: error)
        default: break
        }
        if Self.otherCauses.contains(word) { return false }
        return Self.refusals.contains(status) || otherRefusals.contains(status) || word == "NotImplemented"
    }

    /// Statuses with which stores refuse what goes along with a request.
    private static let refusals: Set<Int> = [400, 411, 415, 417, 422, 501]

    /// Statuses that are about the method, as a rule.
    private var otherRefusals: Set<Int> {
        switch self {
        case .heads: [405, 406]
        case .sentChecksums, .secondListings, .multipart: [405]
        default: []
        }
    }
}

extension S3Client {
    /// Makes a request with as many of the extensions as the store is not known to lack; where it is refused as it may be because
    /// of one, again without. What turned out to be lacking is remembered once the request has succeeded.
    ///
    /// - Parameter attempt: makes the request with the extensions that it is given.
    func fallingBack<R>(on extensions: [S3Extension], _ attempt: (Set<S3Extension>) throws -> R) throws -> R {
        var used = extensions.filter { has($0) }
        var blamed: [(feature: S3Extension, isNamed: Bool)] = []
        while true {
            do {
                let result = try attempt(Set(used))
                for lacking in blamed { note(lacking: lacking.feature) }
                return result
            } catch let error as ArtifactError {
                let candidates = used.filter { $0.mayBeRefused(by: error) }
                let named = candidates.first { $0.isNamed(by: error) }
                guard let next = named ?? candidates.first else { throw error }
                used.removeAll { $0 == next }
                // What was left out in vain was not to blame, unless the store has named it.
                blamed.removeAll { !$0.isNamed }
                blamed.append((next, named != nil))
            }
        }
    }

    func has(_ feature: S3Extension) -> Bool { !bucketState.lacks(feature) }

    /// Remembers that the store lacks something, for all that follows.
    ///
    /// - Parameter consequence: what is no longer checked, for a warning; nil where nothing is lost.
    func note(lacking feature: S3Extension, consequence: String? = nil) {
        guard bucketState.note(lacking: feature) else { return }
        let fields: KeyValuePairs<String, LogValue> = [
            "endpoint": .text(endpoint.name), "bucket": .text(endpoint.bucket), "lacks": .text(feature.title),
        ]
        if let consequence {
            log.warn(consequence, fields)
        } else {
            log.debug("the store does not support an S3 extension", fields)
        }
    }

    /// An ETag that looks like an MD5 was found to be none.
    func noteETagIsNoMD5(_ feature: S3Extension) {
        note(
            lacking: feature,
            consequence: "the ETags of this store are no MD5s although they look like it: they are not compared")
    }
}
