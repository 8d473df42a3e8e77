import Digests
import Encodings
package import SystemSupport

/// AWS Signature Version 4 in the `Authorization` header: a pure function of request, credential and date.
///
/// Source: AWS, "Create a signed AWS API request", and for S3 "Authenticating Requests (AWS Signature Version 4)".
package enum SigV4 {
    /// Keys of a caller.
    package struct Credential: Sendable, Equatable {
        package let accessKey: String
        package let secretKey: Secret
        /// Present with temporary keys.
        package let sessionToken: Secret?

        package init(accessKey: String, secretKey: Secret, sessionToken: Secret? = nil) {
            self.accessKey = accessKey
            self.secretKey = secretKey
            self.sessionToken = sessionToken
        }
    }

    /// What the signature says about the body.
    package enum Payload: Sendable, Equatable {
        /// The body is not covered; S3 takes that over TLS and without.
        case unsigned
        /// No body.
        case empty
        /// The SHA-256 of the body.
        case sha256([UInt8])

        /// The value of `x-amz-content-sha256`.
        package var text: String {
            switch self {
            case .unsigned: "UNSIGNED-PAYLOAD"
            case .empty: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
            case .sha256(let hash): hexadecimal(hash)
            }
        }
    }

    /// The parts of a request that are signed.
    package struct Request: Sendable {
        package var method: String
        /// As it goes over the wire, percent-encoded once, beginning with `/`.
        package var path: String
        /// Names and values before encoding.
        package var query: [(name: String, value: String)]
        /// Headers to cover beside `host`, `x-amz-date` and those that signing adds.
        package var headers: [(name: String, value: String)]
        /// Host and, unless it is the scheme's own, port.
        package var host: String

        package init(
            method: String, path: String, query: [(name: String, value: String)] = [],
            headers: [(name: String, value: String)] = [], host: String
        ) {
            self.method = method
            self.path = path
            self.query = query
            self.headers = headers
            self.host = host
        }
    }

    /// Signs a request.
    ///
    /// - Parameters:
    ///   - service: e.g. `s3`, `sts`. For S3 the path is signed as it is; for others it is encoded once more.
    /// - Returns: the headers to add to the request: date, session token, for S3 the body's hash, and `Authorization`.
    package static func sign(
        _ request: Request, credential: Credential, region: String, service: String, date: Timestamp, payload: Payload
    ) -> [(name: String, value: String)] {
        let time = basicFormat(date)
        let day = String(time.prefix(8))
        var added: [(name: String, value: String)] = [("x-amz-date", time)]
        if service == "s3" { added.append(("x-amz-content-sha256", payload.text)) }
        if let token = credential.sessionToken { added.append(("x-amz-security-token", token.revealText())) }

        let scope = "\(day)/\(region)/\(service)/aws4_request"
        let (canonical, signedHeaders) = canonicalRequest(request, added: added, service: service, payload: payload)
        let toSign = "AWS4-HMAC-SHA256\n\(time)\n\(scope)\n" + hexadecimal(Digest.hash(.sha256, canonical))
        let key = signingKey(secret: credential.secretKey, day: day, region: region, service: service)
        let signature = hexadecimal(MessageCode.hmac(.sha256, key: key, toSign))
        added.append(
            (
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=\(credential.accessKey)/\(scope), SignedHeaders=\(signedHeaders), "
                    + "Signature=\(signature)"
            ))
        return added
    }

    /// The query as it goes over the wire: sorted and encoded as the signature wants it. Empty without parameters.
    package static func queryText(_ query: [(name: String, value: String)]) -> String {
        query.map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
            .sorted { Array($0.0.utf8 + [0] + $0.1.utf8).lexicographicallyPrecedes(Array($1.0.utf8 + [0] + $1.1.utf8)) }
            .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    private static func canonicalRequest(
        _ request: Request, added: [(name: String, value: String)], service: String, payload: Payload
    ) -> (text: String, signedHeaders: String) {
        var headers = (request.headers + added).map { (name: $0.name.lowercased(), value: folded($0.value)) }
        headers.append(("host", request.host))
        headers.sort { $0.name < $1.name }
        let signedHeaders = headers.map(\.name).joined(separator: ";")
        let path = service == "s3" ? request.path : PercentEncoding.encode(request.path, keepingSlashes: true)
        let text =
            "\(request.method)\n\(path)\n\(queryText(request.query))\n"
            + headers.map { "\($0.name):\($0.value)\n" }.joined() + "\n\(signedHeaders)\n\(payload.text)"
        return (text, signedHeaders)
    }

    private static func signingKey(secret: Secret, day: String, region: String, service: String) -> [UInt8] {
        var key = Array("AWS4".utf8) + secret.reveal()
        for part in [day, region, service, "aws4_request"] { key = MessageCode.hmac(.sha256, key: key, part) }
        return key
    }

    /// A header value without blanks at its ends, and with one blank where there were several.
    private static func folded(_ value: String) -> String {
        value.utf8.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    }

    /// `20130524T000000Z`.
    private static func basicFormat(_ date: Timestamp) -> String {
        let (year, month, day, hour, minute, second) = date.fields
        return "\(pad(year, 4))\(pad(month, 2))\(pad(day, 2))T\(pad(hour, 2))\(pad(minute, 2))\(pad(second, 2))Z"
    }
}
