import ArtifactRegistry
import Artifacts
import Documents
import Foundation
import HTTPTransport
import KubernetesAPI
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import ArtifactCollection

/// Artifacts of a pod of its own: tasks at a real API server, objects in a local store or at an S3 server.
private struct Collection {
    static let rules: [JSON] = [
        ClusterServer.rule("argoproj.io", "workflowartifactgctasks", ["list", "watch"]),
        ClusterServer.rule("argoproj.io", "workflowartifactgctasks/status", ["patch"]),
    ]

    let server: ClusterServer
    let folder: TemporaryFolder
    let label = String(UInt32.random(in: .min ... .max))
    let lines = Lines()

    final class Lines: Sendable {
        let all = Mutex<[String]>([])
        var log: Log {
            Log(level: .debug, sink: { [self] line in all.withLock { $0.append(String(decoding: line, as: UTF8.self)) } })
        }
    }

    init() async throws {
        server = try await ClusterServer.shared(.kubernetes)
        folder = try TemporaryFolder()
    }

    func path(_ name: String) -> BytePath { BytePath(folder.url.appending(path: name).path) }

    func drivers(local: Bool = true) -> DriverContext {
        DriverContext(
            registry: ArtifactDrivers(), clients: HTTPClients(HTTPClientConfiguration()), log: lines.log,
            executorBackoff: Backoff(duration: 1_000_000, factor: 1, jitter: 0, steps: 5),
            secretsDirectory: path("secret"), requestBackoff: nil, spoolDirectory: path("."),
            localStore: local ? LocalStore(folder: path("store")) : nil)
    }

    func client(token: String? = nil, port: Int? = nil) async throws -> KubernetesClient {
        let given: String
        if let token { given = token } else { given = try await server.account("gc", rules: Self.rules) }
        let access = ClusterAccess(
            server: port.map { "https://127.0.0.1:\($0)" } ?? server.url.absoluteString,
            trust: .certificates(try SmallFile.read(BytePath(server.authority))),
            credentials: GivenCredentials(token: .fixed(Secret(given))), namespace: server.namespace)
        let client = KubernetesClient(access: { access }, settings: .init(userAgent: "argoexec-test"))
        if token == nil, port == nil {
            let selection = ResourceSelection(ResourcePath(.artifactGCTasks))
            try await happens("the role counts") { (try? client.list(selection, pageSize: 1)) != nil }
        }
        return client
    }

    func makeTask(_ index: Int, _ nodes: JSON, status: JSON? = nil) async throws {
        let name = name(index)
        let object = ClusterServer.object(
            "argoproj.io/v1alpha1", "WorkflowArtifactGCTask", name,
            [
                "metadata": [
                    "name": .string(name), "labels": ["workflows.argoproj.io/artifact-gc-pod": .string(label)],
                ], "spec": ["artifactsByNode": nodes],
            ])
        try await server.make(server.argo("workflowartifactgctasks"), object)
        if let status {
            try await server.merge(
                "\(server.argo("workflowartifactgctasks"))/\(name)/status", ["status": ["artifactResultsByNode": status]])
        }
    }

    func name(_ index: Int) -> String { "gc-\(label)-\(index)" }

    func results(_ index: Int) async throws -> JSON? {
        try await server.read("\(server.argo("workflowartifactgctasks"))/\(name(index))")?["status"]?["artifactResultsByNode"]
    }

    func collection(
        _ client: KubernetesClient, _ drivers: DriverContext, plugins: [String] = [], label: String? = nil
    ) -> GarbageCollection {
        var settings = GarbageCollection.Settings(
            podLabel: label ?? self.label, attempts: Backoff(duration: 1_000_000, factor: 2, jitter: 0, steps: 5),
            pluginContainers: plugins, gracePeriod: 1_000_000_000, runDirectory: path("run"))
        settings.requests = Backoff(
            duration: 20_000_000, factor: 1.5, jitter: 0, steps: .max, cap: 200_000_000, limit: 60_000_000_000)
        return GarbageCollection(settings, client: client, drivers: drivers, log: lines.log)
    }

