import Documents
import FileTrees
import Foundation
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import Artifacts
@testable import S3Artifacts

/// Where an S3 location's keys come from, and what happens when they expire.
@Suite struct S3CredentialTests {
    private let fixture: StoreFixture

    init() throws {
        fixture = try StoreFixture(
            .s3Stub(bucket: "bkt", secrets: ["keys/access": "AK-static\n", "keys/secret": "SK\n", "keys/empty": " \n"]))
    }

    private let withoutKeys: JSONValue = ["accessKeySecret": .null, "secretKeySecret": .null]

    private func context(_ variables: [String: String]) -> DriverContext {
        var context = fixture.context
        context.localStore = nil
        context.aws = AWSEnvironment(Environment(variables))
        return context
    }

    private func fields(_ more: JSONValue) -> JSONValue {
        var fields = withoutKeys
        for member in more.object?.members ?? [] { fields[member.name] = member.value }
        return fields
    }

    private static let found = AWSStandIn.Answer(headers: ["ETag: \"5eb63bbbe01eeed093cb22bb8f5acdc3\""], body: "hello world")

    /// S3 under `/bkt`, a container's service under `/keys`, and the Security Token Service under `/`.
    private func standIn(_ store: @escaping AWSStandIn.Script) throws -> AWSStandIn {
        let keys = Mutex(0)
        return try AWSStandIn { request, number in
            if request.target.hasPrefix("/bkt") { return store(request, number) }
            if request.target == "/keys" {
                let count = keys.withLock {
                    $0 += 1
                    return $0
                }
                return .init(body: AWSStandIn.keys("\(count)"))
            }
            return AWSStandIn.role(AWSStandIn.form(request.body)["Action"] ?? "", "role")
        }
    }

    private func variables(_ standIn: AWSStandIn, _ more: [String: String] = [:]) -> [String: String] {
        ["AWS_CONTAINER_CREDENTIALS_FULL_URI": standIn.url + "/keys", "AWS_ENDPOINT_URL_STS": standIn.url].merging(more) { $1 }
    }

    private func usedKey(_ standIn: AWSStandIn) -> String? {
        standIn.requests.last { $0.target.hasPrefix("/bkt") }?.accessKey
    }

    @Test func takesTheFirstWayThatTheLocationNames() throws {
        let standIn = try standIn { _, _ in Self.found }
        let context = context(variables(standIn, ["AWS_ACCESS_KEY_ID": "AK-env", "AWS_SECRET_ACCESS_KEY": "SK-env"]))
        func key(_ more: JSONValue) throws -> String? {
            _ = try fixture.store("k", endpoint: standIn.endpoint, context: context, more).find()
            return usedKey(standIn)
        }
        let role: JSONValue = "arn:aws:iam::1:role/r"
        #expect(try key(["roleARN": role, "useSDKCreds": true]) == "AK-static")
        #expect(try key(fields(["roleARN": role, "useSDKCreds": true, "region": "eu-west-3"])) == "AK-role")
        #expect(standIn.forms.last { $0["Action"] != nil }?["RoleArn"] == "arn:aws:iam::1:role/r")
        #expect(try key(fields(["useSDKCreds": true])) == "AK-env")
        // What the node or pod is given; keys in the environment are none of that.
        #expect(try key(withoutKeys) == "AK-1")
        // Keys that are empty count as none.
        #expect(try key(["accessKeySecret": ["name": "keys", "key": "empty"], "useSDKCreds": true]) == "AK-env")
        #expect(try key(["secretKeySecret": ["name": "keys", "key": "empty"]]) == "AK-1")
    }

    @Test func fetchesOnceForAllTransfersAndArtifacts() throws {
        let standIn = try standIn { _, _ in Self.found }
        let context = context(variables(standIn))
        try Parallel.forEach(count: 8, width: 8) { index in
            _ = try fixture.store("k\(index)", endpoint: standIn.endpoint, context: context, withoutKeys).find()
        }
        #expect(standIn.lines.filter { $0 == "GET /keys" }.count == 1)
        let tokens = standIn.requests.filter { $0.method == "HEAD" }.map { $0.header("x-amz-security-token") }
        #expect(tokens == Array(repeating: "ST-1", count: 8))
    }

