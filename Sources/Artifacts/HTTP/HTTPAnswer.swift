import Artifacts
import Digests
import Encodings
import HTTPTransport
import SystemSupport

/// What the answers of web servers say of an object, and what their errors mean.
enum HTTPAnswer {
    /// - Parameter canRenew: whether another attempt would be made with a fresh credential.
    static func error(_ status: Int, _ operation: String, _ subject: String, canRenew: Bool) -> ArtifactError {
        if status == 404 { return .notFound(operation, subject, "404 Not Found") }
        return .refused(
            operation, subject, status: status, word: phrases[status] ?? "", text: "",
            isTransient: canRenew || isTransient(status))
    }

    /// Whether the server may answer otherwise later (contract 02 §12 has time-outs, throttling and failing gateways).
    static func isTransient(_ status: Int) -> Bool {
        HTTPStatus.isPassingRefusal(status) || status >= 500 && ![501, 505, 507].contains(status)
    }

    /// Not those that the server sends: they may hold anything.
    private static let phrases = [
        301: "Moved Permanently", 302: "Found", 304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect",
        400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 405: "Method Not Allowed",
        407: "Proxy Authentication Required", 408: "Request Timeout", 409: "Conflict", 410: "Gone", 411: "Length Required",
        412: "Precondition Failed", 413: "Request Entity Too Large", 416: "Requested Range Not Satisfiable",
        429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
        503: "Service Unavailable", 504: "Gateway Timeout", 507: "Insufficient Storage",
    ]

    /// - Parameters:
    ///   - isRanged: whether a stretch was asked for on our own account.
    ///   - hasOwnRange: whether one was asked for by the location.
    static func head(_ answer: HTTPResponseHead, isRanged: Bool, hasOwnRange: Bool) -> ObjectHead {
        let headers = answer.headers
        let coding = headers["Content-Encoding"]?.lowercased() ?? "identity"
        // The bytes of a coded body may come out otherwise another time.
        let isCoded = answer.isDecoded || coding != "identity" && !coding.isEmpty
        var head = ObjectHead(validator: headers["ETag"] ?? headers["Last-Modified"])
        if answer.status == 206, !hasOwnRange {
            head.take(headers.contentRange)
        } else {
            head.length = headers["Content-Length"].flatMap { Int64($0) }
            if answer.status == 200, !isCoded { head.checksum = checksum(headers) }
        }
        // Whoever answers a range with the whole knows no ranges, whatever its headers say.
        head.supportsRanges =
            !isCoded && !hasOwnRange && hasStrongValidator(headers) && (answer.status == 206 || !isRanged)
            && headers["Accept-Ranges"]?.lowercased() != "none"
        return head
    }

    /// Whether a condition on the validator is sure to tell a change (RFC 9110 §8.8): a weak one is not, nor is a date of the very
    /// moment at which it was told.
    private static func hasStrongValidator(_ headers: HTTPHeaders) -> Bool {
        if let tag = headers["ETag"] { return !tag.hasPrefix("W/") }
        guard let modified = headers["Last-Modified"], let date = headers["Date"] else { return false }
        return modified != date
    }

    /// The checksum of the whole body, where one is told: RFC 9530's fields, their predecessors, Artifactory's own.
    private static func checksum(_ headers: HTTPHeaders) -> ObjectChecksum? {
        let algorithms: [(HashAlgorithm, [String], String)] = [
            (.sha256, ["sha-256"], "X-Checksum-Sha256"), (.md5, ["md5"], "X-Checksum-Md5"),
            (.sha1, ["sha", "sha-1"], "X-Checksum-Sha1"),
        ]
        let told = ["Repr-Digest", "Content-Digest", "Digest"].flatMap { headers.all($0) }.flatMap(digests)
        for (algorithm, names, field) in algorithms {
            var hash = told.first { names.contains($0.name) }.flatMap { Base64.decode($0.value) }
            if algorithm == .md5 { hash = hash ?? headers["Content-MD5"].flatMap(Base64.decode) }
            hash = hash ?? headers[field].flatMap { hexadecimalBytes(of: $0.utf8) }
            if let hash, hash.count == algorithm.length { return .hash(algorithm, hash) }
        }
        return nil
    }

    /// `sha-256=:BASE64:, md5=:BASE64:`, or without the colons.
    private static func digests(_ text: String) -> [(name: String, value: String)] {
        text.split(separator: ",").compactMap { item in
            let item = item.drop { $0 == " " || $0 == "\t" }
            guard let equals = item.firstIndex(of: "=") else { return nil }
            let value = item[item.index(after: equals)...].filter { $0 != ":" && $0 != " " && $0 != "\t" }
            return (item[..<equals].lowercased(), String(value))
        }
    }
}
