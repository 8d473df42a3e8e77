import Foundation
import Glibc
import TestSupport
import Testing

/// The exit codes of a pod with a supervisor in which all went well.
private let allSupervised = ["supervisor": 0, "main": 0]

/// Pods without an init container: a supervisor prepares them while the emissaries wait.
@Suite("A supervised step", .requires(.seaweedFS), .requires(.standInAPI))
struct SupervisorTests {
    let store: StepStore
    let cluster: ClusterServer

    init() async throws {
        store = try await StepStore.make()
        cluster = try await ClusterServer.shared()
    }

    func supervised(_ script: String, inputs: JSON = [], outputs: JSON = [:], container more: JSON = [:]) -> Step {
        var container: JSON = ["image": "debian", "command": ["sh", "-c"], "args": [.string(script)]]
        for name in more.names { container[name] = more[name] }
        return supervised(["container": container, "inputs": ["artifacts": inputs], "outputs": outputs])
    }

    func supervised(_ template: JSON) -> Step {
        var step = Step(template: template, store: store, cluster: cluster)
        step.request.isInitless = true
        return step
    }

    func raw(_ name: String, at path: String, _ content: String? = nil, _ more: JSON = [:]) -> JSON {
        var artifact: JSON = ["name": .string(name), "path": .string(path), "raw": ["data": .string(content ?? name + "\n")]]
        for member in more.names { artifact[member] = more[member] }
        return artifact
    }

    /// An input from a server that takes the request and never answers.
    func stalled() throws -> (server: ScriptedServer, input: JSON) {
        let server = try ScriptedServer { conversation in
            _ = conversation.readRequest()
            conversation.waitForClose()
        }
        return (server, ["name": "slow", "path": "/slow", "http": ["url": .string("http://127.0.0.1:\(server.port)/slow")]])
    }

    func started(loading server: ScriptedServer, _ player: PodPlayer) async throws {
        await player.started("main")
        while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
    }

    // MARK: All is well

