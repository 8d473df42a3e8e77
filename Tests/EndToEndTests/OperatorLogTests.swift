import Foundation
import TestSupport
import Testing

/// What an operator reads of a step in the logs of the executor's containers.
@Suite("The executor's log", .requires(.seaweedFS), .requires(.standInAPI))
struct OperatorLogTests {
    let store: StepStore
    let cluster: ClusterServer

    init() async throws {
        store = try await StepStore.make()
        cluster = try await ClusterServer.shared()
    }

    /// The records with a message.
    func lines(_ log: String, _ message: String) -> [String] {
        log.split(separator: "\n").map(String.init).filter {
            $0.contains(" msg=\(message) ") || $0.contains(" msg=\"\(message)\" ")
        }
    }

    @Test func tellsWhatAFailedInitHadBegun() async throws {
        let step = Step(
            "echo never", store: store, cluster: cluster, inputs: [["name": "gone", "path": "/gone", "s3": ["key": "no/such"]]])
        let failed = try #require(try await step.run().pod["init"])
        #expect(failed.exitCode == 64)
        let start = try #require(lines(failed.standardError, "starting init").first, "\(failed.standardError)")
        for field in ["version=v4.1.2", "pod=\(step.request.workflow)-", "template=step", "type=Container"] {
            #expect(start.contains(field), "\(start)")
        }
        #expect(lines(failed.standardError, "loading artifact").count == 1)
        let errors = failed.standardError.split(separator: "\n").filter { $0.contains("level=ERROR") }
        #expect(errors.count == 1 && errors.first?.hasPrefix("time=") == true, "\(failed.standardError)")
        #expect(failed.standardError.hasSuffix("Error: \(failed.message)\n\(failed.message)\n"))
    }

    @Test func tellsTransfersTheExitCodeAndTheReport() async throws {
        try await store.put(Array("content".utf8), "in")
        let step = Step(
            "echo out > /tmp/out; exit 3", store: store, cluster: cluster,
            inputs: [["name": "in", "path": "/in", "s3": ["key": "in"]]],
            outputs: ["artifacts": [["name": "out", "path": "/tmp/out"]]])
        let outcome = try await step.run()
        let loading = outcome.pod["init"]?.standardError ?? ""
        #expect(lines(loading, "loaded").first?.contains("name=in") == true, "\(loading)")
        #expect(lines(loading, "loaded").first?.contains("bytes=7") == true)
        let log = outcome.pod["wait"]?.standardError ?? ""
        #expect(lines(log, "starting wait").count == 1, "\(log)")
        #expect(lines(log, "main container ended").first?.hasSuffix("container=main exitCode=3") == true, "\(log)")
        #expect(lines(log, "saving artifact").first?.contains("name=out to=s3://") == true, "\(log)")
        #expect(lines(log, "saved").first?.contains("name=out") == true, "\(log)")
        #expect(lines(log, "saved").first?.contains("milliseconds=") == true, "\(log)")
        #expect(lines(log, "outputs reported").first?.contains("artifacts=out") == true, "\(log)")
    }

    @Test func tellsWhatIsTriedAgain() async throws {
        try await store.put(Array("content".utf8), "in")
        let relay = try await FaultyRelay(to: store.server.endpoint, closingAfter: 20, times: 2)
        let step = Step(
            "true", store: store.reached(at: relay.endpoint), cluster: cluster,
            inputs: [["name": "in", "path": "/in", "s3": ["key": "in"]]])
        let outcome = try await step.run()
        let log = outcome.pod["init"]?.standardError ?? ""
        #expect(outcome.pod["init"]?.exitCode == 0)
        #expect(lines(log, "retrying").first?.contains("level=INFO") == true, "\(log)")
    }

    @Test func hasTimeAndLevelInEachLine() async throws {
        let step = Step("true", store: store, cluster: cluster)
        let outcome = try await step.run()
        for line in (outcome.pod["wait"]?.standardError ?? "").split(separator: "\n") {
            #expect(line.hasPrefix("time=") && line.contains(" argo=true"), "\(line)")
        }
    }
}
