import Documents
import Foundation
import PodSandbox
import SandboxTestSupport
import SystemSupport
import Testing

private typealias Fixture = SandboxFixture

/// Containers by docker or podman, with a stand-in that writes down what it is asked and runs the command on this machine.
@Suite(.serialized) struct SandboxEngineTests {
    /// `run` notes its words and some variables, then does what the container would; `kill` ends that.
    private static let standIn = """
        #!/bin/sh
        here=$(dirname "$0")
        verb=$1; shift
        case $verb in
        run)
            for word; do printf '%s\\0' "$word"; done > "$here/run.$$"
            echo "[$FROM_MAP][$HOME][$PATH]" > "$here/env.$$"
            name=$3
            while [ $# -gt 0 ]; do
                case $1 in
                --mount) case $2 in *termination-log*) message=$(echo "$2" | sed 's/.*source=\\([^,]*\\),.*/\\1/');; esac; shift 2;;
                --entrypoint) entry=$2; shift 2;;
                --rm|--read-only|--privileged) shift;;
                --*) shift 2;;
                *) break;;
                esac
            done
            image=$1; shift
            [ "$image" != broken ] || { echo 'docker: Error response from daemon: no such image.' >&2; exit 125; }
            [ -z "$message" ] || printf 'said by the container' > "$message"
            [ -n "$entry" ] || { echo "image's own: $*"; exit 0; }
            if [ -e "$here/late" ]; then sleep 0.5; fi
            # The command's number is written before it begins, so that whoever hears of it can signal it.
            sh -c 'echo $$ > "$0"; exec "$@"' "$here/$name.pid" "$entry" "$@" &
            trap 'echo "client got TERM"; exit 125' TERM
            wait $!; exit $?;;
        kill) kill "-$2" "$(cat "$here/$3.pid")" && echo "$2 $3" >> "$here/killed";;
        esac
        """

    private func fixture() throws -> (SandboxFixture, words: () throws -> [[String]]) {
        let base = BytePath(NSTemporaryDirectory()).appending(BytePath("engine-\(UUID().uuidString)"))
        _ = try runShell("mkdir -p \"$1\"", [base])
        try SmallFile.write(base.appending("docker"), Array(Self.standIn.utf8), mode: 0o755)
        let fixture = try Fixture(runtime: .engine(ContainerEngine(base.appending("docker").text)))
        return (
            fixture,
            {
                try FileManager.default.contentsOfDirectory(atPath: base.text).filter { $0.hasPrefix("run.") }
                    .sorted { Int($0.dropFirst(4))! < Int($1.dropFirst(4))! }.map {
                        try fixture.read(base.appending(BytePath($0))).split(separator: "\0", omittingEmptySubsequences: false)
                            .dropLast().map(String.init)
                    }
            }
        )
    }

    /// The words that follow an option, each time it occurs.
    private func values(_ option: String, _ words: [String]) -> [String] {
        words.indices.filter { words[$0] == option }.map { words[$0 + 1] }
    }

