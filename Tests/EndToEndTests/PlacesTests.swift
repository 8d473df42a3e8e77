import Foundation
import TestSupport
import Testing

/// Whole pods on volumes that somebody else has written to before.
@Suite("A place that others can write to", .requires(.seaweedFS), .requires(.standInAPI))
struct PlacesTests {
    let store: StepStore
    let cluster: ClusterServer
    let folder: TemporaryFolder

    init() async throws {
        store = try await StepStore.make()
        cluster = try await ClusterServer.shared()
        folder = try TemporaryFolder()
    }

    /// A folder of the test's as a volume of the pod's.
    private func volume(_ name: String) throws -> JSON {
        let path = folder.url.appending(path: name)
        try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: path.path)
        return ["name": .string(name), "hostPath": ["path": .string(path.path)]]
    }

    private func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: folder.url.appending(path: name).path, withDestinationPath: target)
    }

    private func names(_ name: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.url.appending(path: name).path).sorted()
    }

    private func step(_ script: String, path: String) throws -> Step {
        var step = Step(
            script, store: store, cluster: cluster,
            inputs: [["name": "b", "path": .string(path), "raw": ["data": "input"]]],
            outputs: ["parameters": [["name": "p", "valueFrom": ["path": "/tmp/p"]]]])
        step.request.template["container"]?["volumeMounts"] = [["name": "vol", "mountPath": "/vol"]]
        step.request.volumes = [try volume("vol")]
        return step
    }

    @Test(arguments: ["/var/run/argo", "/argo/staging", "/argo/inputs/artifacts", "../../../../var/run/argo"])
    func leadsNoInputToTheExecutorsOwn(_ target: String) async throws {
        let step = try step("echo no > /tmp/p", path: "/vol/data/template")
        try link("vol/data", to: target)
        let outcome = try await step.run()
        #expect(outcome.pod["init"]?.exitCode == 64, "\(outcome.report)")
        #expect(isOneLine(outcome.pod["init"]?.message ?? ""))
        #expect(outcome.pod["main"] == nil)
        #expect(try names("vol") == ["data"])
    }

    @Test func isTheSameForInitAsForMain() async throws {
        let step = try step("cat /vol/data/x /vol/real/x > /tmp/p", path: "/vol/data/x")
        try folder.write(Data(), to: "vol/real/kept")
        try link("vol/data", to: "/vol/real")
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.parameter("p") == "inputinput")
        #expect(try names("vol/real") == ["kept", "x"])
    }

    /// The pod's sandbox was made anew, and its volumes have stayed.
    @Test func isNoHindranceToASecondRun() async throws {
        try await store.put(Array("content".utf8), "dir/a")
        var input: JSON = ["name": "b", "path": "/in"]
        input["s3"] = store.location("dir")["s3"]
        for _ in 0..<2 {
            var step = Step(
                "cat /in/a; ls /in; cat /in/a > /tmp/p; echo more > /in/added; rm -f /in/a", store: store, cluster: cluster,
                inputs: [input],
                outputs: ["parameters": [["name": "p", "valueFrom": ["path": "/tmp/p"]]]])
            step.request.volumes = [try volume("input-artifacts")]
            let outcome = try await step.run()
            #expect(outcome.exitCodes == allWell, "\(outcome.report)")
            #expect(outcome.parameter("p") == "content")
            #expect(outcome.pod["main"]?.standardOutput == "contenta\n")
            #expect(try names("input-artifacts") == ["b"])
        }
    }
}
