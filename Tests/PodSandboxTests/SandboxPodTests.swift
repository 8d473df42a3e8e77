import Documents
import Foundation
import PodSandbox
import SandboxTestSupport
import SystemSupport
import Testing

private typealias Fixture = SandboxFixture

/// The life of a pod: order, ends, signals, messages.
@Suite(.serialized, .enabled(if: SandboxFixture.isUsable, "bubblewrap does not work on this machine"))
struct SandboxPodTests {
    @Test func givesTheCommandsOwnExitCode() throws {
        let fixture = try Fixture()
        let outcome = try fixture.play(Fixture.pod([Fixture.shell("main", "echo out; echo err >&2; exit 7")]))
        #expect(outcome["main"]?.exitCode == 7)
        #expect(outcome["main"]?.reason == "Error")
        #expect(!outcome.isSuccess)
        #expect(outcome.ending == .completed)
        #expect(try fixture.log("main") == "out\nerr\n")
    }

    @Test func givesSignalsAsTheirNumberAnd128() throws {
        let fixture = try Fixture()
        let outcome = try fixture.play(
            Fixture.pod([Fixture.shell("main", "echo $$$$; sh -c 'kill -9 $$$$'; exit $?")]))
        #expect(outcome["main"]?.exitCode == 137)
        #expect(try fixture.log("main").hasPrefix("1\n"))
    }

    @Test func runsInitContainersInOrderAndStopsAtTheFirstThatFails() throws {
        let fixture = try Fixture()
        let volumes: [JSONValue] = [["name": "v", "emptyDir": [:]]]
        let mounts: JSONObject = ["volumeMounts": [Fixture.mount("v", "/v")]]
        let inits = [
            Fixture.shell("one", "echo one >> /v/order", mounts), Fixture.shell("two", "echo two >> /v/order; exit 3", mounts),
            Fixture.shell("three", "echo three >> /v/order", mounts),
        ]
        let outcome = try fixture.play(Fixture.pod([Fixture.shell("main", "true", mounts)], inits: inits, volumes: volumes))
        #expect(outcome.containers.map(\.name) == ["one", "two"])
        #expect(outcome.containers.map(\.exitCode) == [0, 3])
        #expect(!outcome.isSuccess)
        #expect(try fixture.read(fixture.node.volume("v").appending("order")) == "one\ntwo\n")
    }

    @Test func runsContainersSideBySide() throws {
        let fixture = try Fixture()
        let volumes: [JSONValue] = [["name": "v", "emptyDir": [:]]]
        let mounts: JSONObject = ["volumeMounts": [Fixture.mount("v", "/v")]]
        // Each waits for the other through a named pipe: only together can they end.
        let outcome = try fixture.play(
            Fixture.pod(
                [
                    Fixture.shell("a", "echo from a > /v/pipe", mounts), Fixture.shell("b", "cat /v/pipe", mounts),
                ], inits: [Fixture.shell("init", "mkfifo -m 666 /v/pipe", mounts)], volumes: volumes))
        #expect(outcome.isSuccess, "\(outcome)")
        #expect(try fixture.log("b") == "from a\n")
    }

    @Test func terminatesWhatIsLeftOnceMainHasEnded() throws {
        let fixture = try Fixture()
        let outcome = try fixture.play(
            Fixture.pod([
                Fixture.shell("main", "exit 0"),
                Fixture.shell("web", "trap 'echo asked to stop; exit 5' TERM; while :; do sleep 0.02; done"),
            ]))
        #expect(outcome["main"]?.exitCode == 0)
        #expect(outcome["web"]?.exitCode == 5)
        #expect(try fixture.log("web") == "asked to stop\n")
        #expect(outcome.ending == .completed)
    }

    @Test func terminatesTheOtherMembersOfAContainerSetWhenOneFails() throws {
        let fixture = try Fixture()
        let template = #"{"containerSet":{"containers":[{"name":"a"},{"name":"b"}]}}"#
        let variables: JSONValue = [["name": "ARGO_TEMPLATE", "value": .string(template)]]
        let waiting = "trap 'exit 9' TERM; while :; do sleep 0.02; done"
        let outcome = try fixture.play(
            Fixture.pod([
                Fixture.shell("a", "exit 2", ["env": variables]), Fixture.shell("b", waiting, ["env": variables]),
                Fixture.shell("c", waiting),
            ]))
        #expect(outcome.containers.map(\.exitCode) == [2, 9, 9])
    }

