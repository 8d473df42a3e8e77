import Documents
import Foundation
import PodSandbox
import SandboxTestSupport
import SystemSupport
import Testing

private typealias Fixture = SandboxFixture

/// What commands find in their environment, and how it is put into their words.
@Suite(.serialized, .enabled(if: SandboxFixture.isUsable, "bubblewrap does not work on this machine"))
struct SandboxEnvironmentTests {
    private func fixture() throws -> SandboxFixture {
        let fixture = try Fixture()
        try fixture.write("user", to: "secrets/login/name")
        try fixture.write("line one\nline two", to: "secrets/login/text")
        try fixture.write("plain", to: "maps/config/KEY")
        try fixture.write("other", to: "maps/config/second.key")
        fixture.settings.objects = ObjectFolders(
            secrets: fixture.folder.appending("secrets"), configMaps: fixture.folder.appending("maps"))
        return fixture
    }

    private func variable(_ name: String, _ value: String) -> JSONValue { ["name": .string(name), "value": .string(value)] }

    private func field(_ name: String, _ path: String) -> JSONValue {
        ["name": .string(name), "valueFrom": ["fieldRef": ["fieldPath": .string(path)]]]
    }

    @Test func startsFromNothingOfOurs() throws {
        setenv("ARGOEXEC_TEST_LEAK", "leaked", 1)
        let fixture = try fixture()
        let text = try fixture.output(of: "env | sort", ["env": [variable("A", "1")]])
        let names = text.split(separator: "\n").map { String($0.prefix { $0 != "=" }) }
        #expect(Set(names) == ["A", "HOME", "HOSTNAME", "PATH", "PWD"])
        #expect(text.contains("HOSTNAME=test-pod\n"))
        #expect(text.contains("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"))
    }

    @Test func expandsReferencesToEarlierVariables() throws {
        let fixture = try fixture()
        let text = try fixture.output(
            of: "printf '%s\\n' \"$B\" \"$C\" \"$D\" \"$E\" '$(A)' '$$(A)' '$(NOBODY)' '$(A'",
            [
                "env": [
                    variable("A", "one"), variable("B", "$(A)-$(A)"), variable("C", "$(LATER)"), variable("LATER", "x"),
                    variable("D", "$$(A) $ $x $$"), variable("E", "$(KEY)/$(B)"),
                ], "envFrom": [["configMapRef": ["name": "config"]]],
            ])
        #expect(text == "one-one\n$(LATER)\n$(A) $ $x $\nplain/one-one\none\n$(A)\n$(NOBODY)\n$(A\n")
    }

