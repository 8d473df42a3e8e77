import Documents
import Foundation
import PodSandbox
import SandboxTestSupport
import SystemSupport
import TestSupport
import Testing

@testable import LocalRunner

@Suite struct ReplaySourceTests {
    private func source(_ pod: JSONValue) throws -> ReplaySource {
        let folder = try TemporaryFolder()
        try folder.write(Data(pod.serialized()), to: "pod.json")
        return try ReplaySource(BytePath(folder.url.path + "/pod.json"), objects: ObjectFolders())
    }

    private func failure(_ pod: JSONValue) -> String {
        do { _ = try source(pod) } catch { return errorText(error) }
        return "none"
    }

    @Test func aWorkflowsDeadlineDoesNotCountAgain() throws {
        let replay = try source([
            "metadata": ["name": "p", "annotations": ["workflows.argoproj.io/node-id": "n"]],
            "spec": [
                "initContainers": [
                    ["name": "init", "image": "ours", "env": [["name": "ARGO_DEADLINE", "value": "2020-01-01T00:00:00Z"]]]
                ],
                "containers": [["name": "main", "image": "theirs"]],
            ],
        ])
        #expect(replay.executorImage == "ours")
        #expect(replay.annotation("node-id") == "n")
        #expect(replay.annotation("node-name") == "p")
        let variable = replay.pod["spec"]?["initContainers"]?.array?.first?["env"]?.array?.first
        #expect(variable?["value"] == "0001-01-01T00:00:00Z")
    }

    @Test func saysWhatCannotBeRunAgain() {
        #expect(failure(["kind": "ConfigMap"]).hasSuffix("expected one pod"))
        #expect(failure(["spec": ["containers": [["name": "main"]]]]).contains("neither an init nor a wait"))
        #expect(failure(["spec": ["containers": [["name": "supervisor"]]]]).contains("neither an init nor a wait"))
    }

    @Test func readsEveryRecordedPod() throws {
        var count = 0
        for (name, _, pod) in try RecordedPods.legacy() where pod["spec"]?["initContainers"]?.array?.first?["name"] == "init" {
            #expect(throws: Never.self, "\(name)") { _ = try source(pod) }
            count += 1
        }
        #expect(count > RecordedPods.fewest)
    }

    @Test func readsRecordedPodsWithASupervisor() throws {
        let supervised = try RecordedPods.initless().filter { _, _, pod in
            pod["spec"]?["containers"]?.array?.contains { $0["name"] == "supervisor" } ?? false
        }
        #expect(supervised.count > 5)
        for (name, _, pod) in supervised {
            #expect(throws: Never.self, "\(name)") { _ = try source(pod) }
        }
    }
}
