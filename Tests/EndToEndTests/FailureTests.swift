import Foundation
import TestSupport
import Testing

/// What goes wrong says so in one line of the termination message, and takes nothing else down with it.
@Suite("A failure", .requires(.seaweedFS), .requires(.standInAPI))
struct FailureTests {
    let store: StepStore
    let cluster: ClusterServer

    init() async throws {
        store = try await StepStore.make()
        cluster = try await ClusterServer.shared()
    }

    /// A step with two outputs, of which the first goes to a place of its own.
    func twoOutputs(first location: JSON, script: String = "echo 1 > /tmp/one; echo 2 > /tmp/two") -> Step {
        var first: JSON = ["name": "one", "path": "/tmp/one"]
        first["s3"] = location["s3"]
        return Step(
            script, store: store, cluster: cluster, outputs: ["artifacts": [first, ["name": "two", "path": "/tmp/two"]]])
    }

    func expectOneLine(
        _ outcome: StepOutcome, _ container: String, _ code: Int, _ words: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let ended = outcome.pod[container]
        #expect(ended?.exitCode == code, "\(outcome.report)", sourceLocation: sourceLocation)
        let message = ended?.message ?? ""
        #expect(isOneLine(message), "\(message)", sourceLocation: sourceLocation)
        for word in words { #expect(message.contains(word), "\(message)", sourceLocation: sourceLocation) }
    }

    @Test(arguments: ["", "{", "[]", #"{"name": 7}"#, "{\"name\":\"x\"}}"])
    func ofTheTemplateNamesIt(text: String) async throws {
        var step = Step("true", store: store, cluster: cluster)
        step.request.argoTemplate = text
        let outcome = try await step.run()
        expectOneLine(outcome, "init", 2, "template")
        #expect(outcome.pod["main"] == nil)
    }

    @Test func ofAMissingSecretNamesItsFile() async throws {
        var location = store.location("elsewhere/one.tgz")
        location["s3"]?["accessKeySecret"] = ["name": "absent", "key": "accesskey"]
        var step = twoOutputs(first: location)
        step.request.volumes = [["name": "absent", "emptyDir": [:]]]
        let outcome = try await step.run()
        expectOneLine(outcome, "wait", 64, "one", "/argo/secret/absent/accesskey")
        #expect(outcome.artifactNames == ["two"])
        #expect(outcome.isCompleted)
    }

    @Test func ofAMissingBucketNamesIt() async throws {
        let outcome = try await twoOutputs(first: store.location("one.tgz", bucket: "no-such-bucket")).run()
        expectOneLine(outcome, "wait", 64, "one", "no-such-bucket", "NoSuchBucket")
        #expect(outcome.artifactNames == ["two"])
    }

    @Test func ofAWrongKeySaysThatAccessIsDenied() async throws {
        var location = store.location("one.tgz")
        location["s3"]?["secretKeySecret"] = ["name": "wrong", "key": "secretkey"]
        var step = twoOutputs(first: location)
        step.request.secrets["wrong"] = ["secretkey": "canary-of-a-secret"]
        let outcome = try await step.run()
        expectOneLine(outcome, "wait", 64, "one", "SignatureDoesNotMatch")
        #expect(outcome.artifactNames == ["two"])
        #expect(!outcome.report.contains("canary-of-a-secret"))
    }

    @Test func ofTheRunDirectoryBeingFullLeavesRoomForTheRest() async throws {
        var step = twoOutputs(first: [:], script: "head -c 8000000 /dev/urandom > /tmp/one; echo 2 > /tmp/two")
        let size = try Checkout.executor.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
        step.request.volumes = [["name": "var-run-argo", "emptyDir": ["sizeLimit": .string("\(size + 2_000_000)")]]]
        let outcome = try await step.run()
        expectOneLine(outcome, "main", 64, "one", "no space left on device")
        expectOneLine(outcome, "wait", 64, "one")
        #expect(outcome.artifactNames == ["two"])
        #expect(outcome.isCompleted)
    }

    @Test func ofATruncatedArchiveIsNoticed() async throws {
        let producer = Step(
            "head -c 100000 /dev/urandom > /tmp/f", store: store, cluster: cluster,
            outputs: ["artifacts": [["name": "f", "path": "/tmp/f"]]])
        #expect(try await producer.run().exitCodes == allWell)
        let whole = try #require(try await store.object(producer.key("f.tgz")))
        try await store.put(Array(whole.prefix(whole.count / 2)), "half.tgz")
        let consumer = Step(
            "echo never", store: store, cluster: cluster, inputs: [["name": "half", "path": "/f", "s3": ["key": "half.tgz"]]])
        let outcome = try await consumer.run()
        expectOneLine(outcome, "init", 64, "half")
        #expect(outcome.pod["main"] == nil)
    }

    @Test func ofTheConnectionIsMadeGoodFromWhereItBroke() async throws {
        let content = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }
        try await store.put(content, "data.bin")
        let relay = try await FaultyRelay(to: store.server.endpoint, closingAfter: 1_000_000, times: 2)
        let consumer = Step(
            "wc -c < /data; cksum < /data", store: store.reached(at: relay.endpoint), cluster: cluster,
            inputs: [["name": "data", "path": "/data", "s3": ["key": "data.bin"]]])
        let outcome = try await consumer.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.pod["main"]?.standardOutput.hasPrefix("3000000\n") == true)
    }

    /// What was begun cannot be taken back by a process that is no more: its parts stay at the store, unseen.
    @Test func ofWaitInTheMiddleOfAnUploadLeavesNothingHalf() async throws {
        // The upload is begun and a part of it passes; then the store falls silent.
        let relay = try await FailingRelay(to: store.server.endpoint, share: 1, kinds: ["stall"], sparing: 2)
        let step = Step(
            "head -c 60000000 /dev/urandom > /tmp/big", store: store.reached(at: relay.endpoint), cluster: cluster,
            outputs: ["artifacts": [["name": "big", "path": "/tmp/big", "archive": ["none": [:]]]]])
        let player = try await step.start()
        _ = try await player.ended("main")
        while try await relay.statistics().faults["stall", default: 0] < 2 { try await Task.sleep(for: .milliseconds(20)) }
        player.signal("wait", SIGKILL)
        let outcome = try await step.outcome(of: player)
        #expect(outcome.exitCodes["wait"] == 137, "\(outcome.report)")
        #expect(try await relay.statistics().requests.keys.contains { $0.hasPrefix("PUT /\(store.bucket)/") })
        #expect(try await store.keys().isEmpty)
    }

    @Test func ofEveryConnectionEndsTheStep() async throws {
        try await store.put([UInt8](repeating: 7, count: 3_000_000), "data.bin")
        let relay = try await FaultyRelay(to: store.server.endpoint, closingAfter: 20, times: 1_000_000)
        var consumer = Step(
            "echo never", store: store.reached(at: relay.endpoint), cluster: cluster,
            inputs: [["name": "data", "path": "/data", "s3": ["key": "data.bin"]]])
        consumer.request.executorEnvironment["EXECUTOR_RETRY_BACKOFF_STEPS"] = "1"
        let outcome = try await consumer.run()
        expectOneLine(outcome, "init", 64, "data")
    }
}
