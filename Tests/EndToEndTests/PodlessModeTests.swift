import Foundation
import Glibc
import SystemSupport
import TestSupport
import Testing

/// The modes of pods without a step, as the built program, at a real API server: `artifact delete`, `agent init`, `agent main`.
@Suite("Agent and artifact delete", .requires(.kubernetes), .requiresMounts)
struct PodlessModeTests {
    let server: ClusterServer

    init() async throws { server = try await ClusterServer.shared(.kubernetes) }

    private static let collector: [JSON] = [
        ClusterServer.rule("argoproj.io", "workflowartifactgctasks", ["list", "watch"]),
        ClusterServer.rule("argoproj.io", "workflowartifactgctasks/status", ["patch"]),
    ]
    private static let agent: [JSON] = [
        ClusterServer.rule("argoproj.io", "workflowtasksets", ["list", "watch"]),
        ClusterServer.rule("argoproj.io", "workflowtasksets/status", ["patch"]),
        ClusterServer.rule("", "secrets", ["get"]),
    ]

    // MARK: artifact delete

    /// A pod's box with the label of its tasks.
    private func collection(token: String? = nil, url: String? = nil) async throws -> ModeBox {
        let given: String
        if let token { given = token } else { given = try await server.account("gc-program", rules: Self.collector) }
        var box = try ModeBox(server, token: given, url: url)
        box.environment["ARGO_TEMPLATE"] = "{}"
        box.environment["ARGO_ARTIFACT_POD_NAME"] = String(UInt32.random(in: .min ... .max))
        box.environment["AWS_ACCESS_KEY_ID"] = "x"
        box.environment["AWS_SECRET_ACCESS_KEY"] = "y"
        return box
    }

    private func artifact(_ endpoint: String, _ bucket: String, _ key: String) -> JSON {
        [
            "name": .string(key),
            "s3": [
                "endpoint": .string(endpoint), "bucket": .string(bucket), "key": .string(key), "insecure": true,
                "region": "us-east-1", "useSDKCreds": true,
            ],
        ]
    }

    private func makeTask(_ box: ModeBox, _ artifacts: JSON) async throws {
        let label = JSON.string(box.environment["ARGO_ARTIFACT_POD_NAME"] ?? "")
        try await server.make(
            server.argo("workflowartifactgctasks"),
            ClusterServer.object(
                "argoproj.io/v1alpha1", "WorkflowArtifactGCTask", box.name,
                [
                    "metadata": ["name": .string(box.name), "labels": ["workflows.argoproj.io/artifact-gc-pod": label]],
                    "spec": ["artifactsByNode": ["n": ["artifacts": artifacts]]],
                ]))
    }

    private func results(_ box: ModeBox) async throws -> JSON? {
        let task = try await server.read("\(server.argo("workflowartifactgctasks"))/\(box.name)")
        return task?["status"]?["artifactResultsByNode"]?["n"]?["artifactResults"]
    }