    @Test func buildsTheEnginesCommandLine() throws {
        let (fixture, words) = try fixture()
        try fixture.write("from map", to: "maps/config/KEY")
        fixture.settings.objects = ObjectFolders(configMaps: fixture.folder.appending("maps"))
        let pod = Fixture.pod(
            [
                Fixture.shell(
                    "main", "echo from the container",
                    [
                        "image": "alpine:3", "workingDir": "/work",
                        "env": [
                            ["name": "FROM_MAP", "valueFrom": ["configMapKeyRef": ["name": "config", "key": "KEY"]]],
                            ["name": "HOME", "value": "/home/in side"],
                        ],
                        "volumeMounts": [
                            Fixture.mount("v", "/v"), Fixture.mount("v", "/odd,\"name", ["readOnly": true, "subPath": "a,b"]),
                        ],
                        "securityContext": [
                            "runAsUser": 5, "runAsGroup": 6, "readOnlyRootFilesystem": true,
                            "capabilities": ["drop": ["ALL"], "add": ["NET_ADMIN"]],
                        ],
                    ])
            ], volumes: [["name": "v", "emptyDir": [:]]], spec: ["securityContext": ["supplementalGroups": [7]]])
        let outcome = try fixture.play(pod)
        #expect(outcome.isSuccess, "\(outcome)")
        #expect(outcome["main"]?.message == "said by the container")
        #expect(try fixture.log("main") == "from the container\n")
        let line = try #require(try words().first)
        #expect(line[0] == "--rm")
        #expect(values("--label", line)[0].hasPrefix("argoexec.pod=") && values("--label", line)[0].hasSuffix("/node"))
        #expect(values("--name", line)[0].hasPrefix("argoexec-"))
        #expect(values("--network", line) == ["host"])
        #expect(values("--user", line) == ["5:6"])
        #expect(values("--group-add", line) == ["7"])
        #expect(values("--workdir", line) == ["/work"])
        #expect(line.contains("--read-only"))
        #expect(values("--cap-drop", line) == ["ALL"])
        #expect(values("--cap-add", line) == ["NET_ADMIN"])
        #expect(values("--entrypoint", line) == ["sh"])
        #expect(Array(line.suffix(3)) == ["alpine:3", "-c", "echo from the container"])
        let node = try #require(realpath(fixture.node.path.text, nil).map { String(cString: $0) })
        #expect(
            values("--mount", line) == [
                "type=bind,source=\(node)/volumes/v,target=/v",
                "type=bind,\"source=\(node)/volumes/v/a,b\",\"target=/odd,\"\"name\",readonly",
                "type=bind,source=\(node)/ctr/main/termination-log,target=/dev/termination-log",
            ])
        // What steers the client goes on the command line, all else by name through its environment.
        #expect(Set(values("--env", line)) == ["FROM_MAP", "HOME=/home/in side", "HOSTNAME"])
        let environment = try runShell("cat \"$(dirname \"$1\")\"/env.*", [enginePath(fixture)])
        #expect(environment.hasPrefix("[from map][\(ProcessInfo.processInfo.environment["HOME"] ?? "")]["))
    }

    private func enginePath(_ fixture: SandboxFixture) -> BytePath {
        guard case .engine(let engine) = fixture.settings.runtime else { return "" }
        return engine.program
    }

    @Test func leavesToTheImageWhatThePodLeavesOut() throws {
        let (fixture, words) = try fixture()
        #expect(try fixture.play(Fixture.pod([["name": "main", "image": "tool:1", "args": ["--help"]]])).isSuccess)
        #expect(try fixture.log("main") == "image's own: --help\n")
        #expect(try fixture.play(Fixture.pod([["name": "main", "image": "tool:2"]])).isSuccess)
        #expect(try fixture.log("main") == "image's own: \n")
        for line in try words() {
            #expect(!line.contains("--entrypoint") && !line.contains("--user") && !line.contains("--workdir"))
        }
        let pod = Fixture.pod([["name": "main", "image": "tool:1"]])
        #expect(try fixture.player().preflight([pod]).isEmpty)
    }

    /// A container that the engine does not know yet cannot be told to end: it is told when it is there.
    @Test func waitsForAContainerThatIsBeingStarted() throws {
        let (fixture, _) = try fixture()
        let folder = enginePath(fixture).directory
        try SmallFile.write(folder.appending("late"), [])
        let stop = try PodStop()
        let script = "trap 'exit 6' TERM; echo ready; while :; do sleep 0.02; done"
        let outcome = try fixture.play(
            Fixture.pod([Fixture.shell("main", script)], spec: ["terminationGracePeriodSeconds": 600]), stops: [stop],
            observer: { if case .started = $0 { stop.request() } })
        // By its own handler, or before it had one: not by the end of its grace period.
        #expect([6, 143].contains(outcome["main"]?.exitCode))
    }

    @Test func givesItsExecutorToContainersOfTheExecutorsImage() throws {
        let (fixture, words) = try fixture()
        try fixture.play(
            Fixture.pod(
                [Fixture.shell("main", "true")], inits: [["name": "init", "image": "executor:test", "command": ["true"]]]))
        let lines = try words()
        let program = try #require(realpath(fixture.folder.appending("argoexec").text, nil).map { String(cString: $0) })
        #expect(values("--mount", lines[0]).contains("type=bind,source=\(program),target=/.argoexec/bin/argoexec,readonly"))
        #expect(values("--env", lines[0]).contains { $0.hasPrefix("PATH=/.argoexec/bin:") })
        #expect(!values("--mount", lines[1]).contains { $0.contains("/.argoexec") })
        #expect(!values("--env", lines[1]).contains { $0.hasPrefix("PATH") })
    }

    @Test func tellsAnEngineThatFailsFromACommandThatFails() throws {
        let (fixture, _) = try fixture()
        #expect(try fixture.play(Fixture.pod([Fixture.shell("main", "exit 3")]))["main"]?.exitCode == 3)
        let broken = try fixture.play(Fixture.pod([Fixture.shell("main", "true", ["image": "broken"])]))["main"]
        #expect(broken?.exitCode == 128)
        #expect(broken?.reason == "StartError")
        #expect(broken?.message == "docker: Error response from daemon: no such image.")
    }

    @Test func passesTermOnByTheContainersName() throws {
        let (fixture, _) = try fixture()
        let ready = enginePath(fixture).directory.appending("ready")
        let outcome = try fixture.play(
            Fixture.pod([
                Fixture.shell("main", "until [ -e \(ready) ]; do sleep 0.02; done"),
                Fixture.shell("side", "trap 'exit 5' TERM; : > \(ready); while :; do sleep 0.02; done"),
            ]))
        #expect(outcome["side"]?.exitCode == 5)
        #expect(try fixture.log("side").isEmpty)
    }

    @Test func stopsAndKillsContainersByName() throws {
        let (fixture, words) = try fixture()
        let stop = try PodStop()
        let script = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
        let outcome = try fixture.play(
            Fixture.pod([Fixture.shell("main", script)], spec: ["terminationGracePeriodSeconds": 600]), stops: [stop],
            observer: {
                guard case .line = $0 else { return }
                stop.request()
                stop.request()
            })
        #expect(outcome.ending == .stopped)
        #expect(outcome["main"]?.exitCode == 137)
        let killed = try runShell("cat \"$(dirname \"$1\")/killed\"", [enginePath(fixture)])
        let name = values("--name", try words()[0])[0]
        // Asked twice at once, it need not be asked gently first.
        #expect(killed.hasSuffix("9 \(name)\n"), "\(killed)")
    }

    @Test func namesAnEngineThatIsMissing() throws {
        do {
            _ = try ContainerEngine("no-such-engine")
            Issue.record("an engine was found")
        } catch { #expect(error.message.contains("the engine 'no-such-engine' is not installed")) }
    }
}
