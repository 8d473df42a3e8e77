import Foundation
import TestSupport
import Testing

@Suite("A container set", .requires(.seaweedFS), .requires(.standInAPI))
struct ContainerSetTests {
    let store: StepStore
    let cluster: ClusterServer

    init() async throws {
        store = try await StepStore.make()
        cluster = try await ClusterServer.shared()
    }

    func container(_ name: String, _ script: String, after dependencies: [String] = []) -> JSON {
        [
            "name": .string(name), "image": "debian", "command": ["sh", "-c"], "args": [.string(script)],
            "dependencies": .array(dependencies.map { .string($0) }),
        ]
    }

    @Test func runsInTheOrderOfItsDependencies() async throws {
        var step = Step(
            template: [
                "containerSet": [
                    "volumeMounts": [["name": "workspace", "mountPath": "/workspace"]],
                    "containers": [
                        container("main", "cat /workspace/b /workspace/c > /workspace/out; echo result", after: ["b", "c"]),
                        container("a", "sleep 0.3; echo a > /workspace/a"),
                        container("b", "cat /workspace/a > /workspace/b; echo b >> /workspace/b", after: ["a"]),
                        container("c", "cat /workspace/a > /workspace/c; echo c >> /workspace/c", after: ["a"]),
                    ],
                ],
                "outputs": [
                    "parameters": [["name": "out", "valueFrom": ["path": "/workspace/out"]]],
                    "artifacts": [["name": "all", "path": "/workspace"]],
                ],
            ], store: store, cluster: cluster)
        step.request.volumes = [["name": "workspace", "emptyDir": [:]]]
        step.request.includeResult = true
        step.archiveLogs()
        let outcome = try await step.run()
        #expect(outcome.exitCodes == ["init": 0, "a": 0, "b": 0, "c": 0, "main": 0, "wait": 0], "\(outcome.report)")
        #expect(outcome.parameter("out") == "a\nb\na\nc")
        #expect(outcome.outputs?["result"] == "result")
        #expect(outcome.artifactNames == ["all", "main-logs", "a-logs", "b-logs", "c-logs"])
    }

    /// The code of the member that failed comes to all that depend on it, while their processes end with 64.
    @Test func stopsWhereADependencyFailed() async throws {
        let step = Step(
            template: [
                "containerSet": [
                    "containers": [
                        container("a", "exit 7"), container("b", "echo never", after: ["a"]),
                        container("main", "echo never", after: ["b"]), container("free", "echo ran"),
                    ]
                ]
            ], store: store, cluster: cluster)
        let player = try await step.start()
        let outcome = try await step.outcome(of: player)
        #expect(outcome.exitCodes == ["init": 0, "a": 7, "b": 64, "main": 64, "free": 0, "wait": 0], "\(outcome.report)")
        #expect(outcome.pod["b"]?.message == #"dependency "a" exited with non-zero code: 7"#)
        #expect(outcome.pod["free"]?.standardOutput == "ran\n")
        #expect(outcome.pod["main"]?.standardOutput == "")
        for name in ["a", "b", "main"] {
            let file = player.work.appending(path: "volumes/var-run-argo/ctr/\(name)/exitcode")
            #expect(try String(contentsOf: file, encoding: .utf8) == "7")
        }
    }

    @Test func triesAgainAsOftenAsItSays() async throws {
        let script = "n=$(cat /tmp/n 2>/dev/null || echo 0); n=$((n + 1)); echo $n > /tmp/n; echo try $n; test $n -ge 3"
        let step = Step(
            template: [
                "containerSet": [
                    "containers": [container("main", script)], "retryStrategy": ["retries": "3", "duration": "10ms"],
                ]
            ], store: store, cluster: cluster)
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.pod["main"]?.standardOutput == "try 1\ntry 2\ntry 3\n")
    }
}
