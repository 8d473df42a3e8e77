import Documents
import Foundation
import PodSandbox
import SandboxTestSupport
import SystemSupport
import Testing

private typealias Fixture = SandboxFixture

/// What containers see of this machine, and as whom.
@Suite(.serialized, .enabled(if: SandboxFixture.isUsable, "bubblewrap does not work on this machine"))
struct SandboxRootTests {
    @Test func hasNamespacesOfItsOwn() throws {
        let fixture = try Fixture()
        let text = try fixture.output(
            of: "for n in mnt pid ipc uts net; do readlink /proc/self/ns/$n; done; hostname; ls /proc | grep -c '^[0-9]'")
        let lines = text.split(separator: "\n").map(String.init)
        let ours = try ["mnt", "pid", "ipc", "uts", "net"].map {
            try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/\($0)")
        }
        for index in 0..<4 { #expect(lines[index] != ours[index]) }
        #expect(lines[4] == ours[4])
        #expect(lines[5] == "test-pod")
        #expect(Int(lines[6])! < 5)
    }

    @Test func showsTheMachinesProgramsReadOnlyAndNothingPrivate() throws {
        let fixture = try Fixture()
        try fixture.write("private", to: "file-of-the-run")
        let script = """
            ls -A / | tr '\\n' ' '; echo
            for f in /etc/shadow /etc/gshadow /etc/sudoers /etc/ssh /etc/ssl/private \(fixture.folder); do
                [ ! -e "$f" ] || echo "visible: $f"
            done
            ls -A /run /home /root /mnt /srv /var/run/ | grep -v -e '^$' -e : -e lock
            find / -xdev -type s 2>/dev/null
            touch /usr/x 2>&1 | grep -q Read-only && echo read-only
            touch /x /etc/x /var/x /tmp/x /var/tmp/x /run/x && echo writable
            grep -c . /etc/passwd | grep -qv '^0$' && getent hosts localhost >/dev/null && getent hosts test-pod >/dev/null && echo names
            stat -c %a /tmp /var/tmp / /root
            """
        let text = try fixture.output(of: script)
        let lines = text.split(separator: "\n").map(String.init)
        #expect(!lines[0].contains("work ") && lines[0].contains("usr"))
        #expect(Array(lines.dropFirst()) == ["read-only", "writable", "names", "1777", "1777", "755", "700"], "\(text)")
    }

    @Test func startsEachContainerWithARootAndTmpOfItsOwn() throws {
        let fixture = try Fixture()
        let script = "[ ! -e /tmp/mine ] && [ ! -e /mine ] && touch /tmp/mine /mine && echo first"
        let outcome = try fixture.play(
            Fixture.pod([Fixture.shell("a", script), Fixture.shell("b", script)], inits: [Fixture.shell("i", script)]))
        #expect(outcome.isSuccess, "\(outcome)")
        #expect(try fixture.output(of: script) == "first\n")
    }

    @Test func canBeReadOnly() throws {
        let fixture = try Fixture()
        let text = try fixture.output(
            of:
                "for p in /x /tmp/x /etc/x; do touch $p 2>&1 | grep -c Read-only; done; touch /v/x && echo ok; echo m > /dev/termination-log && echo ok; echo x > /dev/null && echo ok",
            ["securityContext": ["readOnlyRootFilesystem": true], "volumeMounts": [Fixture.mount("v", "/v")]],
            volumes: [["name": "v", "emptyDir": [:]]])
        #expect(text == "1\n1\n1\nok\nok\nok\n")
    }

    @Test func makesTheWorkingDirectory() throws {
        let fixture = try Fixture()
        #expect(try fixture.output(of: "pwd; touch x", ["workingDir": "/src/deep/er"]) == "/src/deep/er\n")
        #expect(try fixture.output(of: "pwd", ["workingDir": "/usr/share"]) == "/usr/share\n")
        #expect(try fixture.output(of: "pwd", ["workingDir": "relative"]) == "/relative\n")
        #expect(
            try fixture.output(
                of: "pwd; ls /v", ["workingDir": "/v/in", "volumeMounts": [Fixture.mount("v", "/v")]],
                volumes: [["name": "v", "emptyDir": [:]]]) == "/v/in\nin\n")
        #expect(try fixture.output(of: "pwd; command -v python3 >/dev/null; echo $PWD") == "/\n/\n")
    }