    @Test func takesValuesFromSecretsMapsAndFields() throws {
        let fixture = try fixture()
        let pod = Fixture.pod(
            [
                Fixture.shell(
                    "main",
                    "printf '%s|' \"$S\" \"$M\" \"$N\" \"$NS\" \"$L\" \"$LS\" \"$NODE\" \"$IP\" \"$SA\" \"${O-unset}\" \"$p_KEY\"",
                    [
                        "env": [
                            ["name": "S", "valueFrom": ["secretKeyRef": ["name": "login", "key": "text"]]],
                            ["name": "M", "valueFrom": ["configMapKeyRef": ["name": "config", "key": "second.key"]]],
                            field("N", "metadata.name"), field("NS", "metadata.namespace"),
                            field("L", "metadata.labels['a.b/c']"),
                            field("LS", "metadata.annotations"), field("NODE", "spec.nodeName"), field("IP", "status.podIP"),
                            field("SA", "spec.serviceAccountName"),
                            ["name": "O", "valueFrom": ["secretKeyRef": ["name": "none", "key": "x", "optional": true]]],
                        ],
                        "envFrom": [
                            ["configMapRef": ["name": "config"], "prefix": "p_"],
                            ["secretRef": ["name": "none", "optional": true]],
                        ],
                    ])
            ], metadata: ["labels": ["a.b/c": "label"], "annotations": ["z": "last", "a": "first"]])
        #expect(try fixture.play(pod).isSuccess)
        #expect(
            try fixture.log("main")
                == "line one\nline two|other|test-pod|argo|label|a=\"first\"\nz=\"last\"|localhost|127.0.0.1|default|unset|plain|"
        )
    }

    @Test(arguments: [
        ("limits.cpu", "1", "2"), ("limits.cpu", "1m", "1500"), ("requests.cpu", "1m", "250"), ("limits.memory", "1Mi", "64"),
        ("limits.memory", "1", "67108864"), ("limits.memory", "1M", "68"), ("requests.memory", "1k", "2"),
        ("limits.memory", "0", "67108864"), ("requests.ephemeral-storage", "1", "0"),
    ])
    func givesResourcesInWholeParts(resource: String, divisor: String, value: String) throws {
        let fixture = try fixture()
        let text = try fixture.output(
            of: "echo $R",
            [
                "env": [
                    [
                        "name": "R",
                        "valueFrom": ["resourceFieldRef": ["resource": .string(resource), "divisor": .string(divisor)]],
                    ]
                ],
                "resources": [
                    "limits": ["cpu": "1.5", "memory": "64Mi"], "requests": ["cpu": "250m", "memory": "1.5e3"],
                ],
            ])
        #expect(text == "\(value)\n")
    }

    @Test func givesTheMachinesOwnWhereNoLimitIsSet() throws {
        let fixture = try fixture()
        let text = try fixture.output(
            of: "echo $C $M",
            [
                "env": [
                    ["name": "C", "valueFrom": ["resourceFieldRef": ["resource": "limits.cpu"]]],
                    ["name": "M", "valueFrom": ["resourceFieldRef": ["resource": "limits.memory", "divisor": "1Mi"]]],
                ]
            ])
        let numbers = text.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        #expect(numbers.count == 2 && numbers[0] == CPULimit.cores && numbers[1] > 64, "\(text)")
    }

    @Test func passesLongAndOddValues() throws {
        let fixture = try fixture()
        let long = String(repeating: "ä{\"x\": '\\n'}", count: 9000)
        let text = try fixture.output(
            of: "printf %s \"$LONG\" | wc -c; printf '%s' \"$ODD\"; printf '[%s]' \"$EMPTY\"",
            ["env": [variable("LONG", long), variable("ODD", "a\nb\t'\"\\ --bind / /"), variable("EMPTY", "")]])
        #expect(text == "\(long.utf8.count)\na\nb\t'\"\\ --bind / /[]")
    }

    @Test func namesWhatIsMissingBeforeAnythingStarts() throws {
        let fixture = try fixture()
        let pod = Fixture.pod(
            [
                Fixture.shell(
                    "main", "true",
                    [
                        "env": [
                            ["name": "A", "valueFrom": ["secretKeyRef": ["name": "aws", "key": "id"]]],
                            ["name": "B", "valueFrom": ["secretKeyRef": ["name": "login", "key": "nothing"]]],
                            ["name": "C", "valueFrom": ["configMapKeyRef": ["name": "maps", "key": "x"]]],
                            field("D", "metadata.strange"),
                        ], "envFrom": [["secretRef": ["name": "gone"]]], "volumeMounts": [Fixture.mount("unknown", "/u")],
                    ])
            ], volumes: [["name": "v", "secret": ["secretName": "login", "items": [["key": "k", "path": "p"]]]]])
        let secrets = fixture.folder.appending("secrets")
        let problems = try fixture.player().preflight([pod, pod]).filter { $0.severity == .error }.map(\.message)
        #expect(
            problems == [
                "pod 'test-pod': volume 'v': secret 'login' has no key 'k'",
                "pod 'test-pod': container 'main': the pod has no volume 'unknown'",
                "pod 'test-pod': container 'main': secret 'gone' is missing: no \(secrets)/gone in the --secrets folder",
                "pod 'test-pod': container 'main': variable A: secret 'aws' is missing: no \(secrets)/aws in the --secrets folder",
                "pod 'test-pod': container 'main': variable B: secret 'login' has no key 'nothing'",
                "pod 'test-pod': container 'main': variable C: config map 'maps' is missing: no \(fixture.folder)/maps/maps in the --configmaps folder",
                "pod 'test-pod': container 'main': variable D: a pod has no field metadata.strange",
            ])
        fixture.settings.objects = ObjectFolders()
        #expect(try fixture.player().preflight([pod]).contains { $0.message.hasSuffix("no --secrets folder is given") })
        #expect(throws: Finding.self) { try fixture.play(pod) }
        #expect(!fixture.exists(fixture.node.container("main").path))
    }

    @Test func doesNotLetObjectNamesLeaveTheFolder() throws {
        let fixture = try fixture()
        for (name, key) in [("../secrets/login", "name"), ("login", "../login/name"), ("..", "login"), ("login/name", "x")] {
            let pod = Fixture.pod([
                Fixture.shell(
                    "main", "true",
                    ["env": [["name": "A", "valueFrom": ["secretKeyRef": ["name": .string(name), "key": .string(key)]]]]])
            ])
            #expect(try fixture.player().preflight([pod]).contains { $0.severity == .error })
        }
    }
}