    @Test func killsWhatIsDeafToTermAfterTheGracePeriodButNotTheExecutor() throws {
        let fixture = try Fixture()
        try fixture.write("#!/bin/sh\ntrap '' TERM\nsleep 1.6\necho saved\n", to: "argoexec", mode: 0o755)
        let executor: JSONValue = .object(["name": "wait", "image": "executor:test", "command": ["argoexec", "wait"]])
        let outcome = try fixture.play(
            Fixture.pod(
                [executor, Fixture.shell("main", "true"), Fixture.shell("deaf", "trap '' TERM; while :; do sleep 0.1; done")],
                spec: ["terminationGracePeriodSeconds": 1]))
        #expect(outcome["deaf"]?.exitCode == 137)
        #expect(outcome["wait"]?.exitCode == 0)
        #expect(try fixture.log("wait") == "saved\n")
    }

    @Test func deliversATermThatCameBeforeTheHandler() throws {
        let fixture = try Fixture()
        // The handler is set up long after main has ended and SIGTERM was due.
        let late = "import signal,sys,time; time.sleep(0.4); signal.signal(15, lambda *a: sys.exit(4)); time.sleep(60)"
        let outcome = try fixture.play(
            Fixture.pod([
                Fixture.shell("main", "true"),
                .object(["name": "late", "image": "i", "command": ["python3", "-c", .string(late)]]),
            ]))
        #expect(outcome["late"]?.exitCode == 4)
    }

    @Test func endsAPodAtItsDeadline() throws {
        let fixture = try Fixture()
        let outcome = try fixture.play(
            Fixture.pod(
                [Fixture.shell("main", "trap 'exit 0' TERM; while :; do sleep 0.02; done")], spec: ["activeDeadlineSeconds": 1])
        )
        #expect(outcome.ending == .deadlineExceeded)
        #expect(!outcome.isSuccess)
        #expect(outcome["main"]?.exitCode == 0)
    }

    @Test func endsInitContainersAtTheDeadlineToo() throws {
        let fixture = try Fixture()
        let outcome = try fixture.play(
            Fixture.pod(
                [Fixture.shell("main", "true")], inits: [Fixture.shell("init", "sleep 60")],
                spec: ["activeDeadlineSeconds": 0, "terminationGracePeriodSeconds": 0]))
        #expect(outcome.ending == .deadlineExceeded)
        #expect(outcome["main"] == nil)
        #expect(outcome["init"]?.exitCode == 137)
    }

    // MARK: Stopping

    @Test func stopsGentlyAtTheFirstRequest() throws {
        let fixture = try Fixture()
        let stop = try PodStop()
        let outcome = try fixture.play(
            Fixture.pod([Fixture.shell("main", "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.02; done")]),
            stops: [stop],
            observer: { if case .line(_, let bytes) = $0, bytes == Array("ready".utf8) { stop.request() } })
        #expect(outcome.ending == .stopped)
        #expect(outcome["main"]?.exitCode == 3)
        #expect(try fixture.log("main") == "ready\nbye\n")
    }

    @Test func stopsAtOnceAtTheSecondRequestAndLeavesNothing() throws {
        let fixture = try Fixture()
        let stop = try PodStop()
        let marker = "argoexec-sandbox-\(UUID().uuidString)"
        // But for those that other tests make meanwhile, in folders of theirs.
        func mounts() throws -> [Substring] {
            let others = NSTemporaryDirectory()
            return try fixture.read("/proc/self/mounts").split(separator: "\n")
                .filter { !$0.contains(" \(others)") || $0.contains(fixture.folder.text) }
        }
        let mountsBefore = try mounts()
        // Deaf to SIGTERM, with children that left their session and their parent.
        let script = "trap '' TERM; setsid sh -c 'trap \"\" TERM; : \(marker); sleep 600' & echo ready; wait; sleep 600"
        let outcome = try fixture.play(
            Fixture.pod([Fixture.shell("main", script)], spec: ["terminationGracePeriodSeconds": 600]), stops: [stop],
            observer: {
                guard case .line = $0 else { return }
                stop.request()
                stop.request()
            })
        #expect(outcome.ending == .stopped)
        #expect(outcome["main"]?.exitCode == 137)
        #expect(try Processes.naming(marker) == [])
        #expect(try mounts() == mountsBefore)
    }

