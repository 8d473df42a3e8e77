import SystemSupport
import Testing

@testable import Digests
@testable import Encodings
@testable import RequestSigning

/// Against signatures that botocore computed: odd keys and queries, headers, session tokens, payloads, other services than S3.
@Suite struct GoldenSignatureTests {
    @Test(arguments: BotocoreSignature.all.indices) func signsAsBotocoreDoes(index: Int) throws {
        let golden = BotocoreSignature.all[index]
        let path = "/" + PercentEncoding.encode(golden.key, keepingSlashes: true)
        #expect(path == golden.path)
        let payload: SigV4.Payload =
            switch golden.body {
            case nil: .unsigned
            case ""?: .empty
            case let body?: .sha256(Digest.hash(.sha256, body))
            }
        let headers = SigV4.sign(
            SigV4.Request(
                method: golden.method, path: path, query: golden.query, headers: golden.headers, host: golden.host),
            credential: SigV4.Credential(
                accessKey: BotocoreSignature.accessKey, secretKey: Secret(BotocoreSignature.secretKey),
                sessionToken: golden.hasToken ? Secret(BotocoreSignature.token) : nil),
            region: golden.region, service: golden.service, date: try #require(Timestamp(rfc3339: golden.date)),
            payload: payload)
        let day = golden.date.prefix(10).filter { $0 != "-" }
        #expect(
            headers.last?.value
                == "AWS4-HMAC-SHA256 Credential=\(BotocoreSignature.accessKey)/\(day)/\(golden.region)/\(golden.service)/aws4_request, "
                + "SignedHeaders=\(golden.signedHeaders), Signature=\(golden.signature)")
        #expect(headers.contains { $0.name == "x-amz-security-token" } == golden.hasToken)
    }

    @Test func isComparedWithAll() {
        #expect(BotocoreSignature.all.count == 29)
        #expect(Set(BotocoreSignature.all.map(\.signature)).count == 29)
    }
}