    func store(_ key: String) throws { try folder.write(Data("x".utf8), to: "store/bucket/\(key)") }

    func isStored(_ key: String) -> Bool {
        FileManager.default.fileExists(atPath: folder.url.appending(path: "store/bucket/\(key)").path)
    }

    /// The repository that the tasks name, whose key is a pattern.
    static let repository: JSON = ["s3": ["endpoint": "e:1", "bucket": "bucket", "key": "{{workflow.name}}/{{pod.name}}"]]

    static func artifact(_ name: String, _ key: String, _ more: JSON = [:]) -> JSON {
        var artifact: JSON = ["name": .string(name), "s3": ["key": .string(key)]]
        for name in more.names { artifact[name] = more[name] }
        return artifact
    }
}

@Suite(.requires(.kubernetes)) struct GarbageCollectionTests {
    @Test func deletesWhatTheTasksListAndTellsOfEach() async throws {
        let gc = try await Collection()
        for key in ["a.tgz", "dir/one", "dir/two", "keep", "b"] { try gc.store(key) }
        try await gc.makeTask(
            1,
            [
                "n1": [
                    "archiveLocation": Collection.repository,
                    "artifacts": [
                        "a": Collection.artifact("a", "a.tgz"),
                        "dir": Collection.artifact("dir", "dir", ["archive": ["none": [:]]]),
                        "gone": Collection.artifact("gone", "never-there"),
                        "raw": ["name": "raw", "raw": ["data": "x"]],
                        "lost": ["name": "lost"],
                    ],
                ], "n2": [:],
            ])
        try await gc.makeTask(
            2, ["n3": ["artifacts": ["b": ["name": "b", "s3": ["endpoint": "e:1", "bucket": "bucket", "key": "b"]]]]])
        try gc.collection(try await gc.client(), gc.drivers()).run()
        let first = try #require(try await gc.results(1))
        #expect(first.names == ["n1", "n2"])
        let results = try #require(first["n1"]?["artifactResults"])
        #expect(results.names == ["a", "dir", "gone", "lost", "raw"])
        for name in ["a", "dir", "gone"] { #expect(results[name] == ["name": .string(name), "success": true]) }
        #expect(results["raw"]?["success"] == nil && results["raw"]?["error"]?.text?.isEmpty == false)
        #expect(results["lost"]?["error"]?.text?.contains("location") == true)
        #expect(try await gc.results(2)?["n3"]?["artifactResults"]?["b"]?["success"] == true)
        #expect(!gc.isStored("a.tgz") && !gc.isStored("dir/one") && !gc.isStored("dir/two") && !gc.isStored("b"))
        #expect(gc.isStored("keep"))
        // A second pod finds nothing to do, and says the same.
        try gc.collection(try await gc.client(), gc.drivers()).run()
        #expect(try await gc.results(1)?["n1"]?["artifactResults"]?["a"]?["success"] == true)
    }

    @Test func aLaterSuccessTakesTheErrorAway() async throws {
        let gc = try await Collection()
        try gc.store("a")
        try gc.store("done")
        try await gc.makeTask(
            1,
            [
                "n": [
                    "archiveLocation": Collection.repository,
                    "artifacts": ["a": Collection.artifact("a", "a"), "done": Collection.artifact("done", "done")],
                ]
            ],
            status: [
                "n": [
                    "artifactResults": ["a": ["name": "a", "error": "was away"], "done": ["name": "done", "success": true]]
                ]
            ])
        try gc.collection(try await gc.client(), gc.drivers()).run()
        let results = try #require(try await gc.results(1)?["n"]?["artifactResults"])
        #expect(results["a"] == ["name": "a", "success": true])
        #expect(results["done"] == ["name": "done", "success": true])
        // What was deleted before may have been made anew by somebody else.
        #expect(!gc.isStored("a") && gc.isStored("done"))
    }

    @Test func doesNothingWithoutALabel() async throws {
        let gc = try await Collection()
        let client = try await gc.client(token: "wrong")
        try gc.collection(client, gc.drivers(), label: "").run()
    }

    @Test func saysWhatItMayNotDo() async throws {
        let gc = try await Collection()
        let stranger = gc.collection(try await gc.client(token: gc.server.token), gc.drivers())
        let listing = #expect(throws: APIError.self) { try stranger.run() }
        #expect(listing?.status == 403)
        // A role without the patch: the artifacts are gone, and the error says what is missing.
        try gc.store("a")
        try await gc.makeTask(
            1, ["n": ["archiveLocation": Collection.repository, "artifacts": ["a": Collection.artifact("a", "a")]]])
        let token = try await gc.server.account("gc-list", rules: [Collection.rules[0]])
        let client = try await gc.client(token: token)
        let selection = ResourceSelection(ResourcePath(.artifactGCTasks))
        try await happens("the role counts") { (try? client.list(selection, pageSize: 1)) != nil }
        let patching = #expect(throws: APIError.self) { try gc.collection(client, gc.drivers()).run() }
        #expect(patching?.message.hasSuffix(#"resources: ["workflowartifactgctasks/status"], verbs: ["patch"]}"#) == true)
        #expect(!gc.isStored("a"))
    }

    @Test func outlastsAnAbsenceOfTheServer() async throws {
        let gc = try await Collection()
        let gate = try Gate(to: gc.server.url.port!)
        defer { gate.stop() }
        try gc.store("a")
        try await gc.makeTask(
            1, ["n": ["archiveLocation": Collection.repository, "artifacts": ["a": Collection.artifact("a", "a")]]])
        _ = try await gc.client()
        let client = try await gc.client(
            token: try await gc.server.account("gc", rules: Collection.rules), port: gate.port)
        gate.close()
        let ended = Monitor(Result<Void, any Error>?.none)
        let collection = gc.collection(client, gc.drivers())
        try WorkerThread {
            let result = Result { try collection.run() }
            ended.update { $0 = result }
        }.detach()
        try await happens("it knocks at the closed gate") { gate.connections > 5 }
        gate.open()
        try await happens("it ends") { ended.current != nil }
        try #require(ended.current).get()
        #expect(try await gc.results(1)?["n"]?["artifactResults"]?["a"]?["success"] == true)
    }

    @Test func tellsAtSIGTERMWhatIsDeleted() async throws {
        let gc = try await Collection()
        try gc.store("a")
        // A store that answers nothing.
        let silent = try ScriptedServer { talk in
            _ = talk.readRequest()
            talk.waitForClose()
        }
        defer { silent.stop() }
        for name in ["access", "secret"] { try gc.folder.write(Data("x".utf8), to: "secret/keys/\(name)") }
        let place: JSON = [
            "endpoint": .string("127.0.0.1:\(silent.port)"), "bucket": "bkt", "key": "k", "insecure": true,
            "region": "us-east-1", "accessKeySecret": ["name": "keys", "key": "access"],
            "secretKeySecret": ["name": "keys", "key": "secret"],
        ]
        try await gc.makeTask(
            1,
            [
                "n": [
                    "artifacts": [
                        "a": ["name": "a", "s3": ["endpoint": "e:1", "bucket": "bucket", "key": "a"]],
                        "b": ["name": "b", "s3": place],
                    ]
                ]
            ])
        var drivers = gc.drivers()
        drivers.localStore = LocalStore(
            folder: gc.path("store"), original: try .init(document: ["s3": ["endpoint": "e:1", "bucket": "bucket"]]))
        let collection = gc.collection(try await gc.client(), drivers)
        let ended = Monitor(Result<Void, any Error>?.none)
        try WorkerThread {
            let result = Result { try collection.run() }
            ended.update { $0 = result }
        }.detach()
        try await happens("one is deleted and the other under way") { !gc.isStored("a") && !silent.requests.isEmpty }
        collection.stop()
        try await happens("it ends") { ended.current != nil }
        let result = try #require(ended.current)
        let error = #expect(throws: ExecutorError.self) { try result.get() }
        #expect(error?.message == "delete artifacts: context canceled")
        #expect(try await gc.results(1)?["n"]?["artifactResults"] == ["a": ["name": "a", "success": true]])
    }

    /// Objects of one store go a thousand at a time, and what the store keeps is told of each.
    @Test(.requires(.seaweedFS)) func deletesManyByOneRequest() async throws {
        let gc = try await Collection()
        let s3 = try await S3Server.shared()
        let bucket = try await s3.makeBucket()
        try gc.folder.write(Data(s3.accessKey.utf8), to: "secret/keys/access")
        try gc.folder.write(Data(s3.secretKey.utf8), to: "secret/keys/secret")
        let repository: JSON = [
            "s3": [
                "endpoint": .string(s3.endpoint), "bucket": .string(bucket), "key": "x", "insecure": true,
                "accessKeySecret": ["name": "keys", "key": "access"], "secretKeySecret": ["name": "keys", "key": "secret"],
            ]
        ]
        var artifacts: JSON = ["dir": Collection.artifact("dir", "d", ["archive": ["none": [:]]])]
        for index in 0..<60 {
            let key = "k/\(index).tgz"
            if index < 50 { try await s3.put([1], bucket: bucket, key: key) }
            artifacts["a\(index)"] = Collection.artifact("a\(index)", key)
        }
        for key in ["d/1", "d/2/3", "dd", "k/other"] { try await s3.put([1], bucket: bucket, key: key) }
        try await gc.makeTask(1, ["n": ["archiveLocation": repository, "artifacts": artifacts]])
        try gc.collection(try await gc.client(), gc.drivers(local: false)).run()
        #expect(try await s3.keys(bucket: bucket) == ["dd", "k/other"])
        let results = try #require(try await gc.results(1)?["n"]?["artifactResults"])
        #expect(results.names.count == 61)
        #expect(results.names.allSatisfy { results[$0]?["success"] == true }, "\(results)")
    }

    /// What a store keeps of a batch is asked for once more by itself, and told by its own error.
    @Test func tellsWhatAStoreKeeps() async throws {
        let gc = try await Collection()
        for name in ["access", "secret"] { try gc.folder.write(Data("x".utf8), to: "secret/keys/\(name)") }
        let store = try ScriptedServer(answering: { talk, request in
            let kept = "<Key>k/3</Key><Code>AccessDenied</Code><Message>kept</Message>"
            switch request.line.split(separator: " ").first ?? "" {
            case "POST":
                let isAsked = String(decoding: request.body, as: UTF8.self).contains("<Key>k/3</Key>")
                talk.answer(200, "<DeleteResult>" + (isAsked ? "<Error>\(kept)</Error>" : "") + "</DeleteResult>")
            case "HEAD": talk.answer(200)
            case "DELETE": talk.answer(403, "<Error>\(kept)</Error>")
            default: talk.answer(400)
            }
        })
        defer { store.stop() }
        let repository: JSON = [
            "s3": [
                "endpoint": .string("127.0.0.1:\(store.port)"), "bucket": "bkt", "key": "x", "insecure": true,
                "region": "us-east-1", "accessKeySecret": ["name": "keys", "key": "access"],
                "secretKeySecret": ["name": "keys", "key": "secret"],
            ]
        ]
        var artifacts: JSON = [:]
        for index in 0..<1500 { artifacts["a\(index)"] = Collection.artifact("a\(index)", "k/\(index)") }
        try await gc.makeTask(1, ["n": ["archiveLocation": repository, "artifacts": artifacts]])
        try gc.collection(try await gc.client(), gc.drivers(local: false)).run()
        let results = try #require(try await gc.results(1)?["n"]?["artifactResults"])
        #expect(results.names.count == 1500)
        #expect(results.names.filter { results[$0]?["success"] != true } == ["a3"])
        #expect(results["a3"]?["error"]?.text?.contains("403") == true)
        let verbs = store.requests.map { $0.line.split(separator: " ")[0] }
        #expect(verbs.filter { $0 == "POST" }.count == 2)
        // As often as the contract says, whatever the error.
        #expect(verbs.filter { $0 == "DELETE" }.count == 5)
    }
}
