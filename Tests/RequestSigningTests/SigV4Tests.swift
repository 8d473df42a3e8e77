import SystemSupport
import Testing

@testable import Digests
@testable import RequestSigning

/// The expected signatures were computed with botocore (S3SigV4Auth, SigV4Auth) for the same requests, keys and date.
@Suite struct SigV4Tests {
    private let credential = SigV4.Credential(
        accessKey: "AKIDEXAMPLE", secretKey: Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
    // 2024-02-29T23:59:07Z
    private let date = Timestamp(rfc3339: "2024-02-29T23:59:07Z")!

    private func authorization(_ headers: [(name: String, value: String)]) -> String? {
        headers.first { $0.name == "Authorization" }?.value
    }

    @Test func signsARangedGetWithEncodedPathAndPort() {
        let request = SigV4.Request(
            method: "GET", path: "/my-bucket/a/b%20c%2B%C3%A4.tgz",
            headers: [("Range", "bytes=0-99"), ("x-amz-checksum-mode", "ENABLED"), ("If-Match", "\"abc\"")],
            host: "minio.argo:9000")
        let headers = SigV4.sign(
            request, credential: credential, region: "eu-central-1", service: "s3", date: date, payload: .empty)
        #expect(
            authorization(headers)
                == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240229/eu-central-1/s3/aws4_request, "
                + "SignedHeaders=host;if-match;range;x-amz-checksum-mode;x-amz-content-sha256;x-amz-date, "
                + "Signature=fd3173692a4cc70eda6d8de6f36e1b6befca23fc2242cf85e8456b3c3d418b88")
        #expect(headers.contains { $0 == ("x-amz-date", "20240229T235907Z") })
        #expect(
            headers.contains {
                $0 == ("x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
            })
    }

    @Test func signsAQueryInSortedOrderAndTheSessionToken() {
        let temporary = SigV4.Credential(
            accessKey: credential.accessKey, secretKey: credential.secretKey, sessionToken: Secret("TOKEN/with+signs=="))
        let request = SigV4.Request(
            method: "GET", path: "/",
            query: [
                ("list-type", "2"), ("prefix", "wf/a b+/"), ("continuation-token", "1/x=="), ("encoding-type", "url"),
                ("delimiter", ""),
            ], host: "my-bucket.s3.dualstack.eu-central-1.amazonaws.com")
        let headers = SigV4.sign(
            request, credential: temporary, region: "eu-central-1", service: "s3", date: date, payload: .empty)
        #expect(
            authorization(headers)
                == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240229/eu-central-1/s3/aws4_request, "
                + "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, "
                + "Signature=b6ed1f6b6be099f3669114ed680d38e82615b455622e4b3b1bad2801f8685d78")
        #expect(headers.contains { $0 == ("x-amz-security-token", "TOKEN/with+signs==") })
    }

    @Test func signsAnUnsignedPayloadAndFoldsBlanksInHeaders() {
        let request = SigV4.Request(
            method: "PUT", path: "/bkt/k",
            headers: [
                ("Content-MD5", "XrY7u+Ae7tCTyyK7j1rNww=="), ("Content-Type", "text/plain;  charset=utf-8"),
                ("x-amz-checksum-crc32c", "yZRlqg=="),
            ], host: "s3.example.com")
        let headers = SigV4.sign(
            request, credential: credential, region: "eu-central-1", service: "s3", date: date, payload: .unsigned)
        #expect(
            authorization(headers)?.hasSuffix("b296ef451ad630895377b1d3b6cd4bdfd412e47cb0a30fae38786872fb3763e7") == true)
    }

    @Test func signsABodyByItsHash() {
        let request = SigV4.Request(method: "POST", path: "/bkt", query: [("delete", "")], host: "s3.example.com")
        let headers = SigV4.sign(
            request, credential: credential, region: "eu-central-1", service: "s3", date: date,
            payload: .sha256(Digest.hash(.sha256, "<Delete/>")))
        #expect(
            authorization(headers)?.hasSuffix("a910c752a25dfaee31af9be0e4cb9f66e6702a65cf06661a21518f914ed03129") == true)
    }

    @Test func leavesOutTheBodyHashHeaderForOtherServices() {
        let request = SigV4.Request(
            method: "POST", path: "/",
            headers: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")],
            host: "sts.us-east-1.amazonaws.com")
        let headers = SigV4.sign(
            request, credential: credential, region: "us-east-1", service: "sts", date: date,
            payload: .sha256(Digest.hash(.sha256, "Action=GetCallerIdentity&Version=2011-06-15")))
        #expect(
            authorization(headers)
                == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240229/us-east-1/sts/aws4_request, "
                + "SignedHeaders=content-type;host;x-amz-date, "
                + "Signature=20b9be9953ddb8a02df11bf99a7691822e591a9a2e5e26db24d71693c1bc9558")
    }

    @Test func encodesThePathTwiceForOtherServices() {
        let request = SigV4.Request(method: "GET", path: "/a%20b/c", query: [("x", "1")], host: "es.example.com")
        let headers = SigV4.sign(
            request, credential: credential, region: "us-east-1", service: "es", date: date, payload: .empty)
        #expect(
            authorization(headers)?.hasSuffix("579d0216587b49d6ebd0d3a8b88bde50385533a19cee35405816b85125183fcd") == true)
    }

    @Test func secretsStayOutOfTheCredentialsText() {
        #expect(!"\(credential)".contains("wJalr"))
        #expect(!String(reflecting: credential).contains("wJalr"))
    }
}
