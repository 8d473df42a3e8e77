import Artifacts
import Digests
import Documents
import Encodings
import HTTPTransport
import RequestSigning
import SystemSupport

/// AWS's Security Token Service: changes keys or a token for those of a role (AWS STS API Reference, version 2011-06-15).
struct SecurityTokenService: Sendable {
    let settings: AWSEnvironment.SecurityTokenService
    let http: HTTPClient

    /// A region's name for the global host.
    static let globalRegion = "aws-global"

    /// Regions that the global host serves in the legacy mode.
    private static let globallyServed: Set<String> = [
        "ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1",
        "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
    ]

    /// Codes of errors that may go away: those of all AWS services, and where a token or keys may be replaced by newer ones.
    private static let transientWords: Set<String> = [
        "IDPCommunicationError", "InvalidIdentityToken", "ExpiredToken", "ExpiredTokenException", "RequestTimeout",
        "RequestTimeoutException", "RequestError", "Throttling", "ThrottlingException", "ThrottledException",
        "RequestThrottled", "RequestThrottledException", "RequestLimitExceeded", "TooManyRequestsException", "SlowDown",
        "InternalError", "InternalFailure", "ServiceUnavailable",
    ]

    /// Makes one request.
    ///
    /// - Parameters:
    ///   - region: nil where none is known.
    ///   - keys: what the request is signed with; nil for one that proves itself by a token.
    ///   - secrets: parameters that an error's text must not repeat.
    func call(
        _ action: String, _ parameters: [(name: String, value: String)], region: String?, keys: SigV4.Credential?,
        hiding secrets: [Secret]
    ) throws -> IssuedCredential<SigV4.Credential> {
        var secrets = secrets
        guard let region, !region.isEmpty else {
            throw CredentialFailure.invalid("\(action): Missing Region: neither the location nor AWS_REGION names one")
        }
        let (url, signingRegion) = try endpoint(region: region)
        let body = Array(
            form([("Action", action), ("Version", "2011-06-15")] + parameters).utf8)
        var request = HTTPRequest("POST", url.text)
        request.connectTimeout = 10
        request.stallTimeout = 30
        request.totalTimeout = 60
        let headers = [(name: "Content-Type", value: "application/x-www-form-urlencoded; charset=utf-8")]
        for (name, value) in headers { request.headers.add(name, value) }
        if let keys {
            let signed = SigV4.sign(
                SigV4.Request(method: "POST", path: url.path, headers: headers, host: url.authority), credential: keys,
                region: signingRegion, service: "sts", date: .now, payload: .sha256(Digest.hash(.sha256, body)))
            for (name, value) in signed { request.headers.add(name, value) }
            if let signature = signed.last?.value.split(separator: "=").last { secrets.append(Secret(String(signature))) }
        }
        let response = try http.perform(request, body: .bytes(body), bodyLimit: 1 << 20)
        let root = XMLElement.parse(response.body)
        guard response.status == 200 else {
            throw failure(action, response.status, root?["Error"] ?? root?["Errors"]?["Error"], hiding: secrets)
        }
        return try Self.keys(action, root)
    }

    private func failure(_ action: String, _ status: Int, _ error: XMLElement?, hiding secrets: [Secret]) -> CredentialFailure {
        let word = error?["Code"]?.text ?? ""
        let isTransient = status >= 500 || HTTPStatus.isPassingRefusal(status) || Self.transientWords.contains(word)
        return .refused(
            action, status: status, word: word, text: error?["Message"]?.text ?? "", hiding: secrets, isTransient: isTransient)
    }

    private static func keys(_ action: String, _ root: XMLElement?) throws -> IssuedCredential<SigV4.Credential> {
        guard let keys = root?["\(action)Result"]?["Credentials"], let access = keys["AccessKeyId"]?.text, !access.isEmpty,
            let secret = keys["SecretAccessKey"]?.text, !secret.isEmpty
        else { throw CredentialFailure.invalid("\(action): the answer holds no keys") }
        let token = keys["SessionToken"].flatMap { $0.text.isEmpty ? nil : Secret($0.text) }
        return IssuedCredential(
            SigV4.Credential(accessKey: access, secretKey: Secret(secret), sessionToken: token),
            expiry: try KeyDocument.expiry(keys["Expiration"]?.text))
    }

    /// Where requests go, and the region that they are signed for.
    func endpoint(region: String) throws -> (url: HTTPURL, region: String) {
        let isGlobal = region == Self.globalRegion || settings.prefersGlobalHost && Self.globallyServed.contains(region)
        let signingRegion = isGlobal ? "us-east-1" : region
        if let endpoint = settings.endpoint { return (try HTTPURL(endpoint), signingRegion) }
        guard region.utf8.allSatisfy({ $0 == UInt8(ascii: "-") || (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) })
        else { throw CredentialFailure.invalid("'\(region)' is not a region") }
        if isGlobal { return (try HTTPURL("https://sts.amazonaws.com/"), signingRegion) }
        return (try HTTPURL("https://sts.\(region).\(AWSPartition.domain(ofRegion: region))/"), signingRegion)
    }

    private func form(_ parameters: [(name: String, value: String)]) -> String {
        parameters.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }.joined(separator: "&")
    }
}

/// The separate halves of AWS, each with a domain of its own.
enum AWSPartition {
    static func domain(ofRegion region: String) -> String {
        if region.hasPrefix("cn-") { return "amazonaws.com.cn" }
        if region.hasPrefix("us-isob-") { return "sc2s.sgov.gov" }
        if region.hasPrefix("us-iso-") { return "c2s.ic.gov" }
        return "amazonaws.com"
    }
}