    @Test func goesOnWithFreshKeysInTheMiddleOfADirectory() throws {
        let names = (0..<40).map { "f\($0)" }
        let loaded = Mutex(0)
        let listing =
            "<ListBucketResult><IsTruncated>false</IsTruncated>"
            + names.map { "<Contents><Key>d/\($0)</Key><Size>11</Size></Contents>" }.joined() + "</ListBucketResult>"
        let standIn = try standIn { request, _ in
            if request.target.hasPrefix("/bkt?") { return .init(body: listing) }
            if request.target.hasPrefix("/bkt/d?") || request.target == "/bkt/d" { return .init(status: 404) }
            // Ten objects come with the first keys.
            let isLate = loaded.withLock {
                $0 += 1
                return $0 > 10
            }
            return isLate && request.accessKey == "AK-1" ? AWSStandIn.refusal(400, "ExpiredToken") : Self.found
        }
        let context = context(variables(standIn))
        let store = try fixture.store("d", endpoint: standIn.endpoint, context: context, withoutKeys)
        guard case .directory(let directory) = try store.find() else {
            Issue.record("no directory")
            return
        }
        try FileManager.default.createDirectory(
            at: fixture.folder.url.appending(path: "out"), withIntermediateDirectories: true)
        let record = try store.download.directory(directory, into: ContainedDirectory(fixture.path("out")))
        #expect(record.objects == 40)
        for name in names { #expect(try fixture.content("out/\(name)") == Data("hello world".utf8)) }
        // One refresh for all that were refused, each of them sent once more.
        #expect(standIn.lines.filter { $0 == "GET /keys" }.count == 2)
        let sent = names.map { name in standIn.requests.filter { $0.target == "/bkt/d/\(name)" }.count }
        #expect(sent.allSatisfy { (1...2).contains($0) })
        let refused = sent.reduce(0, +) - 40
        #expect(refused > 0)
        #expect(record.retries == refused)
    }

    /// Whoever the keys are from: one request in twenty is refused so, and each is simply sent again.
    @Test(arguments: [false, true]) func livesWithAStoreThatCallsGoodKeysExpired(hasOwnKeys: Bool) throws {
        let names = (0..<400).map { "f\($0)" }
        let listing =
            "<ListBucketResult><IsTruncated>false</IsTruncated>"
            + names.map { "<Contents><Key>d/\($0)</Key><Size>11</Size></Contents>" }.joined() + "</ListBucketResult>"
        let standIn = try standIn { request, number in
            if number % 20 == 0 { return AWSStandIn.refusal(400, "ExpiredToken") }
            if request.target.hasPrefix("/bkt?") { return .init(body: listing) }
            return request.target.hasPrefix("/bkt/d/") ? Self.found : .init(status: 404)
        }
        let context = context(variables(standIn))
        let store = try fixture.store(
            "d/", endpoint: standIn.endpoint, context: context, hasOwnKeys ? [:] : withoutKeys)
        guard case .directory(let directory) = try store.find() else {
            Issue.record("no directory")
            return
        }
        try FileManager.default.createDirectory(
            at: fixture.folder.url.appending(path: "out"), withIntermediateDirectories: true)
        let record = try store.download.directory(directory, into: ContainedDirectory(fixture.path("out")))
        #expect(record.objects == 400)
        let sent = standIn.requests.filter { $0.target.hasPrefix("/bkt/d/") }.count
        #expect((401...480).contains(sent))
    }

    @Test func noticesExpiredKeysWhereTheAnswerHasNoBody() throws {
        let standIn = try standIn { request, _ in
            guard request.accessKey == "AK-1" else { return Self.found }
            return request.method == "HEAD" ? .init(status: 400, body: "") : AWSStandIn.refusal(400, "ExpiredToken")
        }
        let context = context(variables(standIn))
        _ = try fixture.store("k", endpoint: standIn.endpoint, context: context, withoutKeys).find()
        #expect(
            standIn.lines == [
                "GET /keys", "HEAD /bkt/k", "GET /bkt?location=", "GET /keys", "HEAD /bkt/k",
            ])
    }

