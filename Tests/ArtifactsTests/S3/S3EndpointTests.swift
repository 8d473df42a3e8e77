import Testing

@testable import Artifacts
@testable import S3Artifacts

@Suite struct S3EndpointTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let endpoint: String
        var bucket = "bkt"
        var isSecure = true
        var style = S3Endpoint.Style.automatic
        var region = "eu-west-3"
        let authority: String
        let path: String
        var regionOfHost: String?
        var testDescription: String { "\(endpoint) \(bucket) \(style)" }
    }

    static let cases: [Case] = [
        Case(endpoint: "minio:9000", authority: "minio:9000", path: "/bkt/a/b"),
        Case(endpoint: "MINIO.Example.com", authority: "minio.example.com", path: "/bkt/a/b"),
        Case(endpoint: "minio:443", authority: "minio", path: "/bkt/a/b"),
        Case(endpoint: "minio:443", isSecure: false, authority: "minio:443", path: "/bkt/a/b"),
        Case(endpoint: "minio:80", isSecure: false, authority: "minio", path: "/bkt/a/b"),
        Case(endpoint: "[::1]:9000", authority: "[::1]:9000", path: "/bkt/a/b"),
        Case(endpoint: "minio:9000", style: .virtualHosted, authority: "bkt.minio:9000", path: "/a/b"),
        // Amazon: the host is named by the region, whatever the endpoint's was.
        Case(endpoint: "s3.amazonaws.com", authority: "bkt.s3.dualstack.eu-west-3.amazonaws.com", path: "/a/b"),
        Case(endpoint: "s3.amazonaws.com:443", authority: "bkt.s3.dualstack.eu-west-3.amazonaws.com", path: "/a/b"),
        Case(
            endpoint: "s3.us-west-2.amazonaws.com", authority: "bkt.s3.dualstack.eu-west-3.amazonaws.com", path: "/a/b",
            regionOfHost: "us-west-2"),
        Case(
            endpoint: "s3-us-gov-west-1.amazonaws.com", region: "us-gov-west-1",
            authority: "bkt.s3.dualstack.us-gov-west-1.amazonaws.com", path: "/a/b", regionOfHost: "us-gov-west-1"),
        Case(
            endpoint: "s3.dualstack.ap-south-1.amazonaws.com", region: "ap-south-1",
            authority: "bkt.s3.dualstack.ap-south-1.amazonaws.com", path: "/a/b", regionOfHost: "ap-south-1"),
        Case(
            endpoint: "s3.cn-north-1.amazonaws.com.cn", region: "cn-north-1",
            authority: "bkt.s3.dualstack.cn-north-1.amazonaws.com.cn", path: "/a/b", regionOfHost: "cn-north-1"),
        Case(endpoint: "s3.amazonaws.com", style: .path, authority: "s3.dualstack.eu-west-3.amazonaws.com", path: "/bkt/a/b"),
        // No certificate covers a dotted bucket.
        Case(
            endpoint: "s3.amazonaws.com", bucket: "my.bkt", authority: "s3.dualstack.eu-west-3.amazonaws.com",
            path: "/my.bkt/a/b"),
        Case(
            endpoint: "s3.amazonaws.com", bucket: "my.bkt", isSecure: false,
            authority: "my.bkt.s3.dualstack.eu-west-3.amazonaws.com", path: "/a/b"),
        // These keep their own host.
        Case(
            endpoint: "s3-fips.us-east-2.amazonaws.com", authority: "bkt.s3-fips.us-east-2.amazonaws.com", path: "/a/b",
            regionOfHost: "us-east-2"),
        Case(
            endpoint: "s3-fips-us-gov-west-1.amazonaws.com", authority: "bkt.s3-fips-us-gov-west-1.amazonaws.com",
            path: "/a/b", regionOfHost: "us-gov-west-1"),
        Case(
            endpoint: "bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com", style: .path,
            authority: "bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com", path: "/bkt/a/b",
            regionOfHost: "us-east-1"),
        Case(endpoint: "s3-accelerate.amazonaws.com", authority: "bkt.s3-accelerate.amazonaws.com", path: "/a/b"),
        Case(endpoint: "storage.googleapis.com", authority: "bkt.storage.googleapis.com", path: "/a/b"),
        Case(endpoint: "oss-cn-hangzhou.aliyuncs.com", authority: "bkt.oss-cn-hangzhou.aliyuncs.com", path: "/a/b"),
        // Somebody else's host that only looks like Amazon's.
        Case(endpoint: "s3.amazonaws.com.example.org", authority: "s3.amazonaws.com.example.org", path: "/bkt/a/b"),
        Case(
            endpoint: "s3-proxy-1.elb.us-east-1.amazonaws.com", authority: "s3-proxy-1.elb.us-east-1.amazonaws.com",
            path: "/bkt/a/b"),
        Case(endpoint: "ec2.us-east-1.amazonaws.com", authority: "ec2.us-east-1.amazonaws.com", path: "/bkt/a/b"),
    ]

    @Test(arguments: cases) func namesHostAndPath(example: Case) throws {
        let endpoint = try S3Endpoint(
            endpoint: example.endpoint, bucket: example.bucket, isSecure: example.isSecure, style: example.style)
        #expect(endpoint.authority(region: example.region) == example.authority)
        #expect(endpoint.path(key: Array("a/b".utf8)) == example.path)
        #expect(endpoint.regionOfHost == example.regionOfHost)
    }

    @Test func namesTheBucketItself() throws {
        let path = try S3Endpoint(endpoint: "minio", bucket: "bkt", isSecure: true, style: .path)
        #expect(path.path(key: nil) == "/bkt")
        let host = try S3Endpoint(endpoint: "minio", bucket: "bkt", isSecure: true, style: .virtualHosted)
        #expect(host.path(key: nil) == "/")
    }

    @Test func refusesARegionThatNamesAnotherHost() throws {
        func check(_ endpoint: String, _ region: String) throws {
            try S3Endpoint(endpoint: endpoint, bucket: "bkt", isSecure: true, style: .automatic).check(region: region)
        }
        #expect(throws: ArtifactError.self) { try check("s3.amazonaws.com", "example.com/") }
        #expect(throws: Never.self) { try check("s3.amazonaws.com", "eu-west-3") }
        #expect(throws: Never.self) { try check("minio:9000", "Any Thing") }
    }

    @Test func sendsOnePUTToGoogle() throws {
        #expect(
            try S3Endpoint(endpoint: "storage.googleapis.com", bucket: "b", isSecure: true, style: .automatic).lacksMultipart)
        // So that objects of any size go there by one PUT.
        let fixture = try StoreFixture(.s3Stub(bucket: "b", secrets: ["keys/access": "AK", "keys/secret": "SK"]))
        var context = fixture.context
        context.localStore = nil
        for (host, isWhole) in [("storage.googleapis.com", true), ("store.invalid", false)] {
            let driver = try fixture.store("k", endpoint: host, context: context).driver
            #expect(try (driver.multipart(at: nil, fileName: "f") == nil) == isWhole)
        }
        #expect(try !S3Endpoint(endpoint: "s3.amazonaws.com", bucket: "b", isSecure: true, style: .automatic).lacksMultipart)
    }

    @Test(arguments: ["", "https://minio:9000", "minio/path", "user@host", "host name", "host?x", ":9000", "höst", "a\nb"])
    func refusesWhatIsNoHost(endpoint: String) {
        #expect(throws: ArtifactError.self) {
            try S3Endpoint(endpoint: endpoint, bucket: "bkt", isSecure: true, style: .automatic)
        }
    }

    @Test(arguments: ["", "a/b", "a b", "a?b", "a#b", "büro"]) func refusesWhatIsNoBucket(bucket: String) {
        #expect(throws: ArtifactError.self) {
            try S3Endpoint(endpoint: "minio", bucket: bucket, isSecure: true, style: .path)
        }
    }
}
