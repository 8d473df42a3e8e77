import Foundation
import Glibc
import SystemSupport
import TestSupport
import Testing

/// The modes beside steps, as the built program, at a real API server: `resource` and `data`.
@Suite("Resource and data", .requires(.kubernetes), .requiresMounts)
struct ModeTests {
    let server: ClusterServer

    init() async throws { server = try await ClusterServer.shared(.kubernetes) }

    private func resource(_ fields: JSON, outputs: JSON = []) -> String {
        let template: JSON = [
            "name": "act", "inputs": [:], "outputs": ["parameters": outputs], "metadata": [:], "resource": fields,
        ]
        return template.description
    }

    private func configMap(_ name: String) -> JSON {
        .string(#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "\#(name)"}, "data": {"k": "v"}}"#)
    }

    private func isCompleted(_ result: JSON?) -> Bool {
        result?["metadata"]?["labels"]?["workflows.argoproj.io/report-outputs-completed"] == "true"
    }

    // MARK: resource

    @Test(.requiresKubectl, .requires(.collector), arguments: [true, false])
    func actsAndReportsWithinTheSpanOfItsEmissary(_ usesGRPC: Bool) async throws {
        let collector = try await Collector.shared()
        var box = try ModeBox(server, token: try #require(server.resourceToken))
        box.environment.merge(usesGRPC ? collector.variables : collector.httpVariables) { $1 }
        box.environment["ARGO_TEMPLATE"] = resource(
            ["action": "create", "manifest": configMap(box.name), "successCondition": "data.k == v"],
            outputs: [["name": "p", "valueFrom": ["jsonPath": "{.data.k}"]]])
        let outcome = try await box.run(["resource", "create"])
        #expect(outcome.exitCode == 0 && outcome.message.isEmpty, "\(outcome.log)")
        let start = try #require(outcome.lines("starting resource").first, "\(outcome.log)")
        for field in ["version=v4.1.2", "pod=\(box.name)", "template=act", "type=Resource"] { #expect(start.contains(field)) }
        let result = try await box.taskResult()
        #expect(result?["outputs"]?["parameters"]?.item(named: "p")?["value"] == "v")
        #expect(isCompleted(result))

        let requests = try await collector.requests()
        #expect(requests.allSatisfy { $0.transport == (usesGRPC ? "grpc" : "http") })
        let spans = requests.flatMap(\.spans)
        #expect(spans.allSatisfy { $0.traceId == ModeBox.trace })
        let own = spans.filter { $0.kind == 1 }
        #expect(
            own.paths.sorted() == ["createTaskResult", "patchTaskResultLabels", "patchTaskResultLabels/patchTaskResult"]
                || own.paths.sorted() == ["createTaskResult", "patchTaskResult", "patchTaskResultLabels"], "\(own.paths)")
        #expect(own.filter { !$0.name.isEmpty && $0.parentSpanId == ModeBox.parent }.count >= 2)
        #expect(spans.paths.contains("createTaskResult/HTTP POST"))
    }

    @Test(.requiresKubectl) func saysWhatItsAccountMayNotDo() async throws {
        var box = try ModeBox(server, token: server.token)
        box.environment["ARGO_TEMPLATE"] = resource(["action": "create", "manifest": configMap(box.name)])
        let outcome = try await box.run(["resource", "create"])
        #expect(outcome.exitCode == 64)
        #expect(outcome.message.contains("cannot create resource \"configmaps\""), "\(outcome.message)")
        #expect(isCompleted(try await box.taskResult()))
    }

    @Test(.requiresKubectl) func tellsAConflictWhole() async throws {
        var box = try ModeBox(server, token: try #require(server.resourceToken))
        box.environment["ARGO_TEMPLATE"] = resource(["action": "create", "manifest": configMap(box.name)])
        #expect(try await box.run(["resource", "create"]).exitCode == 0)
        let again = try await box.run(["resource", "create"])
        #expect(again.exitCode == 64)
        #expect(again.message.contains("configmaps \"\(box.name)\" already exists"), "\(again.message)")
        let stale =
            #"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "\#(box.name)", "resourceVersion": "1"}, "data": {}}"#
        box.environment["ARGO_TEMPLATE"] = resource(["action": "replace", "manifest": .string(stale)])
        let conflict = try await box.run(["resource", "replace"])
        #expect(conflict.exitCode == 64)
        #expect(conflict.message.contains("the object has been modified"), "\(conflict.message)")
    }

    @Test(.requiresKubectl) func endsByItsSignalWhileItWaits() async throws {
        var box = try ModeBox(server, token: try #require(server.resourceToken))
        box.environment["ARGO_TEMPLATE"] = resource(
            ["action": "create", "manifest": configMap(box.name), "successCondition": "data.k == never"])
        let process = try box.start(["resource", "create"])
        try await box.happens("it waits", in: process) { process.diagnostics.contains("waiting for conditions") }
        kill(process.identifier, SIGTERM)
        let outcome = await box.outcome(of: process)
        #expect(outcome.exitCode == 64)
        #expect(outcome.message.hasSuffix("ended by SIGTERM"), "\(outcome.message)")
        #expect(isCompleted(try await box.taskResult()))
    }

    /// The API server goes away while the object is waited for, and comes back.
    @Test(.requiresKubectl) func outlastsAnAbsenceWhileItWaits() async throws {
        let gate = try Gate(to: try #require(server.url.port))
        defer { gate.stop() }
        var box = try ModeBox(server, token: try #require(server.resourceToken), url: "https://127.0.0.1:\(gate.port)")
        box.environment["ARGO_TEMPLATE"] = resource(
            ["action": "create", "manifest": configMap(box.name), "successCondition": "data.k == done"])
        let process = try box.start(["resource", "create"])
        try await box.happens("it waits", in: process) { process.diagnostics.contains("waiting for conditions") }
        gate.close()
        let before = gate.connections
        try await box.happens("it knocks at the closed gate", in: process) { gate.connections > before + 3 }
        try await server.patch("\(server.core("configmaps"))/\(box.name)", ["data": ["k": "done"]])
        gate.open()
        let outcome = await box.outcome(of: process)
        #expect(outcome.exitCode == 0, "\(outcome.log)")
        #expect(isCompleted(try await box.taskResult()))
    }

    // MARK: data

    /// A data template over a bucket that the environment's keys open.
    private func data(_ box: inout ModeBox, endpoint: String, bucket: String, _ expressions: [String]) {
        let source: JSON = [
            "name": "in",
            "s3": [
                "endpoint": .string(endpoint), "bucket": .string(bucket), "key": "in", "insecure": true, "region": "us-east-1",
                "useSDKCreds": true,
            ],
        ]
        let template: JSON = [
            "name": "list", "inputs": [:], "outputs": [:], "metadata": [:],
            "data": [
                "source": ["artifactPaths": source],
                "transformation": .array(expressions.map { ["expression": .string($0)] }),
            ],
        ]
        box.environment["ARGO_TEMPLATE"] = template.description
    }

    @Test(.requires(.seaweedFS), .requires(.collector), arguments: [true, false])
    func listsAndTransformsAsOneSpan(_ usesGRPC: Bool) async throws {
        let (collector, store) = (try await Collector.shared(), try await S3Server.shared())
        let bucket = try await store.makeBucket()
        for key in ["in/a.txt", "in/b.csv"] { try await store.put([1], bucket: bucket, key: key) }
        var box = try ModeBox(server, token: server.token)
        box.environment.merge(usesGRPC ? collector.variables : collector.httpVariables) { $1 }
        box.environment["AWS_ACCESS_KEY_ID"] = store.accessKey
        box.environment["AWS_SECRET_ACCESS_KEY"] = store.secretKey
        data(&box, endpoint: store.endpoint, bucket: bucket, [#"filter(data, {# endsWith ".txt"})"#])
        let outcome = try await box.run(["data", "{}"])
        #expect(outcome.exitCode == 0 && outcome.message.isEmpty, "\(outcome.log)")
        #expect(outcome.lines("starting data").first?.contains("type=Data") == true, "\(outcome.log)")
        let result = try await box.taskResult()
        #expect(result?["outputs"]?["result"] == #"["in/a.txt"]"#)
        #expect(isCompleted(result))
        let spans = try await collector.spans()
        #expect(spans.allSatisfy { $0.traceId == ModeBox.trace && $0.status == 0 })
        let names = spans.paths
        #expect(names.contains("processDataTemplate") && names.contains("processDataTemplate/HTTP GET"), "\(names)")
        #expect(names.contains { $0.hasSuffix("patchTaskResult") } && names.contains("patchTaskResultLabels"), "\(names)")
        #expect(spans.first { $0.name == "processDataTemplate" }?.parentSpanId == ModeBox.parent)
    }

    @Test func endsByItsSignalWhileItLists() async throws {
        let silent = try ScriptedServer { talk in
            _ = talk.readRequest()
            talk.waitForClose()
        }
        defer { silent.stop() }
        var box = try ModeBox(server, token: server.token)
        box.environment["AWS_ACCESS_KEY_ID"] = "x"
        box.environment["AWS_SECRET_ACCESS_KEY"] = "y"
        data(&box, endpoint: "127.0.0.1:\(silent.port)", bucket: "bucket", [])
        let process = try box.start(["data", "{}"])
        try await box.happens("it lists", in: process) { !silent.requests.isEmpty }
        kill(process.identifier, SIGTERM)
        let outcome = await box.outcome(of: process)
        #expect(outcome.exitCode == 64)
        #expect(outcome.message.hasPrefix("list the paths of artifact 'in'"), "\(outcome.message)")
        #expect(isOneLine(outcome.message))
    }

    @Test func tellsWhatIsWrongWithAnExpression() async throws {
        let store = try await S3Server.shared()
        let bucket = try await store.makeBucket()
        try await store.put([1], bucket: bucket, key: "in/a")
        var box = try ModeBox(server, token: server.token)
        box.environment["AWS_ACCESS_KEY_ID"] = store.accessKey
        box.environment["AWS_SECRET_ACCESS_KEY"] = store.secretKey
        data(&box, endpoint: store.endpoint, bucket: bucket, ["map(data, nothing(#))"])
        let outcome = try await box.run(["data", "{}"])
        #expect(outcome.exitCode == 64)
        #expect(outcome.message.hasPrefix("transform data: step 1: "), "\(outcome.message)")
    }
}
