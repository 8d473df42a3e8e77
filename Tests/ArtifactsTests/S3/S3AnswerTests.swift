import HTTPTransport
import Testing

@testable import Artifacts
@testable import S3Artifacts

@Suite struct S3AnswerTests {
    private func failure(_ status: Int, _ headers: HTTPHeaders = [:], _ body: String = "", hasKey: Bool = true)
        -> S3Answer.Failure
    {
        S3Answer.Failure(status: status, headers: headers, body: Array(body.utf8), hasKey: hasKey)
    }

    // An answer to HEAD has no body (contract 03 §6.1).
    @Test(arguments: [
        (404, true, "NoSuchKey"), (404, false, "NoSuchBucket"), (403, true, "AccessDenied"), (409, true, "Conflict"),
        (412, true, "PreconditionFailed"), (400, true, ""),
    ])
    func namesABodylessAnswerByItsStatus(status: Int, hasKey: Bool, word: String) {
        #expect(failure(status, hasKey: hasKey).word == word)
    }

    @Test func takesTheWordFromMinIOsHeader() {
        let told = failure(404, ["x-minio-error-code": "NoSuchBucket", "x-minio-error-desc": "\"gone\""])
        #expect(told.word == "NoSuchBucket")
        #expect(!told.error("find", "s3://b/k").isNotFound)
    }

    @Test(arguments: [
        "RequestError", "RequestTimeout", "Throttling", "ThrottlingException", "RequestLimitExceeded", "RequestThrottled",
        "InternalError", "SlowDown", "ServiceUnavailable", "BadDigest",
    ])
    func theseWordsAreTransient(word: String) {
        #expect(failure(400, [:], "<Error><Code>\(word)</Code></Error>").isTransient)
    }

    @Test(arguments: [
        (500, true), (502, true), (503, true), (504, true), (429, true), (408, true), (501, false), (403, false), (404, false),
        (301, false), (400, false),
    ])
    func theseStatusesAreTransient(status: Int, isTransient: Bool) { #expect(failure(status).isTransient == isTransient) }

    /// A request whose connection broke may be answered so by the server's HTTP layer before S3 has seen it.
    @Test func aBadRequestInWordsThatAreNotOfS3IsTransient() {
        #expect(failure(400, [:], "400 Bad Request").isTransient)
        #expect(!failure(400, [:], "<Error><Code>InvalidRequest</Code></Error>").isTransient)
        #expect(!failure(400).isTransient)
    }

    @Test func onlyAMissingKeyIsNotFound() {
        #expect(failure(404).error("find", "s").isNotFound)
        #expect(failure(404, [:], "<Error><Code>NoSuchKey</Code></Error>").error("find", "s").isNotFound)
        for word in ["NoSuchBucket", "NoSuchUpload", "AccessDenied"] {
            #expect(!failure(404, [:], "<Error><Code>\(word)</Code></Error>").error("find", "s").isNotFound)
        }
    }

    @Test func anAnswerThatIsNoXMLIsStillAnError() {
        let error = failure(502, [:], "<html><body>Bad Gateway</body></html>").error("load", "s3://b/k")
        #expect(error.message == "load s3://b/k: 502")
        #expect(error.isTransient)
    }

    @Test func prefersTheBestChecksum() {
        let etag = "\"5eb63bbbe01eeed093cb22bb8f5acdc3\""
        func checksum(_ headers: HTTPHeaders) -> ObjectChecksum? {
            var headers = headers
            headers["Content-Length"] = "11"
            headers["ETag"] = etag
            return S3Answer.head(status: 200, headers: headers).checksum
        }
        guard case .etag? = checksum([:]) else {
            Issue.record("the ETag is a checksum")
            return
        }
        #expect(
            checksum(["x-amz-checksum-crc32": "DUoRhQ==", "x-amz-checksum-crc32c": "yZRlqg=="])
                == .cyclic(.crc32c, 0xC994_65AA))
        #expect(checksum(["x-amz-checksum-crc32": "DUoRhQ=="]) == .cyclic(.crc32, 0x0D4A_1185))
        #expect(checksum(["x-amz-checksum-crc64nvme": "AAAAAAAAAAE="]) == .cyclic(.crc64nvme, 1))
        // Put together from the parts' own: not to be checked against the bytes.
        for headers: HTTPHeaders in [
            ["x-amz-checksum-crc32c": "yZRlqg==-2"], ["x-amz-checksum-crc32c": "yZRlqg==", "x-amz-checksum-type": "COMPOSITE"],
            ["x-amz-checksum-crc32c": "not base64"],
        ] {
            guard case .etag? = checksum(headers) else {
                Issue.record("\(headers)")
                continue
            }
        }
        // A part of the object has no checksum of the whole.
        let part = S3Answer.head(
            status: 206,
            headers: [
                "Content-Range": "bytes 5-9/11", "x-amz-checksum-crc32c": "yZRlqg==", "ETag": etag, "Content-Length": "5",
            ])
        #expect(part == ObjectHead(length: 11, validator: etag, checksum: nil, supportsRanges: true, offset: 5))
    }

    @Test func doesNotHashLargeObjects() {
        let headers: HTTPHeaders = ["ETag": "\"5eb63bbbe01eeed093cb22bb8f5acdc3\"", "Content-Length": "\(64 << 20 + 1)"]
        #expect(S3Answer.head(status: 200, headers: headers).checksum == nil)
        #expect(S3Answer.head(status: 200, headers: headers, anySize: true).checksum != nil)
    }
}

extension S3Answer.Failure {
    /// The error after a request without secrets.
    fileprivate func error(_ operation: String, _ subject: String) -> ArtifactError {
        error(operation, subject, hiding: [])
    }
}
