import ArtifactRegistry
import Artifacts
import Documents
import Foundation
import HTTPTransport
import SystemSupport
import TestSupport
import Testing

@testable import StoreChecking

@Suite struct StoreCheckTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try writeKeys("AKIA", "canary-secret")
    }

    private func path(_ name: String) -> BytePath { BytePath(folder.url.appending(path: name).path) }

    private func writeKeys(_ access: String, _ secret: String) throws {
        try folder.write(Data(access.utf8), to: "secrets/s3/access")
        try folder.write(Data(secret.utf8), to: "secrets/s3/secret")
    }

    private func repository(_ endpoint: String, bucket: String = "b", more: String = "", isSecure: Bool = false) -> String {
        """
        s3:
          endpoint: \(endpoint)
          insecure: \(!isSecure)
          bucket: \(bucket)
          keyFormat: "some/where/{{workflow.name}}/x"
          accessKeySecret: {name: s3, key: access}
          secretKeySecret: {name: s3, key: secret}
        \(more)
        """
    }

    private func check(
        _ text: String, key: String? = nil, secrets: String? = "secrets", environment: [String: String] = [:]
    ) throws -> StoreCheck {
        try folder.write(Data(text.utf8), to: "repository.yaml")
        return try StoreCheck(path("repository.yaml"), key: key, secrets: secrets.map { path($0) }) { secrets in
            DriverContext(
                registry: ArtifactDrivers(), clients: HTTPClients(HTTPClientConfiguration()), log: .silent,
                executorBackoff: Backoff(duration: 0, factor: 1, jitter: 0, steps: 1), secretsDirectory: secrets,
                requestBackoff: nil, clouds: CloudEnvironment(Environment(environment)))
        }
    }

    /// `name` for a step that went well, `name!` for one that failed, `name-` for one that was not tried.
    private func marks(_ report: CheckReport) -> String {
        let signs: [CheckStep.State: String] = [.ok: "", .failed: "!", .skipped: "-"]
        for text in [report.text, report.json] { #expect(!text.contains("canary")) }
        return report.steps.filter { $0.name != .clock || $0.state != .ok }.map { $0.name.rawValue + (signs[$0.state] ?? "") }
            .joined(separator: " ")
    }

    private static let allWell = "configuration name connection credentials bucket put get list delete"

    // MARK: Real stores

    @Test func findsNothingWrongWithSeaweedFS() async throws { try await findsNothingWrong(.seaweedFS) }

    @Test(.requires(.minIO)) func findsNothingWrongWithMinIO() async throws { try await findsNothingWrong(.minIO) }

    private func findsNothingWrong(_ kind: ServerKind) async throws {
        let server = try await S3Server.shared(kind)
        let bucket = try await server.makeBucket()
        try writeKeys(server.accessKey, server.secretKey + "\n")
        let report = try check(repository(server.endpoint, bucket: bucket)).run()
        #expect(marks(report) == Self.allWell, "\(report.text)")
        #expect(report.succeeded)
        #expect(report.subject.hasPrefix("s3://\(bucket)/some/where/.argoexec-check-"))
        #expect(try await server.keys(bucket: bucket) == [])
        let document = try JSONValue(parsing: Array(report.json.utf8))
        #expect(document["succeeded"] == true)
        #expect(document["steps"]?.array?.count == report.steps.count)
    }

    @Test(.requires(.minIO)) func namesWhatARealStoreRefuses() async throws {
        let server = try await S3Server.shared(.minIO)
        let bucket = try await server.makeBucket()
        try writeKeys(server.accessKey, "canary")
        let wrongSecret = try check(repository(server.endpoint, bucket: bucket)).run()
        #expect(marks(wrongSecret) == "configuration name connection credentials! bucket- put- get- list- delete-")
        #expect(wrongSecret.steps.first { $0.state == .failed }?.advice.contains("does not belong to the access key") == true)
        try writeKeys("nobody", "canary")
        let wrongKey = try check(repository(server.endpoint, bucket: bucket)).run()
        #expect(wrongKey.steps.first { $0.state == .failed }?.advice.contains("does not know this access key") == true)
        try writeKeys(server.accessKey, server.secretKey)
        let noBucket = try check(repository(server.endpoint, bucket: "not-there")).run()
        #expect(marks(noBucket) == "configuration name connection credentials bucket! put- get- list- delete-")
        #expect(noBucket.steps.first { $0.state == .failed }?.advice == "make the bucket, or correct its name")
        let plain = try check(repository(server.endpoint, bucket: bucket, isSecure: true)).run()
        #expect(marks(plain) == "configuration name connection TLS! credentials- bucket- put- get- list- delete-")
        #expect(plain.steps.first { $0.state == .failed }?.advice.hasPrefix("the port speaks no TLS") == true)
    }

    @Test func takesKeysFromTheEnvironment() async throws {
        let server = try await S3Server.shared()
        let bucket = try await server.makeBucket()
        let environment = ["AWS_ACCESS_KEY_ID": server.accessKey, "AWS_SECRET_ACCESS_KEY": server.secretKey]
        let report = try check(repository(server.endpoint, bucket: bucket), secrets: nil, environment: environment).run()
        #expect(marks(report) == Self.allWell, "\(report.text)")
    }

    @Test func asksForKeysThatWereNotGiven() throws {
        let store = try StandInStore()
        defer { store.stop() }
        let report = try check(repository(store.endpoint), secrets: nil).run()
        let step = report.steps.first { $0.state == .failed }
        #expect(step?.name == .credentials, "\(report.text)")
        #expect(
            report.text.contains(
                "secret 's3' is needed for s3://b at \(store.endpoint): give --secrets DIR, or AWS_ACCESS_KEY_ID and"),
            "\(report.text)")
        #expect(!report.text.contains("nonexistent"))
    }

    @Test func refusesAFolderOfSecretsThatIsNotThere() {
        let error = #expect(throws: ExecutorError.self) { try check(repository("127.0.0.1:1"), secrets: "nowhere") }
        #expect(error?.message == "--secrets \(path("nowhere")): no such folder")
    }

    // MARK: The way there

    @Test(arguments: [
        ("nowhere.invalid:9000", "configuration name! connection- credentials- bucket- put- get- list- delete-"),
        ("127.0.0.1:1", "configuration name connection! credentials- bucket- put- get- list- delete-"),
    ]) func saysHowFarItCame(endpoint: String, expected: String) throws {
        let report = try check(repository(endpoint)).run()
        #expect(marks(report) == expected, "\(report.text)")
        #expect(report.steps.first { $0.state == .failed }?.advice.isEmpty == false)
        #expect(!report.succeeded)
    }

    /// Servers with TLS answer plain HTTP so, or not at all.
    @Test(arguments: [true, false]) func knowsAPortThatWantsTLS(answers: Bool) throws {
        let server = try ScriptedServer { conversation in
            guard conversation.readRequest() != nil else { return }
            if answers { conversation.answer(400, "Client sent an HTTP request to an HTTPS server.") }
        }
        defer { server.stop() }
        let report = try check(repository("127.0.0.1:\(server.port)")).run()
        #expect(marks(report) == "configuration name connection! credentials- bucket- put- get- list- delete-")
        #expect(
            report.steps.first { $0.state == .failed }?.advice.hasPrefix("the port speaks TLS: remove 'insecure: true'") == true
        )
    }

    @Test func missesTheSecret() throws {
        let store = try StandInStore()
        defer { store.stop() }
        try FileManager.default.createDirectory(
            at: folder.url.appending(path: "elsewhere"), withIntermediateDirectories: true)
        let report = try check(repository(store.endpoint), secrets: "elsewhere").run()
        #expect(marks(report) == "configuration name connection credentials! bucket- put- get- list- delete-")
        #expect(report.steps.first { $0.state == .failed }?.advice.hasPrefix("put a file NAME/KEY") == true)
        #expect(store.requests == ["GET "])
    }

    // MARK: What stores refuse

    private func marks(refusing: @escaping @Sendable (StandInStore.Request) -> StandInStore.Refusal?) throws
        -> (marks: String, left: [String], advice: [String])
    {
        let store = try StandInStore(refuse: refusing)
        defer { store.stop() }
        let report = try check(repository(store.endpoint)).run()
        return (marks(report), store.keys, report.steps.map(\.advice).filter { !$0.isEmpty })
    }

    private static let denied = StandInStore.Refusal(status: 403, word: "AccessDenied", text: "Access Denied")

    /// What is not S3 answers too, and its 404 says nothing of buckets.
    @Test(arguments: [
        (404, "<html><body>Not Found</body></html>"), (404, ""), (403, "Forbidden by the proxy"),
        (401, "{\"error\": \"login\"}"),
        (405, "Method Not Allowed"), (200, "<html><body>Welcome</body></html>"), (200, "{}"), (200, ""),
    ]) func knowsAServerThatIsNoStore(status: Int, body: String) throws {
        let server = try ScriptedServer(answering: { conversation, _ in
            conversation.send(
                "HTTP/1.1 \(status) Text\r\nServer: web\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        })
        defer { server.stop() }
        let report = try check(repository("127.0.0.1:\(server.port)")).run()
        let bucket = try #require(report.steps.first { $0.name == .bucket })
        #expect(bucket.state == .failed)
        #expect(bucket.answer.hasPrefix("the answer is not that of an S3 server: "), "\(bucket.answer)")
        #expect(bucket.advice.contains("S3 API"))
        // Nobody has looked at the keys.
        #expect(report.steps.first { $0.name == .credentials }?.state == .skipped)
    }

    @Test func believesAStoreThatHasNoSuchBucket() throws {
        let found = try marks { _ in StandInStore.Refusal(status: 404, word: "NoSuchBucket", text: "no") }
        #expect(found.advice == ["make the bucket, or correct its name"])
    }

    @Test func aStoreInMemoryPasses() throws {
        let found = try marks { _ in nil }
        #expect(found.marks == Self.allWell)
        #expect(found.left == [])
    }

    @Test func mayNotList() throws {
        let found = try marks { $0.isList ? Self.denied : nil }
        #expect(found.marks == "configuration name connection credentials bucket put get list! delete")
        #expect(found.advice.count == 1 && found.advice[0].contains("s3:ListBucket"))
        #expect(found.left == [])
    }

    @Test func mayNotGet() throws {
        let found = try marks { $0.method == "GET" && !$0.isList && !$0.key.isEmpty ? Self.denied : nil }
        #expect(found.marks == "configuration name connection credentials bucket put get! list delete")
        #expect(found.left == [])
    }

    @Test func mayNotPut() throws {
        let found = try marks { $0.method == "PUT" ? Self.denied : nil }
        #expect(found.marks == "configuration name connection credentials bucket put! get- list- delete-")
        #expect(found.advice[0].contains("s3:PutObject"))
    }

    /// The one case in which something is left is told with its name.
    @Test func mayNotDelete() throws {
        let found = try marks { $0.method == "DELETE" ? Self.denied : nil }
        #expect(found.marks == "configuration name connection credentials bucket put get list delete!")
        #expect(found.left.count == 1)
        #expect(found.advice[0].contains("s3:DeleteObject"))
        #expect(found.advice[0].hasSuffix("s3://b/\(found.left[0]) was left behind: delete it manually"))
    }

    @Test(arguments: [
        ("RequestTimeTooSkewed", 403, "clock!"), ("ExpiredToken", 400, "credentials!"),
        ("AuthorizationHeaderMalformed", 400, "bucket!"), ("AllAccessDisabled", 403, "put!"),
        ("InternalError", 500, "bucket!"),
    ]) func blamesTheRightStep(word: String, status: Int, step: String) throws {
        let found = try marks { $0.isList || $0.method == "PUT" ? .init(status: status, word: word) : nil }
        #expect(found.marks.split(separator: " ").first { $0.hasSuffix("!") }.map(String.init) == step, "\(found.marks)")
    }

    @Test func comparesTheClocks() throws {
        let store = try StandInStore(headers: ["Date: Sun, 06 Nov 1994 08:49:37 GMT"])
        defer { store.stop() }
        let report = try check(repository(store.endpoint)).run()
        #expect(marks(report) == "configuration name connection clock! credentials- bucket- put- get- list- delete-")
        #expect(report.text.contains("s ahead of the store's"))
    }

    /// Called off while the probe is being put: it is deleted all the same.
    @Test func leavesNothingWhenItIsStopped() throws {
        let isPutting = Monitor(false)
        let goOn = Monitor(false)
        let store = try StandInStore { request in
            if request.method == "PUT" {
                isPutting.update { $0 = true }
                goOn.wait { $0 ? true : nil }
            }
            return nil
        }
        defer { store.stop() }
        let check = try check(repository(store.endpoint))
        let report = Monitor(CheckReport?.none)
        try WorkerThread {
            let found = check.run(); report.update { $0 = found }
        }.detach()
        isPutting.wait { $0 ? true : nil }
        check.stop()
        // The request to delete comes after that to put, which the store goes on with.
        goOn.update { $0 = true }
        let found = report.wait { $0 }
        #expect(found.isInterrupted)
        #expect(!found.succeeded)
        #expect(store.requests.contains { $0.hasPrefix("DELETE some/where/.argoexec-check-") })
        #expect(store.keys == [])
    }

    // MARK: What is read

    @Test func readsEveryFormOfAConfiguration() throws {
        let store = try StandInStore()
        defer { store.stop() }
        let bare = repository(store.endpoint)
        let indented = bare.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n")
        let location: JSONValue = [
            "s3": [
                "endpoint": .string(store.endpoint), "insecure": true, "bucket": "b", "key": "wf/pod",
                "accessKeySecret": ["name": "s3", "key": "access"], "secretKeySecret": ["name": "s3", "key": "secret"],
            ]
        ]
        let template: JSONValue = ["name": "t", "container": ["image": "x"], "archiveLocation": location]
        let pod: JSONValue = [
            "kind": "Pod",
            "spec": [
                "initContainers": [
                    ["name": "init", "env": [["name": "ARGO_TEMPLATE", "value": .string(template.serializedText())]]]
                ]
            ],
        ]
        let forms: [(String, String?)] = [
            (bare, nil), ("kind: ConfigMap\ndata:\n  artifactRepository: |\n\(indented)", nil),
            ("kind: ConfigMap\ndata:\n  one: ''\n  two: |\n\(indented)", "two"), (template.serializedText(), nil),
            (pod.serializedText(), nil),
        ]
        for (text, key) in forms { #expect(marks(try check(text, key: key).run()) == Self.allWell, "\(text)") }
        #expect(store.keys == [])
    }

    @Test(arguments: [
        ("s3: [", "did not find expected node content"), ("gold: {}", "expected one store, found none"),
        ("container: {}", "the template has no archiveLocation"), ("kind: Pod", "no container has the variable ARGO_TEMPLATE"),
        ("git: {repo: x}", "git cannot be a repository"),
    ]) func refusesWhatIsNone(text: String, reason: String) throws {
        let error = #expect(throws: (any Error).self) { try check(text) }
        #expect(error.map { errorText($0) }?.contains(reason) == true, "\(String(describing: error))")
    }

    /// Nothing could take a probe away again.
    @Test func putsNothingWhereItCannotDelete() throws {
        let store = try StandInStore()
        defer { store.stop() }
        let template: JSONValue = [
            "container": ["image": "x"], "archiveLocation": ["http": ["url": .string("http://\(store.endpoint)/b/x")]],
        ]
        let report = try check(template.serializedText()).run()
        #expect(marks(report) == "configuration name connection credentials put- get- list- delete-", "\(report.text)")
        #expect(store.requests.allSatisfy { $0.hasPrefix("GET") })
    }
}
