import Foundation
import HTTPTransport
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts
@testable import S3Artifacts

/// Each source of AWS's keys against a stand-in that answers as the real service does.
@Suite struct AWSCredentialTests {
    private let folder: TemporaryFolder
    private let clients = HTTPClients(HTTPClientConfiguration())

    init() throws { folder = try TemporaryFolder() }

    private func path(_ name: String) -> String { folder.url.appending(path: name).path }

    private func credentials(_ variables: [String: String], region: String? = nil) -> AWSCredentials {
        AWSCredentials(AWSEnvironment(Environment(variables)), clients: clients, region: region)
    }

    // MARK: Environment

    @Test func takesKeysFromTheEnvironmentFirst() throws {
        let chain = credentials([
            "AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK", "AWS_SESSION_TOKEN": "ST",
            "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere", "AWS_EC2_METADATA_DISABLED": "true",
        ]).defaultChain
        let issued = try chain.fetch()
        #expect(names(issued) == ["AK", "SK", "ST"])
        #expect(issued?.expiry == nil)
        #expect(chain.name == "environment")
    }

    @Test func halfAPairOfKeysIsNone() throws {
        for half in [
            ["AWS_ACCESS_KEY_ID": "AK"], ["AWS_SECRET_ACCESS_KEY": "SK"],
            ["AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": ""],
        ] {
            let chain = credentials(half.merging(["AWS_EC2_METADATA_DISABLED": "true"]) { $1 }).defaultChain
            #expect(try chain.fetch() == nil)
            #expect(chain.name == "environment, profile 'default', web identity, container, instance metadata")
        }
    }

    @Test func theInstanceChainKnowsNoKeysInTheEnvironment() throws {
        let chain = credentials([
            "AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK", "AWS_EC2_METADATA_DISABLED": "TRUE",
        ]).instanceChain
        #expect(try chain.fetch() == nil)
        #expect(chain.name == "web identity, container, instance metadata")
    }

    // MARK: Instance metadata

    @Test(arguments: [
        ([:], "http://169.254.169.254"),
        (["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"], "http://[fd00:ec2::254]"),
        (["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv4"], "http://169.254.169.254"),
        (
            ["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://near:1/x/"],
            "http://near:1/x"
        ),
    ]) func findsInstanceMetadata(variables: [String: String], url: String) {
        let settings = AWSEnvironment(Environment(variables)).metadata
        #expect(InstanceMetadataSource(settings: settings, http: clients.direct).base == url)
    }