    @Test(arguments: ["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"])
    func asksWithFreshKeysUpToFiveTimes(word: String) throws {
        let standIn = try standIn { _, _ in AWSStandIn.refusal(403, word) }
        let context = context(variables(standIn))
        let store = try fixture.store("k", endpoint: standIn.endpoint, context: context, withoutKeys)
        let error = #expect(throws: ArtifactError.self) { try store.list() }
        #expect(error?.code == .refused(status: 403, word: word))
        let used = standIn.requests.filter { $0.target.hasPrefix("/bkt") }.map(\.accessKey)
        #expect(used == (1...5).map { "AK-\($0)" })
    }

    @Test func readsTheLocationsSecretsAnewWhereTheirSessionHasExpired() throws {
        let standIn = try standIn { request, _ in
            if request.accessKey == "AK-new" {
                return .init(body: "<ListBucketResult><Contents><Key>k/x</Key></Contents></ListBucketResult>")
            }
            try? fixture.folder.write(Data("AK-new".utf8), to: "secret/keys/access")
            return AWSStandIn.refusal(400, "ExpiredToken")
        }
        let store = try fixture.store("k", endpoint: standIn.endpoint, context: context([:]))
        #expect(try store.list() == ["k/x"])
        #expect(standIn.requests.map(\.accessKey) == ["AK-static", "AK-new"])
    }

    @Test func triesAgainToGetKeys() throws {
        let standIn = try AWSStandIn { request, number in
            if request.target.hasPrefix("/bkt") { return Self.found }
            return number < 3 ? .init(status: 503) : .init(body: AWSStandIn.keys("late"))
        }
        let context = context(variables(standIn))
        _ = try fixture.store("k", endpoint: standIn.endpoint, context: context, withoutKeys).find()
        #expect(standIn.lines == ["GET /keys", "GET /keys", "GET /keys", "HEAD /bkt/k"])
    }

    @Test func aMissingCredentialIsNoMissingArtifact() throws {
        func error(_ variables: [String: String], _ more: JSONValue) -> (any ClassifiedError)? {
            do {
                _ = try fixture.store("k", endpoint: "127.0.0.1:1", context: context(variables), more).find()
                return nil
            } catch { return error as? any ClassifiedError }
        }
        let off = ["AWS_EC2_METADATA_DISABLED": "true"]
        let none = try #require(error(off, withoutKeys))
        #expect(
            none.message
                == "get credentials for S3 (IAM credentials): no source is configured; asked were web identity, container, instance metadata"
        )
        let lost = try #require(error(off.merging(["AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such/file"]) { $1 }, withoutKeys))
        #expect(lost.message.hasPrefix("get credentials for S3 (IAM credentials): web identity: open /no/such/file: "))
        let profile = try #require(error(off.merging(["AWS_PROFILE": "p"]) { $1 }, fields(["useSDKCreds": true])))
        #expect(profile.message.contains("S3 (SDK credentials): profile 'p': the shared files have no such profile"))
        for error in [none, lost, profile] { #expect(!error.isNotFound && !error.isTransient) }
    }

    /// Keys of every kind, through to the last error and the log.
    @Test func saysNoSecretAnywhere() throws {
        let standIn = try AWSStandIn { request, number in
            let sent = [request.header("Authorization"), request.header("x-amz-security-token")].compactMap { $0 }
            if request.target.hasPrefix("/bkt") {
                return number < 6 ? .init(status: 503) : AWSStandIn.refusal(403, "AccessDenied")
            }
            if request.method == "GET" {
                return .init(
                    body:
                        "{\"AccessKeyId\": \"AK\", \"SecretAccessKey\": \"canary-secret\", \"Token\": \"canary-session\"}")
            }
            return AWSStandIn.failure(503, "ServiceUnavailable", sent.joined(separator: " "))
        }
        let context = context(
            variables(
                standIn,
                [
                    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "canary-token", "AWS_REGION": "r", "AWS_EC2_METADATA_DISABLED": "true",
                ]))
        var texts: [String] = []
        for more in [withoutKeys, fields(["roleARN": "arn"]), fields(["useSDKCreds": true])] {
            do {
                let store = try fixture.store("k", endpoint: standIn.endpoint, context: context, more)
                texts.append(String(reflecting: store.driver))
                _ = try store.list()
            } catch { texts += [errorText(error), String(reflecting: error)] }
        }
        #expect(texts.count == 9)
        for text in texts + [fixture.log.text] { #expect(!text.contains("canary")) }
        #expect(fixture.log.text.contains("retrying"))
    }
}