    @Test func aStopBeforeTheStartPlaysNothing() throws {
        let fixture = try Fixture()
        let stop = try PodStop()
        stop.request()
        let outcome = try fixture.play(
            Fixture.pod(
                [Fixture.shell("main", "true")], inits: [Fixture.shell("init", "sleep 60")],
                spec: ["terminationGracePeriodSeconds": 1]), stops: [stop])
        #expect(outcome.ending == .stopped)
        #expect(outcome["main"] == nil)
    }

    @Test func leavesNothingRunningWhenTheChildrenOutliveTheirParent() throws {
        let fixture = try Fixture()
        let marker = "argoexec-sandbox-\(UUID().uuidString)"
        #expect(try fixture.output(of: "setsid sh -c ': \(marker); sleep 600' >/dev/null 2>&1 & echo done") == "done\n")
        #expect(try Processes.naming(marker) == [])
    }

    // MARK: Sidecars

    @Test func keepsASidecarRunningBesideTheOthersAndRestartsIt() throws {
        let fixture = try Fixture()
        let mounts: JSONObject = ["volumeMounts": [Fixture.mount("v", "/v")], "restartPolicy": "Always"]
        let sidecar = Fixture.shell(
            "side",
            "echo run >> /v/runs; [ $(wc -l < /v/runs) = 2 ] || exit 1; trap 'echo over; exit 0' TERM; while :; do sleep 0.02; done",
            mounts)
        let main = Fixture.shell(
            "main", "while [ \"$(cat /v/runs 2>/dev/null | wc -l)\" != 2 ]; do sleep 0.02; done",
            ["volumeMounts": [Fixture.mount("v", "/v")]])
        let outcome = try fixture.play(
            Fixture.pod([main], inits: [sidecar], volumes: [["name": "v", "emptyDir": [:]]]))
        #expect(outcome.isSuccess, "\(outcome)")
        #expect(outcome["side"]?.role == .sidecar)
        #expect(try fixture.log("side").contains("over"))
    }

    // MARK: Messages and files

    @Test func takesTheTerminationMessage() throws {
        let fixture = try Fixture()
        let outcome = try fixture.play(
            Fixture.pod([
                Fixture.shell("main", "printf 'why it failed' > /dev/termination-log; exit 1"),
                Fixture.shell("other", "printf elsewhere > /tmp/m", ["terminationMessagePath": "/tmp/m"]),
                Fixture.shell(
                    "long", "yes 0123456789abcde | head -c 10000 > /dev/termination-log; printf END >> /dev/termination-log"),
                Fixture.shell("log", "echo first; echo last; exit 1", ["terminationMessagePolicy": "FallbackToLogsOnError"]),
                Fixture.shell("none", "echo first; exit 1"),
            ]))
        #expect(outcome["main"]?.message == "why it failed")
        #expect(outcome["other"]?.message == "elsewhere")
        #expect(outcome["long"]?.message.utf8.count == 4096)
        #expect(outcome["long"]?.message.hasSuffix("END") == true)
        #expect(outcome["log"]?.message == "first\nlast\n")
        #expect(outcome["none"]?.message == "")
        let status = try JSONValue(parsing: SmallFile.read(fixture.node.container("main").status))
        #expect(status["state"]?["terminated"]?["exitCode"] == 1)
        #expect(status["state"]?["terminated"]?["message"] == "why it failed")
    }