    @Test func runsLikeAnyOther() async throws {
        try await store.put(Array("from the store\n".utf8), "in.txt")
        var step = supervised(
            "cat /in/a /in/b; echo 7 > /tmp/n; mkdir /out; cp /in/a /out/copy; echo said >&2",
            inputs: [
                ["name": "a", "path": "/in/a", "s3": ["key": "in.txt"]], raw("b", at: "/in/b"),
                ["name": "o", "path": "/in/o", "optional": true],
                ["name": "p", "path": "/in/p", "optional": true, "s3": ["key": "no/such/key"]],
            ],
            outputs: [
                "parameters": [["name": "n", "valueFrom": ["path": "/tmp/n"]]],
                "artifacts": [["name": "out", "path": "/out"], ["name": "again", "path": "/in/b", "archive": ["none": [:]]]],
            ])
        step.request.includeResult = true
        step.archiveLogs()
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allSupervised, "\(outcome.report)")
        #expect(outcome.outputs?["result"] == "from the store\nb")
        #expect(outcome.parameter("n") == "7")
        #expect(outcome.artifactNames == ["out", "again", "main-logs"])
        #expect(try await store.object(step.key("b")) == Array("b\n".utf8))
        #expect(try await store.object(step.key("main.log")) == Array("from the store\nb\nsaid\n".utf8))
        #expect(outcome.isCompleted)
        #expect(outcome.pod.containers.values.allSatisfy { $0.message.isEmpty })
    }

    @Test func stagesItsScript() async throws {
        var step = supervised(["script": ["image": "debian", "command": ["sh"], "source": "echo from $0"]])
        step.request.includeResult = true
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allSupervised, "\(outcome.report)")
        #expect(outcome.outputs?["result"] == "from /argo/staging/script")
    }

    /// Contract 04 §3: while it is still being prepared the step is known to the controller.
    @Test func makesItsTaskResultWhileItLoads() async throws {
        let (server, input) = try stalled()
        let step = supervised("true", inputs: [input])
        let player = try await step.start()
        try await started(loading: server, player)
        while try await cluster.taskResult(step.request.nodeID) == nil { try await Task.sleep(for: .milliseconds(20)) }
        player.signal("supervisor", SIGTERM)
        _ = try await step.outcome(of: player)
    }

    @Test func loadsIntoVolumesAndSavesFromThem() async throws {
        var step = supervised(
            "cat /work/in; echo made > /work/out; ls -la /work", inputs: [raw("in", at: "/work/in", nil, ["mode": 0o640])],
            outputs: ["artifacts": [["name": "out", "path": "/work/out", "archive": ["none": [:]]]]],
            container: ["volumeMounts": [["name": "work", "mountPath": "/work"]]])
        step.request.volumes = [["name": "work", "emptyDir": [:]]]
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allSupervised, "\(outcome.report)")
        #expect(outcome.pod["main"]?.standardOutput.hasPrefix("in\n") == true)
        #expect(outcome.pod["main"]?.standardOutput.contains("-rw-r-----") == true)
        #expect(try await store.object(step.key("out")) == Array("made\n".utf8))
    }

    /// Main's user may write to nothing that the supervisor has made, and its root may be read-only: inputs inside inputs are there all
    /// the same.
    @Test(.enabled(if: geteuid() == 0, "needs root to change users"))
    func findsInputsInsideInputsAsAnotherUser() async throws {
        let tree = Step(
            "mkdir -p /t/sub; echo f > /t/f", store: store, cluster: cluster,
            outputs: ["artifacts": [["name": "t", "path": "/t"]]])
        #expect(try await tree.run().pod["wait"]?.exitCode == 0)
        let step = supervised(
            "cat /tmp/tree/f /tmp/tree/sub/in; id -u",
            inputs: [
                raw("in", at: "/tmp/tree/sub/in", nil, ["mode": 0o444]),
                ["name": "tree", "path": "/tmp/tree", "s3": ["key": .string(tree.key("t.tgz"))]],
            ], container: ["securityContext": ["runAsUser": 1234]])
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allSupervised, "\(outcome.report)")
        #expect(outcome.pod["main"]?.standardOutput == "f\nin\n1234\n")
    }

    @Test func saysWhereItsReadOnlyRootHasNoRoomForALink() async throws {
        let step = supervised(
            "echo never", inputs: [raw("in", at: "/data/in")],
            container: ["securityContext": ["readOnlyRootFilesystem": true]])
        let outcome = try await step.run()
        #expect(outcome.exitCodes == ["supervisor": 0, "main": 65], "\(outcome.report)")
        let message = try #require(outcome.pod["main"]?.message)
        #expect(message.contains("'in'") && message.contains("read-only file system"), "\(message)")
    }

    @Test func hasInitContainersAndSidecarsOfTheUser() async throws {
        var step = supervised([
            "container": [
                "image": "debian", "command": ["sh", "-c"],
                "args": ["cat /work/first; until [ -e /work/beside ]; do sleep 0.05; done"],
                "volumeMounts": [["name": "work", "mountPath": "/work"]],
            ],
            "initContainers": [
                [
                    "name": "prepare", "image": "debian", "command": ["sh", "-c"], "args": ["echo first > /work/first"],
                    "volumeMounts": [["name": "work", "mountPath": "/work"]],
                ]
            ],
            "sidecars": [
                [
                    "name": "beside", "image": "debian", "command": ["sh", "-c"],
                    "args": ["trap '' TERM; touch /work/beside; while :; do sleep 0.1; done"],
                    "volumeMounts": [["name": "work", "mountPath": "/work"]],
                ]
            ],
        ])
        step.request.volumes = [["name": "work", "emptyDir": [:]]]
        step.request.gracePeriod = 1
        let outcome = try await step.run()
        #expect(outcome.exitCodes == ["prepare": 0, "supervisor": 0, "main": 0, "beside": 137], "\(outcome.report)")
        #expect(outcome.pod["main"]?.standardOutput == "first\n")
    }

    // MARK: The preparation fails

    func expectNotStarted(
        _ outcome: StepOutcome, _ text: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(outcome.exitCodes == ["supervisor": 64, "main": 65], "\(outcome.report)", sourceLocation: sourceLocation)
        let message = outcome.pod["supervisor"]?.message ?? ""
        #expect(isOneLine(message) && message.contains(text), "\(message)", sourceLocation: sourceLocation)
        #expect(
            outcome.pod["main"]?.message == "supervisor reported pre-main failure: \(message)", sourceLocation: sourceLocation)
        #expect(outcome.pod["main"]?.standardOutput == "", sourceLocation: sourceLocation)
    }

    @Test func doesNotStartWithoutItsInputs() async throws {
        var step = supervised("echo started", inputs: [["name": "gone", "path": "/gone", "s3": ["key": "no/such/key"]]])
        step.archiveLogs()
        let outcome = try await step.run()
        expectNotStarted(outcome, "failed to load non-plugin input artifacts: load artifact 'gone': ")
        #expect(outcome.isCompleted)
        #expect(outcome.artifactNames == [])
        // Told once with time and level, beside the contract's two lines.
        let log = outcome.pod["supervisor"]?.standardError ?? ""
        #expect(log.components(separatedBy: "level=ERROR").count == 2, "\(log)")
        #expect(log.contains("msg=\"starting supervisor\""))
        #expect(log.contains("msg=\"loading artifact\" argo=true name=gone from=s3://"))
    }

    @Test func doesNotStartWhereItsResultMayNotBeReported() async throws {
        let step = supervised("echo started")
        try await cluster.fail(about: step.request.nodeID, status: 403, times: 100)
        let outcome = try await step.run()
        expectNotStarted(outcome, "workflowtaskresults")
    }

    @Test func startsWhileTheAPIServerIsAway() async throws {
        let step = supervised(
            "echo started; echo 1 > /tmp/n", outputs: ["parameters": [["name": "n", "valueFrom": ["path": "/tmp/n"]]]])
        try await cluster.fail(about: step.request.nodeID, status: 503, times: 3)
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allSupervised, "\(outcome.report)")
        #expect(outcome.parameter("n") == "1")
        #expect(outcome.isCompleted)
    }

    @Test func endsBySIGTERMWhileItLoads() async throws {
        let (server, input) = try stalled()
        let step = supervised("echo started", inputs: [input])
        let player = try await step.start()
        try await started(loading: server, player)
        // As the controller does it.
        #expect(try await player.execute(["argoexec", "kill", "15", "1"], in: "supervisor").exitCode == 0)
        let outcome = try await step.outcome(of: player)
        expectNotStarted(outcome, "failed to load non-plugin input artifacts: received SIGTERM")
        #expect(outcome.isCompleted)
    }

    @Test func endsAtItsDeadlineWhileItLoads() async throws {
        let (_, input) = try stalled()
        var step = supervised("echo started", inputs: [input])
        step.request.deadline = 3
        let outcome = try await step.run()
        expectNotStarted(outcome, "Step exceeded its deadline")
        #expect(outcome.isCompleted)
    }

    @Test func refusesToReplaceItsVolumes() async throws {
        var step = supervised(
            "echo never", inputs: [raw("in", at: "/work")],
            container: ["volumeMounts": [["name": "data", "mountPath": "/work/data"]]])
        step.request.volumes = [["name": "data", "emptyDir": [:]]]
        let outcome = try await step.run()
        #expect(outcome.exitCodes == ["supervisor": 0, "main": 65], "\(outcome.report)")
        #expect(outcome.pod["main"]?.message.contains("overlaps the volume mounted at /work/data") == true)
    }

    @Test func saysThatItsPluginsAreMissing() async throws {
        let step = supervised(
            "echo never",
            inputs: [["name": "p", "path": "/p", "plugin": ["name": "no/name", "key": "k", "configuration": "c"]]])
        let outcome = try await step.run()
        expectNotStarted(
            outcome, #"failed to load input artifacts from plugin "no/name": load artifact 'p': load plugin://no/name/k: "#)
    }

    // MARK: The command runs

    @Test func comesToItsDeadline() async throws {
        var step = supervised("sleep 600")
        step.request.deadline = 3
        let outcome = try await step.run()
        #expect(outcome.exitCodes == ["supervisor": 0, "main": 143], "\(outcome.report)")
        #expect(outcome.pod["supervisor"]?.message == "Step exceeded its deadline")
        #expect(outcome.isCompleted)
    }

    @Test func keepsItsOutputsThroughSIGTERM() async throws {
        let step = supervised(
            "echo 1 > /tmp/n; touch /var/run/argo/there; sleep 600", inputs: [raw("in", at: "/in")],
            outputs: ["parameters": [["name": "n", "valueFrom": ["path": "/tmp/n"]]]])
        let player = try await step.start()
        #expect(try await player.appeared("there", inVolume: "var-run-argo"))
        for (container, binary) in [("supervisor", "argoexec"), ("main", "/argo-bin/bin/argoexec")] {
            #expect(try await player.execute([binary, "kill", "15", "1"], in: container).exitCode == 0)
        }
        // And again, if it is still there.
        _ = try await player.execute(["argoexec", "kill", "15", "1"], in: "supervisor")
        let outcome = try await step.outcome(of: player)
        #expect(outcome.exitCodes == ["supervisor": 0, "main": 143], "\(outcome.report)")
        #expect(outcome.parameter("n") == "1")
        #expect(outcome.isCompleted)
    }

    @Test func outlivesItsEmissary() async throws {
        let step = supervised("touch /var/run/argo/there; sleep 600")
        let player = try await step.start()
        #expect(try await player.appeared("there", inVolume: "var-run-argo"))
        player.signal("main", SIGKILL)
        let outcome = try await step.outcome(of: player)
        #expect(outcome.exitCodes == ["supervisor": 0, "main": 137], "\(outcome.report)")
        #expect(outcome.isCompleted)
    }

    // MARK: Container sets

    @Test func runsAContainerSet() async throws {
        func member(_ name: String, _ script: String, after: [String] = []) -> JSON {
            [
                "name": .string(name), "image": "debian", "command": ["sh", "-c"], "args": [.string(script)],
                "dependencies": .array(after.map { .string($0) }),
            ]
        }
        let twice = "n=$(cat /tmp/n 2>/dev/null || echo 0); n=$((n + 1)); echo $n > /tmp/n; echo try $n; test $n -ge 2"
        var step = supervised([
            "containerSet": [
                "volumeMounts": [["name": "work", "mountPath": "/work"]],
                "containers": [
                    member("main", "cat /work/a /in/b; echo result", after: ["a"]),
                    member("a", twice + " && echo a > /work/a"),
                ],
                "retryStrategy": ["retries": 2, "duration": "10ms"],
            ],
            "inputs": ["artifacts": [raw("b", at: "/in/b")]],
            "outputs": ["artifacts": [["name": "a", "path": "/work/a", "archive": ["none": [:]]]]],
        ])
        step.request.volumes = [["name": "work", "emptyDir": [:]]]
        step.request.includeResult = true
        step.archiveLogs()
        let outcome = try await step.run()
        #expect(outcome.exitCodes == ["supervisor": 0, "a": 0, "main": 0], "\(outcome.report)")
        #expect(outcome.outputs?["result"] == "a\nb\nresult")
        #expect(outcome.artifactNames == ["a", "main-logs", "a-logs"])
        #expect(try await store.object(step.key("a.log")) == Array("try 1\ntry 2\n".utf8))
        #expect(try await store.object(step.key("a")) == Array("a\n".utf8))
    }

    @Test func startsNoMemberOfASetThatIsNotPrepared() async throws {
        let container: (String) -> JSON = { ["name": .string($0), "image": "debian", "command": ["echo", "started"]] }
        let step = supervised([
            "containerSet": ["containers": [container("main"), container("b")]],
            "inputs": ["artifacts": [["name": "gone", "path": "/gone", "s3": ["key": "no/such/key"]]]],
        ])
        let outcome = try await step.run()
        #expect(outcome.exitCodes == ["supervisor": 64, "main": 65, "b": 65], "\(outcome.report)")
    }
}
