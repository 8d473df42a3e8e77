import Foundation
import TestSupport
import Testing

/// The same reports to a real API server, which checks tokens, rights and the schema of task results, and to MinIO, which checks
/// signatures and checksums most strictly.
@Suite("On a real API server", .requires(.kubernetes))
struct ClusterTests {
    @Test(.requires(.minIO)) func reportsOutputsWithNoMoreThanItsRights() async throws {
        let store = try await StepStore.make(on: .minIO)
        let cluster = try await ClusterServer.shared(.kubernetes)
        var step = Step(
            "echo v > /tmp/p; head -c 20000000 /dev/urandom > /tmp/f; echo result", store: store, cluster: cluster,
            outputs: [
                "parameters": [["name": "p", "valueFrom": ["path": "/tmp/p"]]], "artifacts": [["name": "f", "path": "/tmp/f"]],
            ])
        step.request.includeResult = true
        step.archiveLogs()
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.isCompleted)
        #expect(outcome.outputs?["result"] == "result")
        #expect(outcome.parameter("p") == "v")
        #expect(outcome.artifactNames == ["f", "main-logs"])
        #expect(outcome.taskResult?["metadata"]?["ownerReferences"]?.items.first?["kind"] == "Workflow")
        let stored = try #require(try await store.object(step.key("f.tgz")))
        #expect(try listing(ofArchive: stored).first?.bytes.count == 20_000_000)
    }

    @Test(.requires(.seaweedFS)) func saysWhatTheServerRefuses() async throws {
        let store = try await StepStore.make()
        let cluster = try await ClusterServer.shared(.kubernetes)
        // The schema of task results takes no spaces in a parameter's name.
        let step = Step(
            "echo v > /tmp/p", store: store, cluster: cluster,
            outputs: ["parameters": [["name": "not a name", "valueFrom": ["path": "/tmp/p"]]]])
        let outcome = try await step.run()
        #expect(outcome.exitCodes == ["init": 0, "main": 0, "wait": 64], "\(outcome.report)")
        #expect(outcome.pod["wait"]?.message.contains("outputs.parameters") == true)
        #expect(outcome.isCompleted)
    }
}
