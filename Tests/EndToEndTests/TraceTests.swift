import Foundation
import TestSupport
import Testing

/// Whole pods, and what a collector sees of them.
@Suite("Traces", .requires(.collector), .requires(.seaweedFS), .requires(.standInAPI))
struct TraceTests {
    /// What the testbed gives to every container.
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let parent = "b7ad6b7169203331"
    let collector: Collector
    let store: StepStore
    let cluster: ClusterServer

    init() async throws {
        collector = try await Collector.shared()
        store = try await StepStore.make()
        cluster = try await ClusterServer.shared()
    }

    private func step(_ script: String, _ variables: [String: String], inputs: JSON = [], outputs: JSON = [:]) -> Step {
        var step = Step(script, store: store, cluster: cluster, inputs: inputs, outputs: outputs)
        step.request.executorEnvironment.merge(variables) { $1 }
        return step
    }

    @Test(arguments: [true, false]) func seesAWholePodAsOneTrace(_ usesGRPC: Bool) async throws {
        try await store.put(Array("content".utf8), "in/plain")
        var step = step(
            "echo $TRACEPARENT; cat /in/plain; mkdir /tmp/out; echo 1 > /tmp/out/file; echo 2 > /tmp/n",
            usesGRPC ? collector.variables : collector.httpVariables,
            inputs: [["name": "plain", "path": "/in/plain", "s3": ["key": "in/plain"]]],
            outputs: [
                "artifacts": [["name": "out", "path": "/tmp/out"]],
                "parameters": [["name": "n", "valueFrom": ["path": "/tmp/n"]]],
            ])
        step.request.includeResult = true
        step.archiveLogs()
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")

        let requests = try await collector.requests()
        #expect(requests.allSatisfy { $0.transport == (usesGRPC ? "grpc" : "http") })
        #expect(requests.allSatisfy { $0.resource["service.name"] == "argoexec" })
        let spans = requests.flatMap(\.spans)
        #expect(spans.allSatisfy { $0.traceId == Self.trace })
        #expect(Set(spans.map(\.spanId)).count == spans.count)
        let own = spans.filter { $0.kind == 1 }
        #expect(
            own.paths.sorted() == [
                "runInitContainer", "runInitContainer/loadArtifacts", "runInitContainer/loadArtifacts/loadArtifact",
                "runInitContainer/loadArtifacts/loadArtifact/unarchiveArtifact", "runInitContainer/stageFiles",
                "runMainContainer",
                "runWaitContainer", "runWaitContainer/captureScriptResult", "runWaitContainer/createTaskResult",
                "runWaitContainer/patchTaskResult", "runWaitContainer/patchTaskResultLabels", "runWaitContainer/saveArtifacts",
                "runWaitContainer/saveArtifacts/saveArtifact", "runWaitContainer/saveArtifacts/saveArtifact/archiveArtifact",
                "runWaitContainer/saveLogs", "runWaitContainer/saveLogs/saveContainerLogs", "runWaitContainer/waitWorkload",
            ])
        let roots = own.filter { $0.name.hasPrefix("run") }
        #expect(roots.allSatisfy { $0.parentSpanId == Self.parent })
        #expect(
            roots.allSatisfy { $0.attributes["name"] == .string(step.request.workflow) && $0.attributes["namespace"] == "argo" }
        )
        #expect(own.allSatisfy { $0.status == 0 })
        func span(_ name: String) throws -> Collector.Span { try #require(own.first { $0.name == name }) }
        #expect(try span("loadArtifact").attributes["path"] == "/argo/inputs/artifacts/plain")
        #expect(try span("unarchiveArtifact").attributes["archive"] == "none")
        #expect(try span("saveContainerLogs").attributes["container_name"] == "main")
        #expect(try span("saveArtifacts").events.map(\.attributes) == [["file": "out"]])
        // The command was given the span of its emissary.
        let given = outcome.pod["main"]?.standardOutput.split(separator: "\n").first?.split(separator: "-")
        #expect(given?.count == 4 && given?[1] == Self.trace[...])
        #expect(try given?[2] == span("runMainContainer").spanId[...])

        // What is asked of servers is within what it is asked for.
        let requestsMade = spans.filter { $0.kind == 3 }
        let places = Set(spans.paths.filter { $0.contains("/HTTP ") })
        #expect(
            places.isSuperset(of: [
                "runInitContainer/loadArtifacts/loadArtifact/HTTP GET", "runWaitContainer/createTaskResult/HTTP POST",
                "runWaitContainer/patchTaskResult/HTTP PATCH", "runWaitContainer/saveArtifacts/saveArtifact/HTTP PUT",
                "runWaitContainer/saveLogs/saveContainerLogs/HTTP PUT",
            ]), "\(places)")
        #expect(requestsMade.allSatisfy { $0.attributes["url.full"]?.text?.contains("?") == false })
    }

    @Test func tellsWhatFailed() async throws {
        let step = step(
            "exit 3", collector.variables, outputs: ["artifacts": [["name": "missing", "path": "/tmp/missing"]]])
        let outcome = try await step.run()
        #expect(outcome.exitCodes == ["init": 0, "main": 3, "wait": 64])
        let spans = try await collector.spans()
        let main = try #require(spans.first { $0.name == "runMainContainer" })
        #expect(main.status == 2 && main.attributes["exit_code"] == 3)
        #expect(spans.first { $0.name == "saveArtifact" }?.status == 2)
        #expect(spans.first { $0.name == "runWaitContainer" }?.status == 2)
    }

    /// A collector that never answers, or is not there, changes nothing of a pod.
    @Test(arguments: [true, false]) func goesOnWithoutItsCollector(_ usesGRPC: Bool) async throws {
        try await collector.answer(.hang, .hang, .hang, .hang)
        let variables = usesGRPC ? collector.variables : collector.httpVariables
        var step = step("echo done", variables)
        // The user's containers speak to it too.
        step.request.template["container"]?["env"] = .array(
            variables.map { ["name": .string($0.key), "value": .string($0.value)] })
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.isCompleted)
        #expect(outcome.pod.containers.values.allSatisfy { $0.message.isEmpty })
        #expect(try await collector.requests().allSatisfy { $0.answer == .hang })
    }

    @Test func refusesAnUnknownProtocolWithOne() async throws {
        let step = step("echo done", ["OTEL_EXPORTER_OTLP_ENDPOINT": "", "OTEL_EXPORTER_OTLP_PROTOCOL": "thrift"])
        let outcome = try await step.run()
        #expect(outcome.exitCodes["init"] == 1)
        #expect(outcome.pod["init"]?.message.contains("\"thrift\" is neither grpc nor http/protobuf") == true)
    }
}
