import Documents
import Foundation
import PodSandbox
import SandboxTestSupport
import SystemSupport
import Testing

private typealias Fixture = SandboxFixture

/// Volumes as containers see them.
@Suite(.serialized, .enabled(if: SandboxFixture.isUsable, "bubblewrap does not work on this machine"))
struct SandboxVolumeTests {
    private func fixture() throws -> SandboxFixture {
        let fixture = try Fixture()
        try fixture.write("user", to: "secrets/login/name")
        try fixture.write("word\n", to: "secrets/login/password")
        try fixture.write("[settings]", to: "maps/config/app.ini")
        try fixture.write("two", to: "maps/config/second")
        fixture.settings.objects = ObjectFolders(
            secrets: fixture.folder.appending("secrets"), configMaps: fixture.folder.appending("maps"))
        return fixture
    }

    @Test func sharesAnEmptyDirectoryThatEverybodyMayWrite() throws {
        let fixture = try fixture()
        let mounts: JSONObject = ["volumeMounts": [Fixture.mount("v", "/deep/in/here")]]
        let outcome = try fixture.play(
            Fixture.pod(
                [Fixture.shell("main", "cat /deep/in/here/x; stat -c %a /deep/in/here /deep /deep/in", mounts)],
                inits: [Fixture.shell("init", "echo from init > /deep/in/here/x", mounts)],
                volumes: [["name": "v", "emptyDir": ["medium": "Memory"]]]))
        #expect(outcome.isSuccess)
        #expect(try fixture.log("main") == "from init\n777\n755\n755\n")
    }

    @Test func showsSecretsAndConfigMapsAsReadOnlyFiles() throws {
        let fixture = try fixture()
        let text = try fixture.output(
            of: "cat /s/password; stat -L -c %a /s/password; cat /c/*; (echo x > /s/name) 2>&1 | grep -o 'Read-only'; ls /c",
            ["volumeMounts": [Fixture.mount("s", "/s"), Fixture.mount("c", "/c")]],
            volumes: [
                ["name": "s", "secret": ["secretName": "login", "defaultMode": 288]],
                ["name": "c", "configMap": ["name": "config"]],
            ])
        #expect(text == "word\n440\n[settings]twoRead-only\napp.ini\nsecond\n")
    }

    @Test func obeysItemsWithPathsAndModes() throws {
        let fixture = try fixture()
        let text = try fixture.output(
            of: "cd /s; find . -type f | sort; stat -c %a a/b/pass; cat a/b/pass",
            ["volumeMounts": [Fixture.mount("s", "/s")]],
            volumes: [
                [
                    "name": "s",
                    "secret": ["secretName": "login", "items": [["key": "password", "path": "a/b/pass", "mode": 256]]],
                ]
            ])
        #expect(text == "./a/b/pass\n400\nword\n")
    }

    @Test func projectsSeveralSourcesIntoOneVolume() throws {
        let fixture = try fixture()
        let sources: JSONValue = [
            ["secret": ["name": "login", "items": [["key": "name", "path": "user"]]]],
            ["configMap": ["name": "config", "items": [["key": "second", "path": "user2"]]]],
            [
                "downwardAPI": [
                    "items": [
                        ["path": "labels", "fieldRef": ["fieldPath": "metadata.labels"]],
                        [
                            "path": "cpu",
                            "resourceFieldRef": ["containerName": "main", "resource": "limits.cpu", "divisor": "1m"],
                        ],
                    ]
                ]
            ], ["serviceAccountToken": ["path": "token"]],
            ["configMap": ["name": "kube-root-ca.crt", "items": [["key": "ca.crt", "path": "ca"]]]],
        ]
        let pod = Fixture.pod(
            [
                Fixture.shell(
                    "main", "cd /p; ls; cat user user2 cpu; echo; cat labels",
                    ["volumeMounts": [Fixture.mount("p", "/p")], "resources": ["limits": ["cpu": "1500m"]]])
            ], volumes: [["name": "p", "projected": ["sources": sources]]],
            metadata: ["labels": ["b": "two \"quoted\"", "a": "one"]])
        #expect(try fixture.play(pod).isSuccess)
        #expect(try fixture.log("main") == "cpu\nlabels\nuser\nuser2\nusertwo1500\na=\"one\"\nb=\"two \\\"quoted\\\"\"")
        let notes = try fixture.player().preflight([pod]).filter { $0.severity == .note }.map(\.message)
        #expect(notes.contains { $0.contains("serviceAccountToken exists only in a cluster") })
    }

    @Test func removesSecretsFromTheKeptFolder() throws {
        let fixture = try fixture()
        try fixture.play(
            Fixture.pod(
                [Fixture.shell("main", "cat /s/name; exit 1", ["volumeMounts": [Fixture.mount("s", "/s")]])],
                volumes: [["name": "s", "secret": ["secretName": "login"]]]))
        #expect(try fixture.log("main") == "user")
        #expect(!fixture.exists(fixture.node.volume("s")))
        #expect(try runShell("find \"$1\" -name password", [fixture.node.path]) == "")
    }