    @Test func hasDevicesButNoTerminalAndNoDescriptorsOfOurs() throws {
        let fixture = try Fixture()
        let text = try fixture.output(
            of:
                "ls /proc/self/fd | wc -l; (: < /dev/tty) 2>/dev/null || echo no terminal; head -c 4 /dev/urandom | wc -c; ls -d /dev/shm /dev/stdout; cat"
        )
        // 0, 1, 2 and the one that lists.
        #expect(text == "4\nno terminal\n4\n/dev/shm\n/dev/stdout\n")
    }

    @Test func startsWithNoSignalsBlockedOrIgnored() throws {
        let fixture = try Fixture()
        let text = try fixture.output(of: "grep -E 'Sig(Blk|Ign)' /proc/self/status")
        #expect(text == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n")
    }

    @Test func obeysHostAliases() throws {
        let fixture = try Fixture()
        let aliases: JSONValue = [["ip": "10.1.2.3", "hostnames": ["one.test", "two.test"]]]
        #expect(
            try fixture.output(of: "getent hosts two.test | tr -s ' '", spec: ["hostAliases": aliases])
                .hasPrefix("10.1.2.3 "))
    }

    // MARK: Users

    @Test(.enabled(if: SandboxFixture.isRoot, "needs root")) func runsAsRootWithAContainersUsualRights() throws {
        let fixture = try Fixture()
        let text = try fixture.output(
            of: "id -u; grep CapEff /proc/self/status; echo $HOME; chown 5:6 /tmp && stat -c %u:%g /tmp")
        #expect(text == "0\nCapEff:\t00000000a80425fb\n/root\n5:6\n")
        let dropped = try fixture.output(
            of: "grep CapEff /proc/self/status",
            ["securityContext": ["capabilities": ["drop": ["ALL"], "add": ["NET_BIND_SERVICE", "CAP_CHOWN"]]]])
        #expect(dropped == "CapEff:\t0000000000000401\n")
    }

    @Test func cannotChangeTheMachinesSettings() throws {
        let fixture = try Fixture()
        let text = try fixture.output(
            of:
                "for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/domainname /proc/sysrq-trigger; do (echo x > $f) 2>/dev/null && echo $f; done; cat /proc/sys/kernel/hostname"
        )
        #expect(text == "test-pod\n")
    }

    @Test(.enabled(if: SandboxFixture.isRoot, "needs root")) func runsAsTheUserThatIsAskedFor() throws {
        let fixture = try Fixture()
        let text = try fixture.output(
            of:
                "id -u; id -g; id -G; grep CapEff /proc/self/status; cat /proc/self/uid_map | tr -s ' '; touch /tmp/x /v/x; touch /x 2>/dev/null || echo no; echo $HOME; echo $$$$",
            [
                "securityContext": ["runAsUser": 1234, "runAsGroup": 55], "volumeMounts": [Fixture.mount("v", "/v")],
            ], volumes: [["name": "v", "emptyDir": [:]]],
            spec: ["securityContext": ["runAsUser": 99, "supplementalGroups": [77, 88]]])
        #expect(text == "1234\n55\n55 77 88\nCapEff:\t0000000000000000\n 0 0 4294967295\nno\n/\n1\n", "\(text)")
        let owner = try runShell("stat -c %u \"$1\"", [fixture.node.volume("v").appending("x")])
        #expect(owner == "1234\n")
    }

    @Test(.enabled(if: SandboxFixture.isRoot, "needs root")) func refusesRootWhereItIsForbidden() throws {
        let fixture = try Fixture()
        let outcome = try fixture.play(
            Fixture.pod([Fixture.shell("main", "true")], spec: ["securityContext": ["runAsNonRoot": true]]))
        #expect(outcome["main"]?.reason == "StartError")
        #expect(outcome["main"]?.message.contains("runAsNonRoot") == true)
    }

    @Test(.enabled(if: SandboxFixture.isRoot, "needs root")) func anotherUserDiesWithThePlayerToo() throws {
        let fixture = try Fixture()
        let stop = try PodStop()
        let outcome = try fixture.play(
            Fixture.pod(
                [Fixture.shell("main", "echo ready; exec sleep 600", ["securityContext": ["runAsUser": 1234]])],
                spec: ["terminationGracePeriodSeconds": 600]), stops: [stop],
            observer: {
                guard case .line = $0 else { return }
                stop.request()
                stop.request()
            })
        #expect(outcome["main"]?.exitCode == 137)
    }

    // MARK: Preflight

    @Test func warnsOfFieldsThatHaveNoEffect() throws {
        let fixture = try Fixture()
        let pod = Fixture.pod(
            [
                Fixture.shell(
                    "main", "true",
                    [
                        "resources": ["limits": ["cpu": "1"]], "tty": true, "lifecycle": ["preStop": ["sleep": ["seconds": 1]]],
                        "readinessProbe": ["exec": ["command": ["true"]]], "stdin": false, "imagePullPolicy": "Always",
                        "securityContext": ["seccompProfile": ["type": "RuntimeDefault"], "allowPrivilegeEscalation": false],
                    ])
            ], volumes: [["name": "v", "emptyDir": ["sizeLimit": "1Mi"]]],
            spec: ["nodeSelector": ["a": "b"], "shareProcessNamespace": true, "tolerations": [], "restartPolicy": "Never"])
        let warnings = try fixture.player().preflight([pod]).filter { $0.severity == .warning }.map {
            "\($0.subject) \($0.text.prefix { $0 != " " })"
        }
        #expect(
            Set(warnings) == [
                " spec.nodeSelector", " spec.shareProcessNamespace", "volume 'v' emptyDir.sizeLimit",
                "container 'main' resources", "container 'main' tty", "container 'main' lifecycle",
                "container 'main' readinessProbe",
                "container 'main' securityContext.seccompProfile",
            ])
    }

    @Test func refusesPodsThatMakeNoSense() throws {
        let fixture = try Fixture()
        let refusals: (JSONValue) throws -> [String] = { pod in
            try fixture.player().preflight([pod]).filter { $0.severity == .error }.map(\.text)
        }
        #expect(try refusals(["kind": "Pod"]) == ["read a pod: metadata or spec is missing"])
        #expect(try refusals(Fixture.pod([])) == ["it has no containers"])
        for name in ["", "..", "a/b", "a\u{0}b"] {
            let pod = Fixture.pod([Fixture.shell(name, "true")])
            #expect(try refusals(pod) == ["its name is missing or invalid"])
            #expect(throws: Finding.self) { try fixture.play(pod) }
        }
        #expect(
            try refusals(Fixture.pod([Fixture.shell("a", "true"), Fixture.shell("a", "true")])) == [
                "there are two of this name"
            ])
        #expect(
            try refusals(
                Fixture.pod([Fixture.shell("a", "true")], volumes: [["name": "n", "nfs": ["server": "s", "path": "/"]]]))
                == ["volumes of kind nfs do not exist in a local run"])
        #expect(
            try refusals(Fixture.pod([["name": "a", "image": "alpine:3"]])).first?.contains("it names no command") == true)
        #expect(
            try refusals(Fixture.pod([Fixture.shell("a", "true", ["securityContext": ["capabilities": ["add": ["FLY"]]]])]))
                == ["there is no capability FLY"])
        #expect(
            try refusals(Fixture.pod([Fixture.shell("a", "echo \u{0}")])) == ["an argument of the command contains a NUL byte"])
    }

    @Test func saysOnceWhichImagesTheMachineStandsInFor() throws {
        let fixture = try Fixture()
        let pods = (0..<3).map { _ in
            Fixture.pod([Fixture.shell("main", "true"), Fixture.shell("other", "true", ["image": "b:2"])])
        }
        let notes = try fixture.player().preflight(pods).filter { $0.severity == .note }.map(\.message)
        #expect(notes.count == 1)
        #expect(notes.first?.contains("stand in for b:2, some/image:1;") == true)
    }
}
