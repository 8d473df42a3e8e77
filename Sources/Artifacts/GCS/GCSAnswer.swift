import Artifacts
import Digests
import Documents
import Encodings
import HTTPTransport
import SystemSupport

/// What Cloud Storage's answers say.
enum GCSAnswer {
    /// Reasons of refusals that may go away, whatever the status (Cloud Storage, "HTTP status and error codes for JSON").
    private static let transientWords: Set<String> = ["rateLimitExceeded", "userRateLimitExceeded", "backendError"]

    /// The error of an answer that is no success. A status of 404 is no `isNotFound`: the bucket may be what is not there.
    static func error(
        _ response: HTTPResponse, _ operation: String, _ subject: String, canRenew: Bool, hiding secrets: [Secret]
    ) -> ArtifactError {
        let error = (try? JSONValue(parsing: response.body))?.field("error")
        let word = error?["errors"]?.array?.first?["reason"]?.string ?? error?.string ?? phrases[response.status] ?? ""
        let status = response.status
        return .refused(
            operation, subject, status: status, word: word, text: error?["message"]?.string ?? "", hiding: secrets,
            isTransient: canRenew || HTTPStatus.isPassingRefusal(status) || status >= 500 || transientWords.contains(word))
    }

    private static let phrases = [
        308: "Resume Incomplete", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
        410: "Gone", 412: "Precondition Failed", 429: "Too Many Requests", 500: "Internal Server Error",
        502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
    ]

    /// Whether an error says that there is no such object, or no such bucket.
    static func saysAbsent(_ error: ArtifactError) -> Bool {
        if case .refused(404, _) = error.code { true } else { false }
    }

    /// The fields of objects that are asked for.
    static let fields = "name,size,generation,crc32c,md5Hash,contentEncoding"

    /// An answer as a JSON object.
    ///
    /// - Parameter what: e.g. `a list of objects`.
    static func document(_ response: HTTPResponse, _ what: String, _ operation: String, _ subject: String) throws -> JSONValue {
        guard let document = try? JSONValue(parsing: response.body), document.object != nil else {
            throw ArtifactError.unintelligible(operation, subject, "the answer is not \(what), but of some other server")
        }
        return document
    }
}

/// What Cloud Storage tells of an object (JSON interface, "Objects: resource representations").
struct GCSResource: Sendable {
    let name: String
    /// Bytes as they are stored.
    let size: Int64?
    /// Changes with the content.
    let generation: String?
    let crc32c: UInt32?
    let md5: [UInt8]?
    /// Whether the stored bytes are gzipped, and may come decoded.
    let isGzipped: Bool

    /// - Returns: nil where it names no object.
    init?(_ document: JSONValue) {
        guard let name = document["name"]?.string, !name.isEmpty else { return nil }
        self.name = name
        func number(_ field: String) -> String? {
            document[field].flatMap { $0.string ?? $0.int.map { String($0) } }.flatMap { $0.isEmpty ? nil : $0 }
        }
        size = number("size").flatMap { Int64($0) }
        generation = number("generation")
        crc32c = document["crc32c"]?.string.flatMap(Base64.decode).flatMap { CyclicChecksum.crc32c.value($0) }
            .map { UInt32(truncatingIfNeeded: $0) }
        md5 = document["md5Hash"]?.string.flatMap(Base64.decode).flatMap { $0.count == 16 ? $0 : nil }
        isGzipped = document["contentEncoding"]?.string?.lowercased().contains("gzip") ?? false
    }

    /// Length and checksums are of what is stored: of what comes decoded they say nothing.
    var head: ObjectHead {
        if isGzipped { return ObjectHead(validator: generation) }
        let checksum = crc32c.map { ObjectChecksum.cyclic(.crc32c, UInt64($0)) } ?? md5.map { ObjectChecksum.md5($0) }
        return ObjectHead(length: size, validator: generation, checksum: checksum, supportsRanges: true)
    }

    /// Throws where the store holds something else than what was sent.
    ///
    /// - Returns: whether the answer has told enough to know.
    @discardableResult
    func compare(
        key: [UInt8], length: Int64, crc32c: UInt32, _ operation: String, _ subject: String, isFinal: Bool
    ) throws -> Bool {
        func damaged(_ cause: String) -> ArtifactError { .damaged(operation, subject, cause, isFinal: isFinal) }
        guard Array(name.utf8) == key else { throw damaged("the store names another object: '\(name.prefix(200))'") }
        if let size, size != length { throw damaged("the store has \(size) bytes of \(length)") }
        if let told = self.crc32c, told != crc32c {
            throw damaged("the store received other bytes: their CRC32C differs from what was sent")
        }
        return size != nil && self.crc32c != nil
    }
}