    @Test func asksInstanceMetadataByASession() throws {
        let standIn = try AWSStandIn { request, _ in
            switch request.line.split(separator: " ").prefix(2).joined(separator: " ") {
            case "PUT /latest/api/token": return .init(body: "SESSION")
            case "GET /latest/meta-data/iam/security-credentials/": return .init(body: "my-role\n")
            case "GET /latest/meta-data/iam/security-credentials/my-role":
                return .init(body: AWSStandIn.keys("imds", code: "Success"))
            default: return .init(status: 404)
            }
        }
        let issued = try credentials(["AWS_EC2_METADATA_SERVICE_ENDPOINT": standIn.url + "/"]).instanceChain.fetch()
        #expect(names(issued) == ["AK-imds", "SK-imds", "ST-imds"])
        #expect(issued?.expiry.map { $0 > Timestamp(seconds: Timestamp.now.seconds + 21000) } == true)
        #expect(
            standIn.lines == [
                "PUT /latest/api/token", "GET /latest/meta-data/iam/security-credentials/",
                "GET /latest/meta-data/iam/security-credentials/my-role",
            ])
        #expect(standIn.requests[0].header("X-aws-ec2-metadata-token-ttl-seconds") == "21600")
        #expect(standIn.requests[0].header("Content-Length") == "0")
        #expect(standIn.requests.dropFirst().allSatisfy { $0.header("X-aws-ec2-metadata-token") == "SESSION" })
    }

    @Test(arguments: [403, 404, 405, 0]) func fallsBackToTheFirstVersionOfTheMetadata(status: Int) throws {
        let standIn = try AWSStandIn { request, _ in
            // Behind a hop too many the answer never comes.
            if request.line.hasPrefix("PUT") { return status == 0 ? nil : .init(status: status) }
            return .init(body: request.line.contains("/r ") ? AWSStandIn.keys("old", code: "Success") : "r")
        }
        let variables = ["AWS_EC2_METADATA_SERVICE_ENDPOINT": standIn.url]
        #expect(names(try credentials(variables).defaultChain.fetch()) == ["AK-old", "SK-old", "ST-old"])
        #expect(standIn.requests.allSatisfy { $0.header("X-aws-ec2-metadata-token") == nil })

        let strict = variables.merging(["AWS_EC2_METADATA_V1_DISABLED": "true"]) { $1 }
        #expect(throws: (any Error).self) { try credentials(strict).defaultChain.fetch() }
        #expect(standIn.lines.filter { $0.hasPrefix("GET") }.count == 2)
    }

    @Test func tellsWhyTheMetadataGiveNoKeys() throws {
        func fetch(_ script: @escaping AWSStandIn.Script) throws -> (String, Bool?) {
            let standIn = try AWSStandIn(script)
            do {
                _ = try credentials(["AWS_EC2_METADATA_SERVICE_ENDPOINT": standIn.url]).instanceChain.fetch()
                return ("no error", nil)
            } catch { return (errorText(error), (error as? any ClassifiedError)?.isTransient) }
        }
        let token = AWSStandIn.Answer(body: "SESSION")
        #expect(
            try fetch { request, _ in request.line.hasPrefix("PUT") ? token : .init(status: 404) } == (
                "no role is attached to this instance", false
            ))
        #expect(
            try fetch { request, _ in request.line.hasPrefix("PUT") ? token : .init(body: "\n") } == (
                "no role is attached to this instance", false
            ))
        #expect(try fetch { _, _ in .init(status: 503) } == ("PUT /latest/api/token: 503", true))
        #expect(try fetch { _, _ in .init(status: 400) } == ("PUT /latest/api/token: 400", false))
        // The session ended meanwhile: the next attempt begins another.
        #expect(
            try fetch { request, _ in request.line.hasPrefix("PUT") ? token : .init(status: 401) }
                == ("GET /latest/meta-data/iam/security-credentials/: 401", true))
        #expect(
            try fetch { request, _ in
                if request.line.hasPrefix("PUT") { return token }
                return request.line.contains("/r ")
                    ? .init(body: "{\"Code\": \"AssumeRoleUnauthorizedAccess\", \"Message\": \"EC2 cannot assume the role r\"}")
                    : .init(body: "r")
            } == ("get the role's credentials: 200 AssumeRoleUnauthorizedAccess: EC2 cannot assume the role r", false))
        let refused = try unusedPort()
        let error = #expect(throws: TransferError.self) {
            try credentials(["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:\(refused)"]).instanceChain.fetch()
        }
        #expect(error?.isTransient == true)
    }

    // MARK: Containers

    @Test func asksTheContainersServiceWithItsToken() throws {
        let standIn = try AWSStandIn { _, _ in .init(body: AWSStandIn.keys("pod")) }
        var variables = [
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": standIn.url + "/v1/credentials?x=1",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "T1",
        ]
        #expect(names(try credentials(variables).defaultChain.fetch()) == ["AK-pod", "SK-pod", "ST-pod"])
        // The file wins, and is read each time.
        try folder.write(Data("T2\n".utf8), to: "token")
        variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = path("token")
        let chain = credentials(variables).instanceChain
        _ = try chain.fetch()
        try folder.write(Data("T3".utf8), to: "token")
        _ = try chain.fetch()
        #expect(standIn.lines == Array(repeating: "GET /v1/credentials?x=1", count: 3))
        #expect(standIn.requests.map { $0.header("Authorization") } == ["T1", "T2", "T3"])
        try folder.write(Data("\n".utf8), to: "token")
        #expect(failureText { try chain.fetch() } == "the token file \(path("token")) is empty")
    }

    @Test(arguments: [
        ("http://169.254.170.2/v", true), ("http://169.254.170.23/v", true), ("http://[fd00:ec2::23]/v", true),
        ("http://127.5.5.5:1/v", true), ("http://[::1]:1/v", true), ("http://localhost:1/v", true),
        ("https://anywhere.example.com/v", true), ("http://169.254.170.3/v", false), ("http://example.com/v", false),
        ("http://10.0.0.1/v", false), ("http://[fd00:ec2::24]/v", false), ("http://localhost.example.com/v", false),
    ]) func sendsATokenToNoStrangerWithoutTLS(url: String, isAllowed: Bool) {
        let source = ContainerSource(
            settings: AWSEnvironment(Environment(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url])).container, clients: clients)
        if isAllowed {
            #expect(throws: Never.self) { try source.url() }
        } else {
            let text = failureText { try source.url() }
            #expect(text.contains("is not asked without TLS"))
        }
    }

    @Test func findsECSByItsPath() throws {
        func url(_ variables: [String: String]) throws -> String? {
            try ContainerSource(settings: AWSEnvironment(Environment(variables)).container, clients: clients).url()?.text
        }
        #expect(
            try url([
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/1",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1",
            ]) == "http://169.254.170.2/v2/credentials/1")
        #expect(
            failureText { try url(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "@evil/"]) }.contains("must begin with a slash"))
        #expect(try url([:]) == nil)
    }

    @Test func tellsWhyTheContainerGivesNoKeys() throws {
        let standIn = try AWSStandIn { _, number in
            switch number {
            case 1: .init(status: 400, body: "{\"code\": \"AccessDenied\", \"message\": \"not\\nyours\"}")
            case 2: .init(status: 500)
            case 3: .init(body: "<html>")
            default: .init(body: "{\"AccessKeyId\": \"AK\"}")
            }
        }
        let chain = credentials(["AWS_CONTAINER_CREDENTIALS_FULL_URI": standIn.url + "/v"]).instanceChain
        #expect(failureText { try chain.fetch() } == "GET \(standIn.url)/v: 400 AccessDenied: not yours")
        let error = #expect(throws: CredentialFailure.self) { try chain.fetch() }
        #expect(error?.isTransient == true)
        #expect(failureText { try chain.fetch() } == "the response is not a JSON object")
        #expect(failureText { try chain.fetch() } == "the response has no AccessKeyId or SecretAccessKey")
    }

    @Test func asksWhatIsNearByNoProxy() throws {
        let standIn = try AWSStandIn { request, _ in
            if request.line.hasPrefix("PUT") { return .init(body: "SESSION") }
            return .init(body: request.line.contains("/r ") ? AWSStandIn.keys("near", code: "Success") : "r")
        }
        // This address is our own too, but unlike loopback not one that proxies never serve.
        let url = standIn.url.replacingOccurrences(of: "127.0.0.1", with: "0.0.0.0")
        let proxied = HTTPClients(
            HTTPClientConfiguration(
                proxy: ProxySettings(http: "http://127.0.0.1:\(try unusedPort())", https: nil, direct: nil)))
        #expect(throws: TransferError.self) { try proxied.client().perform(HTTPRequest("GET", url)) }
        let environment = AWSEnvironment(Environment(["AWS_EC2_METADATA_SERVICE_ENDPOINT": url]))
        let issued = try AWSCredentials(environment, clients: proxied, region: nil).instanceChain.fetch()
        #expect(names(issued) == ["AK-near", "SK-near", "ST-near"])
    }

    // MARK: Web identity

    private func identity(_ standIn: AWSStandIn, _ more: [String: String] = [:]) throws -> [String: String] {
        try folder.write(Data("JWT-1\n".utf8), to: "jwt")
        return [
            "AWS_WEB_IDENTITY_TOKEN_FILE": path("jwt"), "AWS_ROLE_ARN": "arn:aws:iam::1:role/r",
            "AWS_ENDPOINT_URL_STS": standIn.url,
            "AWS_REGION": "eu-west-3", "AWS_EC2_METADATA_DISABLED": "true",
        ].merging(more) { $1 }
    }

    @Test func changesAWebIdentityTokenForARole() throws {
        let standIn = try AWSStandIn { _, _ in AWSStandIn.role("AssumeRoleWithWebIdentity", "irsa") }
        let chain = credentials(try identity(standIn, ["AWS_ROLE_SESSION_NAME": "me@pod"])).instanceChain
        let issued = try chain.fetch()
        #expect(names(issued) == ["AK-irsa", "SK-irsa", "ST-irsa"])
        #expect(issued?.expiry != nil)
        try folder.write(Data("JWT-2".utf8), to: "jwt")
        _ = try chain.fetch()
        #expect(
            standIn.forms[0] == [
                "Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": "arn:aws:iam::1:role/r",
                "RoleSessionName": "me@pod", "WebIdentityToken": "JWT-1",
            ])
        // The kubelet had replaced it.
        #expect(standIn.forms[1]["WebIdentityToken"] == "JWT-2")
        #expect(standIn.lines == ["POST /", "POST /"])
        #expect(standIn.requests.allSatisfy { $0.header("Authorization") == nil })
        #expect(standIn.requests[0].header("Content-Type") == "application/x-www-form-urlencoded; charset=utf-8")
    }

    @Test func namesTheSessionWhereNobodyDoes() throws {
        let standIn = try AWSStandIn { _, _ in AWSStandIn.role("AssumeRoleWithWebIdentity", "irsa") }
        let chain = credentials(try identity(standIn)).defaultChain
        _ = try chain.fetch()
        let name = try #require(standIn.forms[0]["RoleSessionName"])
        #expect(name.hasPrefix("argoexec-"))
        #expect(name.utf8.count <= 64)
    }

    @Test(arguments: [
        (503, "ServiceUnavailable", true), (400, "IDPCommunicationError", true), (400, "Throttling", true),
        (400, "ExpiredTokenException", true), (400, "InvalidIdentityToken", true), (429, "", true),
        (403, "AccessDenied", false), (400, "ValidationError", false),
    ]) func knowsWhichRefusalsMayGoAway(status: Int, code: String, isTransient: Bool) throws {
        let standIn = try AWSStandIn { _, _ in AWSStandIn.failure(status, code, "some\nreason") }
        let chain = credentials(try identity(standIn)).instanceChain
        let error = #expect(throws: CredentialFailure.self) { try chain.fetch() }
        #expect(error?.isTransient == isTransient)
        #expect(
            error?.message
                == "AssumeRoleWithWebIdentity: \([String(status), code].filter { !$0.isEmpty }.joined(separator: " ")): some reason"
        )
    }

    @Test func namesAMissingTokenFile() throws {
        let standIn = try AWSStandIn { _, _ in .init(status: 500) }
        let chain = credentials(try identity(standIn, ["AWS_WEB_IDENTITY_TOKEN_FILE": path("gone")])).instanceChain
        #expect(failureText { try chain.fetch() }.contains(path("gone")))
        #expect(standIn.requests.isEmpty)
    }

    @Test func theDefaultChainWantsARegionForTheTokenService() throws {
        let standIn = try AWSStandIn { _, _ in AWSStandIn.role("AssumeRoleWithWebIdentity", "irsa") }
        let variables = try identity(standIn, ["AWS_REGION": ""])
        #expect(failureText { try credentials(variables).defaultChain.fetch() }.contains("Missing Region"))
        // The location's region will do, and the instance chain needs none.
        _ = try credentials(variables, region: "eu-west-1").defaultChain.fetch()
        _ = try credentials(variables).instanceChain.fetch()
        #expect(standIn.requests.count == 2)
    }

    // MARK: Roles

    @Test func assumesARoleWithTheDefaultChainsKeys() throws {
        let standIn = try AWSStandIn { _, _ in AWSStandIn.role("AssumeRole", "role", lifetime: 3600) }
        let source = credentials(
            [
                "AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK", "AWS_SESSION_TOKEN": "ST",
                "AWS_ENDPOINT_URL": standIn.url + "/sts/", "AWS_REGION": "eu-west-3",
            ], region: "ap-south-1"
        ).assuming(roleARN: "arn:aws:iam::1:role/r+1")
        let issued = try source.fetch()
        #expect(names(issued) == ["AK-role", "SK-role", "ST-role"])
        #expect(source.name == "role arn:aws:iam::1:role/r+1 (by environment)")
        let request = try #require(standIn.requests.first)
        #expect(request.line.hasPrefix("POST /sts/ "))
        #expect(standIn.forms[0]["RoleArn"] == "arn:aws:iam::1:role/r+1")
        #expect(standIn.forms[0]["Action"] == "AssumeRole")
        #expect(request.header("X-Amz-Security-Token") == "ST")
        // The location's region comes before the environment's.
        let authorization = try #require(request.header("Authorization"))
        #expect(authorization.hasPrefix("AWS4-HMAC-SHA256 Credential=AK/"))
        #expect(
            authorization.contains(
                "/ap-south-1/sts/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,"))
    }

    @Test func saysThatTheRegionIsMissing() throws {
        let source = credentials(["AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK"]).assuming(roleARN: "arn")
        #expect(
            failureText { try source.fetch() } == "AssumeRole: Missing Region: neither the location nor AWS_REGION names one")
    }

    @Test func aRoleWithoutKeysToAssumeItIsNotConfigured() throws {
        let source = credentials(["AWS_EC2_METADATA_DISABLED": "true"], region: "r").assuming(roleARN: "arn")
        #expect(try source.fetch() == nil)
    }

    @Test(arguments: [
        ("eu-west-3", "", "https://sts.eu-west-3.amazonaws.com/", "eu-west-3"),
        ("eu-west-3", "regional", "https://sts.eu-west-3.amazonaws.com/", "eu-west-3"),
        ("eu-west-3", "legacy", "https://sts.amazonaws.com/", "us-east-1"),
        ("eu-south-1", "legacy", "https://sts.eu-south-1.amazonaws.com/", "eu-south-1"),
        ("aws-global", "", "https://sts.amazonaws.com/", "us-east-1"),
        ("cn-north-1", "", "https://sts.cn-north-1.amazonaws.com.cn/", "cn-north-1"),
        ("us-gov-west-1", "", "https://sts.us-gov-west-1.amazonaws.com/", "us-gov-west-1"),
        ("us-iso-east-1", "", "https://sts.us-iso-east-1.c2s.ic.gov/", "us-iso-east-1"),
    ]) func findsTheTokenServiceOfARegion(region: String, mode: String, url: String, signed: String) throws {
        let environment = AWSEnvironment(Environment(["AWS_STS_REGIONAL_ENDPOINTS": mode]))
        let service = SecurityTokenService(settings: environment.securityTokenService, http: clients.client())
        let endpoint = try service.endpoint(region: region)
        #expect(endpoint.url.text == url)
        #expect(endpoint.region == signed)
        #expect(throws: CredentialFailure.self) { try service.endpoint(region: "evil.example.com/") }
    }

    // MARK: Secrecy

    /// Whoever answers may repeat all that it was sent.
    @Test func repeatsNoSecretThatAServiceSaysBack() throws {
        let canary = "canary-7f3a"
        let standIn = try AWSStandIn { request, _ in
            let sent = [
                request.header("Authorization"), request.header("X-Amz-Security-Token"),
                AWSStandIn.form(request.body)["WebIdentityToken"],
            ].compactMap { $0 }.joined(separator: " ")
            if request.line.hasPrefix("GET") {
                return .init(status: 400, body: "{\"code\": \"\(sent)\", \"message\": \"you sent \(sent)\"}")
            }
            return AWSStandIn.failure(403, "Code-\(sent)", "you sent \(sent)")
        }
        try folder.write(Data("\(canary)-jwt".utf8), to: "canary")
        let identity = credentials([
            "AWS_WEB_IDENTITY_TOKEN_FILE": path("canary"), "AWS_ENDPOINT_URL_STS": standIn.url, "AWS_REGION": "eu-west-3",
        ]).instanceChain
        let container = credentials([
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": standIn.url + "/v", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "\(canary)-token",
        ]).instanceChain
        let role = credentials([
            "AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "\(canary)-secret", "AWS_SESSION_TOKEN": "\(canary)-session",
            "AWS_ENDPOINT_URL_STS": standIn.url, "AWS_REGION": "eu-west-3",
        ]).assuming(roleARN: "arn")
        let withoutSession = credentials([
            "AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK", "AWS_ENDPOINT_URL_STS": standIn.url, "AWS_REGION": "r",
        ]).assuming(roleARN: "arn")
        for source in [identity, container, role, withoutSession] as [AWSCredentials.Source] {
            let text = failureText { try source.fetch() }
            #expect(!text.contains("Signature="))
            #expect(text.contains("403") || text.contains("400"))
            #expect(!text.contains(canary))
        }
        #expect(standIn.requests.count == 4)
    }

    @Test func printsNoSecretOfAnAnswer() throws {
        let broken = [
            "{\"AccessKeyId\": \"canary\", \"SecretAccessKey\": \"canary\", \"Token\": \"canary\", \"Expiration\": \"canary\"}",
            "{\"AccessKeyId\": \"\", \"SecretAccessKey\": \"canary\"}", "{\"SecretAccessKey\": \"canary\", }",
            "[\"canary\"]",
        ]
        for body in broken {
            let standIn = try AWSStandIn { _, _ in .init(body: body) }
            let chain = credentials(["AWS_CONTAINER_CREDENTIALS_FULL_URI": standIn.url]).instanceChain
            let text = failureText { try chain.fetch() }
            #expect(!text.contains("canary"))
            #expect(!text.hasPrefix("no error"))
        }
        let service = try AWSStandIn { _, _ in
            .init(body: "<AssumeRoleWithWebIdentityResponse><canary>canary</canary></AssumeRoleWithWebIdentityResponse>")
        }
        #expect(
            failureText { try credentials(try identity(service)).instanceChain.fetch() }
                == "AssumeRoleWithWebIdentity: the answer holds no keys")
    }
}