    @Test(.requires(.seaweedFS)) func deletesAndTellsOfEach() async throws {
        let store = try await S3Server.shared()
        let bucket = try await store.makeBucket()
        for key in ["a", "b"] { try await store.put([1], bucket: bucket, key: key) }
        var box = try await collection()
        box.environment["AWS_ACCESS_KEY_ID"] = store.accessKey
        box.environment["AWS_SECRET_ACCESS_KEY"] = store.secretKey
        try await makeTask(
            box,
            [
                "a": artifact(store.endpoint, bucket, "a"), "gone": artifact(store.endpoint, bucket, "gone"),
                "elsewhere": artifact(store.endpoint, "no-such-bucket-\(box.name)", "x"),
                "raw": ["name": "raw", "raw": ["data": "x"]],
            ])
        let outcome = try await box.run(["artifact", "delete"])
        // What cannot be deleted is a result, and no failure of the pod.
        #expect(outcome.exitCode == 0 && outcome.message.isEmpty, "\(outcome.log)")
        #expect(outcome.lines("starting artifact delete").first?.contains("pod=\(box.name)") == true, "\(outcome.log)")
        let results = try #require(try await results(box))
        for name in ["a", "gone"] { #expect(results[name]?["success"] == true, "\(results)") }
        #expect(results["raw"]?["error"]?.text?.isEmpty == false)
        #expect(try await store.keys(bucket: bucket) == ["b"])
    }

    @Test func namesTheRuleThatIsMissing() async throws {
        let box = try await collection(token: server.token)
        let outcome = try await box.run(["artifact", "delete"])
        #expect(outcome.exitCode == 64)
        #expect(
            outcome.message.hasSuffix(#"resources: ["workflowartifactgctasks"], verbs: ["list", "watch"]}"#),
            "\(outcome.message)")
    }

    @Test(.requires(.seaweedFS)) func outlastsAnAbsenceOfTheServer() async throws {
        let store = try await S3Server.shared()
        let bucket = try await store.makeBucket()
        try await store.put([1], bucket: bucket, key: "a")
        let gate = try Gate(to: try #require(server.url.port))
        defer { gate.stop() }
        var box = try await collection(url: "https://127.0.0.1:\(gate.port)")
        box.environment["AWS_ACCESS_KEY_ID"] = store.accessKey
        box.environment["AWS_SECRET_ACCESS_KEY"] = store.secretKey
        try await makeTask(box, ["a": artifact(store.endpoint, bucket, "a")])
        gate.close()
        let process = try box.start(["artifact", "delete"])
        try await box.happens("it knocks at the closed gate", in: process) { gate.connections > 2 }
        gate.open()
        let outcome = await box.outcome(of: process)
        #expect(outcome.exitCode == 0, "\(outcome.log)")
        #expect(try await results(box)?["a"]?["success"] == true)
    }

    @Test(.requires(.seaweedFS)) func tellsAtItsSignalWhatIsGone() async throws {
        let store = try await S3Server.shared()
        let bucket = try await store.makeBucket()
        try await store.put([1], bucket: bucket, key: "a")
        let silent = try ScriptedServer { talk in
            _ = talk.readRequest()
            talk.waitForClose()
        }
        defer { silent.stop() }
        var box = try await collection()
        box.environment["AWS_ACCESS_KEY_ID"] = store.accessKey
        box.environment["AWS_SECRET_ACCESS_KEY"] = store.secretKey
        try await makeTask(
            box,
            ["a": artifact(store.endpoint, bucket, "a"), "slow": artifact("127.0.0.1:\(silent.port)", "bucket", "slow")])
        let process = try box.start(["artifact", "delete"])
        try await box.happens("one is deleted and the other under way", in: process) {
            if silent.requests.isEmpty { return false }
            return try await store.keys(bucket: bucket).isEmpty
        }
        kill(process.identifier, SIGTERM)
        let outcome = await box.outcome(of: process)
        #expect(outcome.exitCode == 64)
        #expect(outcome.message == "delete artifacts: context canceled")
        #expect(try await results(box) == ["a": ["name": "a", "success": true]])
    }

    /// The server forgets a list whose pages are asked for slowly, and it is begun anew; nothing is deleted or told twice.
    @Test func beginsAForgottenListAnew() async throws {
        @Sendable func task(_ name: String) -> String {
            #"{"metadata":{"name":"\#(name)"},"spec":{"artifactsByNode":{"n":{"artifacts":{"r":{"name":"r","raw":{"data":"x"}}}}}}}"#
        }
        @Sendable func list(_ item: String, next: String) -> String {
            #"{"kind":"WorkflowArtifactGCTaskList","apiVersion":"argoproj.io/v1alpha1","metadata":{"continue":"\#(next)"},"items":[\#(task(item))]}"#
        }
        let hasForgotten = Monitor(false)
        let api = try ScriptedServer(answering: { talk, request in
            if request.line.hasPrefix("PATCH") {
                return talk.answer(200, #"{"kind":"WorkflowArtifactGCTask","apiVersion":"argoproj.io/v1alpha1","metadata":{}}"#)
            }
            if !request.line.contains("continue=") { return talk.answer(200, list("one", next: "next")) }
            if hasForgotten.current { return talk.answer(200, list("two", next: "")) }
            hasForgotten.update { $0 = true }
            let words = "The provided continue parameter is too old"
            talk.answer(410, #"{"kind":"Status","status":"Failure","reason":"Expired","message":"\#(words)","code":410}"#)
        })
        defer { api.stop() }
        let box = try await collection(token: "any", url: api.url)
        let outcome = try await box.run(["artifact", "delete"])
        #expect(outcome.exitCode == 0, "\(outcome.log)")
        let patched = api.requests.map(\.line).filter { $0.hasPrefix("PATCH") }.compactMap { line in
            line.split(separator: "/").first { $0 == "one" || $0 == "two" }
        }
        #expect(patched == ["one", "two"])
    }

    // MARK: agent

    private func taskSet(_ box: ModeBox, _ tasks: JSON) async throws {
        let object = ClusterServer.object("argoproj.io/v1alpha1", "WorkflowTaskSet", box.name, ["spec": ["tasks": tasks]])
        try await server.make(server.argo("workflowtasksets"), object)
    }

    private func nodes(_ box: ModeBox) async throws -> JSON? {
        try await server.read("\(server.argo("workflowtasksets"))/\(box.name)")?["status"]?["nodes"]
    }

    private func agent(url: String? = nil) async throws -> ModeBox {
        var box = try ModeBox(server, token: try await server.account("agent-program", rules: Self.agent), url: url)
        box.environment["ARGO_AGENT_PATCH_RATE"] = "200ms"
        box.environment["ARGO_PLUGIN_NAMES"] = "null"
        box.environment["ARGO_PLUGIN_ADDRESSES"] = "null"
        return box
    }

    private func task(_ http: JSON) -> JSON { ["name": "t", "inputs": [:], "outputs": [:], "metadata": [:], "http": http] }

    @Test func worksThroughATaskSet() async throws {
        let plugin = try ScriptedServer(answering: { talk, request in
            guard request.header("Authorization")?.hasPrefix("Bearer ") == true else { return talk.answer(401) }
            talk.answer(200, #"{"node":{"phase":"Succeeded","message":"by the plugin"}}"#)
        })
        defer { plugin.stop() }
        let web = try ScriptedServer(answering: { talk, _ in talk.answer(201, "made") })
        defer { web.stop() }
        var box = try await agent()
        box.environment["ARGO_PLUGIN_NAMES"] = #"["p"]"#
        box.environment["ARGO_PLUGIN_ADDRESSES"] = #"["\#(plugin.url)"]"#
        let before = try await box.run(["agent", "init"])
        #expect(before.exitCode == 0, "\(before.log)")
        #expect(before.lines("starting agent init").first?.contains("workflow=\(box.name)") == true, "\(before.log)")
        let token = try Data(contentsOf: box.folder.url.appending(path: "run/p/token"))
        #expect(token.count == 32)
        let plugged: JSON = ["name": "t", "inputs": [:], "outputs": [:], "metadata": [:], "plugin": ["p": [:]]]
        try await taskSet(
            box,
            [
                "a": task(["url": .string(web.url), "successCondition": "response.statusCode == 201"]),
                "b": task(["url": .string(web.url), "successCondition": "response.statusCode =="]), "c": plugged,
            ])
        let process = try box.start(["agent", "main"])
        try await box.happens("all have a result", in: process) { try await nodes(box)?.names.count == 3 }
        let found = try #require(try await nodes(box))
        #expect(found["a"] == ["phase": "Succeeded", "outputs": ["result": "made"]])
        #expect(found["b"]?["phase"] == "Failed")
        #expect(found["c"] == ["phase": "Succeeded", "message": "by the plugin"])
        #expect(plugin.requests.first?.header("Authorization") == "Bearer \(String(decoding: token, as: UTF8.self))")
        try await server.merge(
            "\(server.argo("workflowtasksets"))/\(box.name)",
            ["metadata": ["labels": ["workflows.argoproj.io/completed": "true"]]])
        let outcome = await box.outcome(of: process)
        #expect(outcome.exitCode == 0 && outcome.message.isEmpty, "\(outcome.log)")
        #expect(outcome.lines("starting agent main").first?.contains("version=v4.1.2") == true, "\(outcome.log)")
    }

    @Test func reportsAtItsSignalWhatIsDone() async throws {
        let web = try ScriptedServer(answering: { talk, request in
            if request.line.contains("slow") { talk.waitForClose() } else { talk.answer(200, "x") }
        })
        defer { web.stop() }
        var box = try await agent()
        // So seldom that nothing is reported before the end.
        box.environment["ARGO_AGENT_PATCH_RATE"] = "1h"
        try await taskSet(box, ["a": task(["url": .string(web.url)]), "b": task(["url": .string(web.url + "/slow")])])
        let process = try box.start(["agent", "main"])
        try await box.happens("one is done and the other under way", in: process) {
            web.requests.count == 2 && process.diagnostics.contains("task processed")
        }
        kill(process.identifier, SIGTERM)
        let outcome = await box.outcome(of: process)
        #expect(outcome.exitCode == 64)
        #expect(outcome.message == "watch the task set: context canceled")
        #expect(try await nodes(box) == ["a": ["phase": "Succeeded", "outputs": ["result": "x"]]])
    }

    @Test func comesBackToAServerThatWasAway() async throws {
        let gate = try Gate(to: try #require(server.url.port))
        defer { gate.stop() }
        let web = try ScriptedServer(answering: { talk, _ in talk.answer(200, "x") })
        defer { web.stop() }
        let box = try await agent(url: "https://127.0.0.1:\(gate.port)")
        try await taskSet(box, ["a": task(["url": .string(web.url)])])
        gate.close()
        let process = try box.start(["agent", "main"])
        try await box.happens("it knocks at the closed gate", in: process) { gate.connections > 2 }
        gate.open()
        try await box.happens("the task is done", in: process) { try await nodes(box)?["a"]?["phase"] == "Succeeded" }
        // Its task set goes: nothing is left to do.
        try await server.remove("\(server.argo("workflowtasksets"))/\(box.name)")
        let outcome = await box.outcome(of: process)
        #expect(outcome.exitCode == 0, "\(outcome.log)")
        #expect(web.requests.count == 1)
    }

    @Test(
        arguments: [
            ("ARGO_PLUGIN_NAMES", "[1]", 1), ("ARGO_PLUGIN_ADDRESSES", "", 1), ("ARGO_AGENT_TASK_WORKERS", "many", 2),
            ("ARGO_AGENT_PATCH_RATE", "soon", 2),
        ] as [(String, String, Int32)])
    func refusesWhatItCannotRead(_ variable: String, _ value: String, _ code: Int32) async throws {
        var box = try await agent()
        box.environment[variable] = value
        let outcome = try await box.run(["agent", "main"])
        #expect(outcome.exitCode == code, "\(outcome.log)")
        #expect(outcome.message.contains(variable) && isOneLine(outcome.message), "\(outcome.message)")
    }
}
