import Foundation
import TestSupport
import Testing

/// The emissary in images that hold nothing it could lean on: `FROM scratch` has no shell, no C library, no `/etc`, no `/tmp`. Only a
/// static build can run there.
@Suite(
    "In an empty image", .requires(.seaweedFS), .requires(.standInAPI),
    .enabled("the program under test needs shared libraries; scripts/build-static makes one that does not") {
        Checkout.executorIsStatic
    })
struct ForeignImageTests {
    let store: StepStore
    let cluster: ClusterServer

    init() async throws {
        store = try await StepStore.make()
        cluster = try await ClusterServer.shared()
    }

    /// A step in an empty root whose only programs are those of a static busybox in a volume.
    func step(
        _ script: String, user: Int? = nil, readOnly: Bool = false, inputs: JSON = [], outputs: JSON = [:], mounts: [JSON] = []
    ) -> Step {
        var security: JSON = ["readOnlyRootFilesystem": .bool(readOnly)]
        if let user { security["runAsUser"] = .number(Double(user)) }
        var step = Step(
            template: [
                "container": [
                    "image": "scratch", "command": ["/tools/busybox", "sh", "-c"], "args": [.string(script)],
                    "securityContext": security,
                    "volumeMounts": .array([["name": "tools", "mountPath": "/tools", "readOnly": true]] + mounts),
                ],
                "inputs": ["artifacts": inputs], "outputs": outputs,
            ], store: store, cluster: cluster)
        let tools = Checkout.testTools.appending(path: "busybox/bin").path
        step.request.volumes = [["name": "tools", "hostPath": ["path": .string(tools)]]]
        return step
    }

    @Test func runsAndReports() async throws {
        var step = step(
            "/tools/busybox mkdir /out; echo made > /out/f; echo here",
            outputs: ["artifacts": [["name": "out", "path": "/out"]]])
        step.request.includeResult = true
        step.archiveLogs()
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.outputs?["result"] == "here")
        #expect(outcome.artifactNames == ["out", "main-logs"])
        let entries = try listing(ofArchive: try #require(try await store.object(step.key("out.tgz"))))
        #expect(entries.map(\.name) == ["out", "out/f"])
    }

    @Test func runsForAnotherUserInAReadOnlyRoot() async throws {
        var step = step(
            "/tools/busybox id -u; echo v > /scratch/p; (echo > /no) 2>/dev/null || echo read-only", user: 65534,
            readOnly: true,
            outputs: [
                "parameters": [["name": "p", "valueFrom": ["path": "/scratch/p"]]],
                "artifacts": [["name": "p", "path": "/scratch/p"]],
            ],
            mounts: [["name": "scratch", "mountPath": "/scratch"]])
        step.request.volumes = .array(step.request.volumes.items + [["name": "scratch", "emptyDir": [:]]])
        step.request.includeResult = true
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.outputs?["result"] == "65534\nread-only")
        #expect(outcome.parameter("p") == "v")
        #expect(outcome.artifactNames == ["p"])
    }

    /// Names are bytes: UTF-8, Latin-1, a newline. Without locale files nothing may be converted on the way out or in.
    @Test func keepsOddNamesBothWays() async throws {
        let make =
            #"b=/tools/busybox; $b mkdir /odd; cd /odd; : > ä.txt; : > "$($b printf 'l\344tin')"; : > "$($b printf 'new\nline')"; : > ' '; : > -n"#
        let producer = step(make, outputs: ["artifacts": [["name": "odd", "path": "/odd"]]])
        let made = try await producer.run()
        #expect(made.exitCodes == allWell, "\(made.report)")
        let entries = try listing(ofArchive: try #require(try await store.object(producer.key("odd.tgz"))))
        #expect(entries.map(\.name) == ["odd", "odd/ ", "odd/-n", #"odd/l\xe4tin"#, "odd/new\nline", "odd/ä.txt"])

        let consumer = step(
            "cd /in; for f in * ; do /tools/busybox printf '%s|' \"$f\"; done | /tools/busybox od -An -tx1 -v",
            inputs: [["name": "odd", "path": "/in", "s3": ["key": .string(producer.key("odd.tgz"))]]])
        let used = try await consumer.run()
        #expect(used.exitCodes == allWell, "\(used.report)")
        let bytes =
            used.pod["main"]?.standardOutput.split(whereSeparator: \.isWhitespace).compactMap { UInt8($0, radix: 16) } ?? []
        let names = bytes.split(separator: UInt8(ascii: "|")).map { Array($0) }
        #expect(
            Set(names) == [
                [0x20], Array("-n".utf8), Array("ä.txt".utf8), Array("new\nline".utf8), [0x6c, 0xe4] + Array("tin".utf8),
            ])
    }
}