    @Test func keepsClaimsBetweenPods() throws {
        let fixture = try fixture()
        fixture.settings.claimFolders = ["work": fixture.folder.appending("run/work")]
        let volumes: [JSONValue] = [
            ["name": "a", "persistentVolumeClaim": ["claimName": "data"]],
            ["name": "b", "persistentVolumeClaim": ["claimName": "work"]],
        ]
        let mounts: JSONObject = ["volumeMounts": [Fixture.mount("a", "/a"), Fixture.mount("b", "/b")]]
        _ = try fixture.output(of: "echo kept > /a/x; echo too > /b/x", mounts, volumes: volumes)
        #expect(try fixture.output(of: "cat /a/x /b/x", mounts, volumes: volumes) == "kept\ntoo\n")
        #expect(try fixture.read(fixture.folder.appending("claims/data/x")) == "kept\n")
        #expect(try fixture.read(fixture.folder.appending("run/work/x")) == "too\n")
    }

    @Test func mountsHostPathsAndRefusesAbsentOnes() throws {
        let fixture = try fixture()
        try fixture.write("host", to: "host/file")
        let volume: (String, String) -> JSONValue = {
            ["name": "h", "hostPath": ["path": .string(fixture.folder.appending(BytePath($0)).text), "type": .string($1)]]
        }
        let mounts: JSONObject = ["volumeMounts": [Fixture.mount("h", "/h")]]
        #expect(try fixture.output(of: "cat /h/file; echo new > /h/new", mounts, volumes: [volume("host", "")]) == "host")
        #expect(try fixture.read(fixture.folder.appending("host/new")) == "new\n")
        #expect(try fixture.output(of: "cat /h", mounts, volumes: [volume("host/file", "File")]) == "host")
        #expect(try fixture.output(of: "ls /h", mounts, volumes: [volume("made", "DirectoryOrCreate")]) == "")
        for (path, type, cause) in [
            ("absent", "", "this machine has no"), ("host", "File", "is a directory, not of type File"),
            ("host", "Strange", "host paths have no type 'Strange'"),
        ] {
            let pod = Fixture.pod([Fixture.shell("main", "true", mounts)], volumes: [volume(path, type)])
            let refusals = try fixture.player().preflight([pod]).filter { $0.severity == .error }.map(\.message)
            #expect(refusals.count == 1 && refusals[0].contains(cause), "\(refusals)")
            #expect(throws: ExecutorError.self) { try fixture.play(pod) }
        }
        #expect(!fixture.exists(fixture.folder.appending("absent")))
    }

    @Test func mountsPartsOfVolumes() throws {
        let fixture = try fixture()
        let init0 = Fixture.shell(
            "init", "mkdir -p /v/a; echo one > /v/a/file; ln -s a /v/link",
            ["volumeMounts": [Fixture.mount("v", "/v")]])
        let main = Fixture.shell(
            "main", "cat /one /two/file; ls -d /three; touch /three/x; ls /pod-main; stat -c %a /three",
            [
                "env": [["name": "ID", "value": "main"]],
                "volumeMounts": [
                    Fixture.mount("v", "/one", ["subPath": "a/file"]), Fixture.mount("v", "/two", ["subPath": "link"]),
                    Fixture.mount("v", "/three", ["subPath": "new/folder"]),
                    Fixture.mount("v", "/pod-main", ["subPathExpr": "by-$(ID)"]),
                ],
            ])
        let outcome = try fixture.play(Fixture.pod([main], inits: [init0], volumes: [["name": "v", "emptyDir": [:]]]))
        #expect(outcome.isSuccess, "\(outcome)")
        #expect(try fixture.log("main") == "one\none\n/three\n777\n")
        let volume = fixture.node.volume("v")
        #expect(fixture.exists(volume.appending("new/folder/x")))
        #expect(fixture.exists(volume.appending("by-main")))
    }

    @Test func linksInVolumesDoNotLeadOutOfThem() throws {
        let fixture = try fixture()
        let initial = Fixture.shell(
            "init", "ln -s /etc /v/out; ln -s ../../.. /v/up", ["volumeMounts": [Fixture.mount("v", "/v")]])
        let play = { (link: String) in
            let main = Fixture.shell(
                "main", "ls /part", ["volumeMounts": [Fixture.mount("v", "/part", ["subPath": .string(link)])]])
            return try fixture.play(Fixture.pod([main], inits: [initial], volumes: [["name": "v", "emptyDir": [:]]]))
        }
        #expect(try play("out")["main"]?.reason == "StartError")
        #expect(try play("up")["main"]?.exitCode == 0)
        #expect(try fixture.log("main") == "out\nup\n")
    }

    @Test func refusesSubPathsThatLeadOut() throws {
        let fixture = try fixture()
        for more: JSONObject in [
            ["subPath": "../x"], ["subPath": "/etc"], ["subPath": "a/../../x"], ["subPathExpr": "$(NOBODY)"],
        ] {
            let pod = Fixture.pod(
                [Fixture.shell("main", "true", ["volumeMounts": [Fixture.mount("v", "/v", more)]])],
                volumes: [["name": "v", "emptyDir": [:]]])
            #expect(try fixture.player().preflight([pod]).contains { $0.severity == .error })
            #expect(try fixture.play(pod)["main"]?.reason == "StartError")
        }
    }

