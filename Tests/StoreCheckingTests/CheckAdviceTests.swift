import Artifacts
import SystemSupport
import Testing
import WorkflowModel

@testable import StoreChecking

@Suite struct CheckAdviceTests {
    private let advice: CheckAdvice

    init() throws {
        let location = try ArtifactLocation(document: ["s3": ["endpoint": "e", "bucket": "b", "key": "k"]])
        advice = CheckAdvice(location: location, hasSecrets: true)
    }

    @Test(arguments: [
        ("tls: OpenSSL: wrong version number", "the port speaks no TLS"),
        ("x509: certificate signed by unknown authority (self-signed)", "name the store's certificate authority: 'caSecret'"),
        ("x509: certificate has expired or is not yet valid (x)", "renew the store's certificate"),
        ("x509: certificate is not valid for h (x)", "use the name that stands in the certificate"),
        ("tls: handshake failure", "see whether the port speaks TLS 1.2 or later"),
    ]) func knowsTheUsualFaultsOfTLS(text: String, expected: String) {
        #expect(advice.tls(text).hasPrefix(expected))
    }

    @Test(arguments: [
        (403, "InvalidAccessKeyId", CheckBlame.credentials), (403, "SignatureDoesNotMatch", .credentials),
        (400, "ExpiredToken", .credentials), (401, "", .credentials), (403, "AuthenticationFailed", .credentials),
        (403, "RequestTimeTooSkewed", .clock), (301, "PermanentRedirect", .region), (301, "", .region),
        (400, "AuthorizationHeaderMalformed", .region), (404, "NoSuchBucket", .bucket), (404, "ContainerNotFound", .bucket),
        (403, "AccessDenied", .permission), (403, "", .permission), (500, "InternalError", .other), (503, "SlowDown", .other),
    ]) func knowsTheWordsOfTheStores(status: Int, word: String, blame: CheckBlame) {
        let error = ArtifactError.refused("list", "s3://b/k", status: status, word: word, text: "", isTransient: false)
        #expect(CheckBlame(error) == blame)
    }

    @Test func knowsFailuresOfOurOwn() {
        #expect(CheckBlame(CredentialFailure.invalid("x")) == .credentials)
        #expect(CheckBlame(SystemError("open", "/secrets/a/b", 2)) == .credentials)
        #expect(CheckBlame(ArtifactError.unsupported("x")) == .unsupported)
        #expect(CheckBlame(ExecutorError.failed("x")) == .other)
    }

    @Test func namesTheRightThatIsMissing() {
        #expect(advice.refusal(.permission, .put).contains("s3:PutObject"))
        #expect(advice.refusal(.permission, .get).contains("s3:GetObject"))
        #expect(advice.refusal(.permission, .list).contains("s3:ListBucket"))
        #expect(advice.refusal(.permission, .delete).contains("s3:DeleteObject"))
        #expect(advice.refusal(.other, .put).isEmpty)
    }
}
