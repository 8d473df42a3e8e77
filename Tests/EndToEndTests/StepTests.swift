import Foundation
import TestSupport
import Testing

@Suite("A step", .requires(.seaweedFS), .requires(.standInAPI))
struct StepTests {
    let store: StepStore
    let cluster: ClusterServer

    init() async throws {
        store = try await StepStore.make()
        cluster = try await ClusterServer.shared()
    }

    @Test func runsTheCommandAndReportsItsCompletion() async throws {
        let step = Step("echo hello world", store: store, cluster: cluster)
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.pod["main"]?.standardOutput == "hello world\n")
        #expect(outcome.isCompleted)
        #expect(outcome.pod.containers.values.allSatisfy { $0.message.isEmpty })
        #expect(try await store.keys().isEmpty)
    }

    /// Contract 04 §3: what is created first, what is patched, and in which order the controller sees it.
    @Test func reportsInTheOrderThatTheControllerNeeds() async throws {
        let step = Step(
            "echo 7 > /tmp/n", store: store, cluster: cluster,
            outputs: ["parameters": [["name": "n", "valueFrom": ["path": "/tmp/n"]]]])
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")

        let requests = try await cluster.requests(about: step.request.nodeID)
        let first = try #require(requests.first)
        #expect(first["method"] == "POST")
        #expect(
            first["body"] == [
                "apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTaskResult",
                "metadata": [
                    "name": .string(step.request.nodeID),
                    "labels": [
                        "workflows.argoproj.io/workflow": .string(step.request.workflow),
                        "workflows.argoproj.io/report-outputs-completed": "false",
                    ],
                    "ownerReferences": [
                        [
                            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": .string(step.request.workflow),
                            "uid": "00000000-0000-4000-8000-000000000002",
                        ]
                    ],
                ],
            ])
        let patches = requests.dropFirst()
        #expect(
            patches.allSatisfy {
                $0["method"] == "PATCH" && $0["contentType"] == "application/merge-patch+json" && $0["status"] == 200
            })
        let completion = try #require(patches.firstIndex { $0["body"]?["metadata"]?["labels"] != nil })
        let outputs = try #require(patches.firstIndex { $0["body"]?["outputs"] != nil })
        #expect(outputs <= completion)
        #expect(outcome.outputs == ["parameters": [["name": "n", "value": "7", "valueFrom": ["path": "/tmp/n"]]]])
    }

    @Test func capturesTheResultOfAScript() async throws {
        var step = Step(
            template: ["script": ["image": "debian", "command": ["sh"], "source": "printf 'one\\ntwo\\n\\n'; echo aside >&2"]],
            store: store,
            cluster: cluster)
        step.request.includeResult = true
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.outputs?["result"] == "one\ntwo\n")
        #expect(outcome.pod["main"]?.standardOutput == "one\ntwo\n\n")
        #expect(outcome.pod["main"]?.standardError.contains("aside\n") == true)
    }

    @Test func keepsTheEndOfALongResult() async throws {
        var step = Step("head -c 300000 /dev/zero | tr '\\0' x; echo end", store: store, cluster: cluster)
        step.request.includeResult = true
        let outcome = try await step.run()
        let result = try #require(outcome.outputs?["result"]?.text, "\(outcome.report)")
        #expect(result.utf8.count == 262144)
        #expect(result.hasSuffix("xend"))
    }

    @Test func reportsParametersWithOneNewlineLess() async throws {
        let step = Step(
            "printf 'a\\n\\n' > /tmp/a; mkdir /out; printf '{\"k\": \"ü\"}' > /out/b", store: store, cluster: cluster,
            outputs: [
                "parameters": [
                    ["name": "a", "valueFrom": ["path": "/tmp/a"]], ["name": "b", "valueFrom": ["path": "/out/b"]],
                ]
            ])
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.parameter("a") == "a\n")
        #expect(outcome.parameter("b") == #"{"k": "ü"}"#)
    }

    @Test func takesTheDefaultOfAParameterThatWasNotWritten() async throws {
        let step = Step(
            "true", store: store, cluster: cluster,
            outputs: [
                "parameters": [
                    ["name": "some", "valueFrom": ["path": "/tmp/none", "default": "fallback"]],
                    ["name": "empty", "valueFrom": ["path": "/tmp/none", "default": ""]],
                ]
            ])
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.parameter("some") == "fallback")
        #expect(outcome.parameter("empty") == "")
    }

    @Test func failsForAParameterThatWasNotWrittenAndReportsTheOthers() async throws {
        let step = Step(
            "echo here > /tmp/there", store: store, cluster: cluster,
            outputs: [
                "parameters": [
                    ["name": "missing", "valueFrom": ["path": "/tmp/missing"]],
                    ["name": "there", "valueFrom": ["path": "/tmp/there"]],
                ],
                "artifacts": [["name": "file", "path": "/tmp/there"]],
            ])
        let outcome = try await step.run()
        #expect(outcome.exitCodes == ["init": 0, "main": 0, "wait": 64], "\(outcome.report)")
        let message = try #require(outcome.pod["wait"]?.message)
        #expect(isOneLine(message) && message.contains("missing"))
        #expect(outcome.parameter("there") == "here")
        #expect(outcome.artifactNames == ["file"])
        #expect(outcome.isCompleted)
    }

    @Test func keepsOutputsOfACommandThatFailed() async throws {
        var step = Step(
            "echo before > /tmp/p; echo before; exit 3", store: store, cluster: cluster,
            outputs: [
                "parameters": [["name": "p", "valueFrom": ["path": "/tmp/p"]]], "artifacts": [["name": "f", "path": "/tmp/p"]],
            ])
        step.archiveLogs()
        let outcome = try await step.run()
        #expect(outcome.exitCodes == ["init": 0, "main": 3, "wait": 0], "\(outcome.report)")
        #expect(outcome.parameter("p") == "before")
        #expect(outcome.artifactNames == ["f", "main-logs"])
    }

    @Test func surrendersNothingOfAnUnreachableAPIForAWhile() async throws {
        let step = Step(
            "echo 1 > /tmp/n", store: store, cluster: cluster,
            outputs: ["parameters": [["name": "n", "valueFrom": ["path": "/tmp/n"]]]])
        try await cluster.fail(about: step.request.nodeID, status: 503, times: 3, retryAfter: 1)
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.parameter("n") == "1")
        #expect(outcome.isCompleted)
    }

    @Test func namesTheMissingRightWhenTheAPIForbidsReports() async throws {
        let step = Step("true", store: store, cluster: cluster)
        try await cluster.fail(about: step.request.nodeID, status: 403, times: 100)
        let outcome = try await step.run()
        #expect(outcome.exitCodes == ["init": 0, "main": 0, "wait": 64], "\(outcome.report)")
        let message = try #require(outcome.pod["wait"]?.message)
        #expect(isOneLine(message) && message.contains("workflowtaskresults"))
    }
}