    @Test func mountsReadOnlyAndOneVolumeInsideAnother() throws {
        let fixture = try fixture()
        let text = try fixture.output(
            of:
                "touch /v/inner/x; ls /v /v/inner; touch /v/y 2>&1 | grep -o 'Read-only file system'; touch /w/ok && echo writable",
            [
                "volumeMounts": [
                    Fixture.mount("w", "/v/inner"), Fixture.mount("v", "/v", ["readOnly": true]), Fixture.mount("w", "/w"),
                ]
            ],
            volumes: [
                ["name": "v", "hostPath": ["path": .string(try readOnlyBase(fixture).text)]], ["name": "w", "emptyDir": [:]],
            ])
        #expect(text == "/v:\ninner\n\n/v/inner:\nx\nRead-only file system\nwritable\n")
    }

    private func readOnlyBase(_ fixture: SandboxFixture) throws -> BytePath {
        let base = fixture.folder.appending("base")
        try fixture.make(base.appending("inner"))
        return base
    }

    @Test func givesContainersOfTheExecutorTheProgramAndWhatIsAttached() throws {
        let fixture = try fixture()
        try fixture.write("object", to: "store/key")
        fixture.settings.executorAttachment = ExecutorAttachment(
            mounts: [HostMount(source: fixture.folder.appending("store"), path: "/store", isReadOnly: true)],
            environment: [("STORE", "/store")])
        let attachment = ExecutorAttachment(
            mounts: [HostMount(source: fixture.folder, path: "/report")], environment: [("REPORT", "/report/taskresult.json")])
        let executor: JSONValue = .object([
            "name": "init", "image": "executor:test",
            "command": ["sh", "-c", "argoexec init; echo $PATH; cat $STORE/key; echo '{}' > $REPORT; ls /argo-bin/bin"],
            "env": [["name": "STORE", "value": "pod's own"]],
            "volumeMounts": [Fixture.mount("bin", "/argo-bin", ["readOnly": true])],
        ])
        let outcome = try fixture.play(
            Fixture.pod(
                [Fixture.shell("main", "[ -z \"$STORE$REPORT\" ] && [ ! -e /store ] && ! command -v argoexec")],
                inits: [executor],
                volumes: [["name": "bin", "image": ["reference": "executor:test"]]]), attachment: attachment)
        #expect(outcome.isSuccess, "\(outcome)")
        let lines = try fixture.log("init").split(separator: "\n").map(String.init)
        #expect(lines.first == "this is the executor: init")
        #expect(lines[1].hasPrefix("/.argoexec/bin:"))
        #expect(lines[2] == "objectargoexec")
        #expect(try fixture.read(fixture.folder.appending("taskresult.json")) == "{}\n")
    }

    @Test func mountsInsideTheMachinesOwnFolders() throws {
        let fixture = try fixture()
        let text = try fixture.output(
            of:
                "ls /usr/local/new /opt/data/in; touch /opt/data/in/x /usr/local/new/y; command -v env; ls -d /usr/local/bin /usr/lib; cat /etc/app/app.ini",
            [
                "volumeMounts": [
                    Fixture.mount("v", "/usr/local/new"), Fixture.mount("v", "/opt/data/in"), Fixture.mount("c", "/etc/app"),
                ]
            ], volumes: [["name": "v", "emptyDir": [:]], ["name": "c", "configMap": ["name": "config"]]])
        #expect(
            text.hasPrefix("/opt/data/in:\n\n/usr/local/new:\n/usr/bin/env\n/usr/lib\n/usr/local/bin\n[settings]"), "\(text)")
        let crowded = Fixture.pod(
            [Fixture.shell("main", "true", ["volumeMounts": [Fixture.mount("v", "/usr/bin/new-place")]])],
            volumes: [["name": "v", "emptyDir": [:]]])
        let outcome = try fixture.play(crowded)
        #expect(outcome["main"]?.reason == "StartError")
        #expect(outcome["main"]?.message.contains("--image") == true)
    }

    @Test func givesVolumesToTheGroupThatIsAskedFor() throws {
        guard SandboxFixture.isRoot else { return }
        let fixture = try fixture()
        let text = try fixture.output(
            of: "id -G; touch /v/x; stat -c '%g %a' /v /s/name; stat -c %g /v/x; cat /s/name",
            ["securityContext": ["runAsUser": 1234], "volumeMounts": [Fixture.mount("v", "/v"), Fixture.mount("s", "/s")]],
            volumes: [["name": "v", "emptyDir": [:]], ["name": "s", "secret": ["secretName": "login", "defaultMode": 256]]],
            spec: ["securityContext": ["fsGroup": 4321]])
        #expect(text == "0 4321\n4321 2777\n4321 440\n4321\nuser")
    }
}