    @Test func namesAProgramThatIsMissing() throws {
        let fixture = try Fixture()
        let container: (String, JSONValue) -> JSONValue = { .object(["name": .string($0), "image": "i", "command": $1]) }
        let outcome = try fixture.play(
            Fixture.pod([
                container("a", ["no-such-program"]), container("b", ["/no/such/program"]), container("c", ["/etc/passwd"]),
                container("d", ["/tmp"]),
            ]))
        #expect(outcome.containers.map(\.exitCode) == [128, 128, 128, 128])
        #expect(outcome.containers.map(\.reason) == ["StartError", "StartError", "StartError", "StartError"])
        #expect(outcome["a"]?.message == "exec: \"no-such-program\": executable file not found in $PATH")
        #expect(outcome["b"]?.message == "exec: \"/no/such/program\": stat /no/such/program: no such file or directory")
        #expect(outcome["c"]?.message == "exec: \"/etc/passwd\": permission denied")
    }

    @Test func namesAProgramWhoseInterpreterIsMissing() throws {
        let fixture = try Fixture()
        try fixture.write("#!/no/such/interpreter\n", to: "folder/script", mode: 0o755)
        let outcome = try fixture.play(
            Fixture.pod(
                [
                    .object([
                        "name": "main", "image": "i", "command": ["/f/script"], "volumeMounts": [Fixture.mount("f", "/f")],
                    ])
                ], volumes: [["name": "f", "hostPath": ["path": .string(fixture.folder.appending("folder").text)]]]))
        #expect(outcome["main"]?.exitCode == 128)
        #expect(outcome["main"]?.reason == "StartError")
        #expect(outcome["main"]?.message.contains("No such file or directory") == true)
    }

    @Test func tellsWhatHappensAsItHappens() throws {
        let fixture = try Fixture()
        let record = EventRecord()
        try fixture.play(
            Fixture.pod(
                [Fixture.shell("main", "echo one; printf 'two\\nrest'")], inits: [Fixture.shell("init", "echo zero >&2")]),
            observer: record.take)
        #expect(
            record.all == [
                "started init", "init: zero", "ended init 0", "started main", "main: one", "main: two", "main: rest",
                "ended main 0",
            ])
        #expect(try fixture.log("main") == "one\ntwo\nrest")
    }

    @Test func keepsEverythingThatIsNeededToPlayAgain() throws {
        let fixture = try Fixture()
        let pod = Fixture.pod(
            [
                Fixture.shell(
                    "main", "[ ! -e /v/mark ] && echo $ID && touch /v/mark",
                    [
                        "volumeMounts": [Fixture.mount("v", "/v")],
                        "env": [["name": "ID", "valueFrom": ["fieldRef": ["fieldPath": "metadata.uid"]]]],
                    ])
            ], volumes: [["name": "v", "emptyDir": [:]]])
        #expect(try fixture.play(pod).isSuccess)
        let first = try fixture.log("main")
        let kept = try JSONValue(parsing: SmallFile.read(fixture.node.pod))
        // The same pod with the same id, and nothing left of the first time.
        #expect(try fixture.play(kept).isSuccess)
        #expect(try fixture.log("main") == first)
        #expect(first.count == 37)
        #expect(!fixture.exists(fixture.node.container("main").root))
    }

    @Test func keepsTheRootOfAFailedContainer() throws {
        let fixture = try Fixture()
        try fixture.play(Fixture.pod([Fixture.shell("main", "echo trace > /work.txt; exit 1")]))
        #expect(try fixture.read(fixture.node.container("main").root.appending("work.txt")) == "trace\n")
    }

    @Test func playsInFoldersOfAnyName() throws {
        for name: BytePath in [
            "with space", "new\nline", BytePath(bytes: [0x6C, 0xE4, 0x74]), "quote'\"$(x)", "-dash,colon:x",
        ] {
            let fixture = try Fixture(name: name)
            try fixture.write("content\n", to: "maps/c/a file")
            fixture.settings.objects = ObjectFolders(configMaps: fixture.folder.appending("maps"))
            let text = try fixture.output(
                of: "cat '/v/a file' ; pwd",
                [
                    "volumeMounts": [Fixture.mount("odd name", "/v")], "workingDir": "/tmp/ä b",
                ], volumes: [["name": "odd name", "configMap": ["name": "c"]]].map { $0 as JSONValue })
            #expect(text == "content\n/tmp/ä b\n")
        }
    }
}
