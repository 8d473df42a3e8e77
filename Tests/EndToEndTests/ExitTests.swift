import Foundation
import Glibc
import TestSupport
import Testing

@Suite("The end of a step", .requires(.seaweedFS), .requires(.standInAPI))
struct ExitTests {
    let store: StepStore
    let cluster: ClusterServer

    init() async throws {
        store = try await StepStore.make()
        cluster = try await ClusterServer.shared()
    }

    // In a container's arguments Kubernetes takes `$$` for an escaped `$`.
    @Test(arguments: [
        ("exit 1", 1), ("exit 42", 42), ("exit 255", 255), ("kill -TERM $$$$", 143), ("kill -KILL $$$$", 137),
        ("kill -ABRT $$$$", 134),
    ])
    func hasTheExitCodeOfTheCommand(script: String, code: Int) async throws {
        let step = Step(script, store: store, cluster: cluster)
        let player = try await step.start()
        let outcome = try await step.outcome(of: player)
        #expect(outcome.exitCodes == ["init": 0, "main": code, "wait": 0], "\(outcome.report)")
        #expect(try exitCodeFile(of: "main", player) == "\(code)")
    }

    @Test func saysWhichProgramIsMissing() async throws {
        let step = Step(
            template: ["container": ["image": "debian", "command": ["no-such-program"]]], store: store, cluster: cluster)
        let outcome = try await step.run()
        #expect(outcome.exitCodes == ["init": 0, "main": 64, "wait": 0], "\(outcome.report)")
        #expect(
            outcome.pod["main"]?.message
                == #"failed to find name in PATH: exec: "no-such-program": executable file not found in $PATH"#)
    }

    @Test func comesAtTheDeadline() async throws {
        var step = Step("sleep 600", store: store, cluster: cluster)
        step.request.deadline = 3
        let outcome = try await step.run()
        #expect(outcome.exitCodes == ["init": 0, "main": 143, "wait": 0], "\(outcome.report)")
        #expect(outcome.pod["wait"]?.message == "Step exceeded its deadline")
        #expect(outcome.isCompleted)
    }

    @Test func comesByKillingWhatIsDeafToTheDeadline() async throws {
        var step = Step("trap '' TERM; while :; do sleep 1; done", store: store, cluster: cluster)
        // Time enough for the command to set its trap, on a busy machine too.
        step.request.deadline = 10
        step.request.gracePeriod = 1
        let outcome = try await step.run()
        #expect(outcome.exitCodes == ["init": 0, "main": 137, "wait": 0], "\(outcome.report)")
        #expect(outcome.isCompleted)
    }

    @Test func doesNotWaitForProcessesLeftBehind() async throws {
        var step = Step(
            "i=0; while [ $i -lt 200 ]; do setsid sleep 3600 & i=$((i+1)); done; echo done", store: store, cluster: cluster)
        step.archiveLogs()
        step.request.includeResult = true
        let outcome = try await step.run()
        #expect(!outcome.pod.timedOut)
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.outputs?["result"] == "done")
    }

    @Test func reapsOrphansWhileTheCommandRuns() async throws {
        let step = Step(
            """
            i=0; while [ $i -lt 200 ]; do (sleep 0.1 &) ; i=$((i+1)); done
            while :; do
                n=0; for s in /proc/[0-9]*/stat; do read -r pid name state parent rest < $s 2>/dev/null && [ "$parent" = 1 ] && [ "$state" = Z ] && n=$((n+1)); done
                pgrep -x sleep > /dev/null || [ $n -gt 0 ] || break
            done; echo none left
            """, store: store, cluster: cluster)
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.pod["main"]?.standardOutput == "none left\n")
    }

    /// Nobody but the executor's own lock tells that an emissary was killed: the controller is not asked.
    @Test func isNoticedWhenTheEmissaryIsKilled() async throws {
        let step = Step(
            "touch /var/run/argo/running; sleep 3600", store: store, cluster: cluster,
            outputs: ["artifacts": [["name": "never", "path": "/never", "optional": true]]])
        let player = try await step.start()
        #expect(try await player.appeared("running", inVolume: "var-run-argo"))
        player.signal("main", SIGKILL)
        let outcome = try await step.outcome(of: player)
        #expect(!outcome.pod.timedOut)
        #expect(outcome.exitCodes == ["init": 0, "main": 137, "wait": 0], "\(outcome.report)")
        #expect(try exitCodeFile(of: "main", player) == "137")
        #expect(outcome.isCompleted)
    }

    @Test func comesWhenTheControllerStopsTheStep() async throws {
        let step = Step(
            "trap 'echo stopping; exit 5' TERM; touch /var/run/argo/running; while :; do sleep 0.05; done", store: store,
            cluster: cluster)
        let player = try await step.start()
        #expect(try await player.appeared("running", inVolume: "var-run-argo"))
        let kill = try await player.execute(["/var/run/argo/argoexec", "kill", "15", "1"], in: "main")
        // With the container's first process its namespace ends, and whoever is still in it: the kernel may be quicker than `kill`.
        try #require([0, -9].contains(kill.exitCode), "\(kill.exitCode): \(kill.output)")
        let outcome = try await step.outcome(of: player)
        #expect(outcome.exitCodes == ["init": 0, "main": 5, "wait": 0], "\(outcome.report)")
        #expect(outcome.pod["main"]?.standardOutput == "stopping\n")
    }

    /// The controller sends SIGTERM to `wait` of every pod whose main container has ended, as a rule during the upload.
    @Test func letsUploadsFinishAfterSIGTERM() async throws {
        let step = Step(
            "head -c 60000000 /dev/urandom > /tmp/big", store: store, cluster: cluster,
            outputs: ["artifacts": [["name": "big", "path": "/tmp/big"]]])
        let player = try await step.start()
        _ = try await player.ended("main")
        for _ in 0..<3 { _ = try await player.execute(["argoexec", "kill", "15", "1"], in: "wait") }
        let outcome = try await step.outcome(of: player)
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.artifactNames == ["big"])
        #expect(outcome.isCompleted)
        let stored = try #require(try await store.object(step.key("big.tgz")))
        #expect(try listing(ofArchive: stored).first?.bytes.count == 60_000_000)
        #expect(!(try await store.server.ask(bucket: store.bucket, "uploads=")).contains("<UploadId>"))
    }

    @Test func passesEverySignalToTheCommand() async throws {
        let step = Step(
            """
            cd /var/run/argo; trap 'echo usr1; touch got-usr1' USR1; trap 'echo hup; touch got-hup' HUP; trap 'echo int; exit 0' INT
            touch running; while :; do sleep 0.05; done
            """,
            store: store,
            cluster: cluster)
        let player = try await step.start()
        #expect(try await player.appeared("running", inVolume: "var-run-argo"))
        // One after the other: signals that wait together come in no order.
        player.signal("main", SIGUSR1)
        #expect(try await player.appeared("got-usr1", inVolume: "var-run-argo"))
        player.signal("main", SIGHUP)
        #expect(try await player.appeared("got-hup", inVolume: "var-run-argo"))
        player.signal("main", SIGINT)
        let outcome = try await step.outcome(of: player)
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.pod["main"]?.standardOutput == "usr1\nhup\nint\n")
    }

    private func exitCodeFile(of container: String, _ player: PodPlayer) throws -> String {
        try String(contentsOf: player.work.appending(path: "volumes/var-run-argo/ctr/\(container)/exitcode"), encoding: .utf8)
    }
}
