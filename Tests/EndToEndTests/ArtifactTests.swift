import Foundation
import TestSupport
import Testing

@Suite("Artifacts", .requires(.seaweedFS), .requires(.standInAPI))
struct ArtifactTests {
    let store: StepStore
    let cluster: ClusterServer

    init() async throws {
        store = try await StepStore.make()
        cluster = try await ClusterServer.shared()
    }

    /// An input artifact at a key of the store, as the controller passes a producer's artifact on.
    func input(_ name: String, at path: String, key: String, _ more: JSON = [:]) -> JSON {
        var artifact: JSON = ["name": .string(name), "path": .string(path), "s3": ["key": .string(key)]]
        for member in more.names { artifact[member] = more[member] }
        return artifact
    }

    @Test func passAFileFromStepToStep() async throws {
        let producer = Step(
            "echo hello > /tmp/hello.txt", store: store, cluster: cluster,
            outputs: ["artifacts": [["name": "hello", "path": "/tmp/hello.txt"]]])
        let made = try await producer.run()
        #expect(made.exitCodes == allWell, "\(made.report)")
        #expect(
            made.artifact("hello") == [
                "name": "hello", "path": "/tmp/hello.txt", "s3": ["key": .string(producer.key("hello.tgz"))],
            ])
        let archive = try #require(try await store.object(producer.key("hello.tgz")))
        #expect(
            try listing(ofArchive: archive) == [
                TarEntry(name: "hello.txt", kind: "file", mode: 0o666, bytes: Array("hello\n".utf8))
            ])

        let consumer = Step(
            "cat /work/in/greeting", store: store, cluster: cluster,
            inputs: [input("greeting", at: "/work/in/greeting", key: producer.key("hello.tgz"))])
        let used = try await consumer.run()
        #expect(used.exitCodes == allWell, "\(used.report)")
        #expect(used.pod["main"]?.standardOutput == "hello\n")
    }

    @Test func passADirectoryFromStepToStep() async throws {
        let producer = Step(
            """
            mkdir -p /out/tree/sub/empty; echo a > /out/tree/a; echo b > /out/tree/sub/b; ln -s a /out/tree/link
            chmod 750 /out/tree/a; : > /out/tree/none
            """, store: store, cluster: cluster, outputs: ["artifacts": [["name": "tree", "path": "/out/tree"]]])
        let made = try await producer.run()
        #expect(made.exitCodes == allWell, "\(made.report)")
        let entries = try listing(ofArchive: try #require(try await store.object(producer.key("tree.tgz"))))
        #expect(
            entries.map(\.name) == ["tree", "tree/a", "tree/link", "tree/none", "tree/sub", "tree/sub/b", "tree/sub/empty"])
        #expect(entries.map(\.kind) == ["directory", "file", "symlink", "file", "directory", "file", "directory"])
        #expect(entries[1].mode == 0o750)

        let consumer = Step(
            "cd /in && find . | sort && cat a sub/b link && stat -c %a a", store: store, cluster: cluster,
            inputs: [input("tree", at: "/in", key: producer.key("tree.tgz"))])
        let used = try await consumer.run()
        #expect(used.exitCodes == allWell, "\(used.report)")
        #expect(used.pod["main"]?.standardOutput == ".\n./a\n./link\n./none\n./sub\n./sub/b\n./sub/empty\na\nb\na\n750\n")
    }

    @Test func storeAFileAsItIs() async throws {
        let step = Step(
            "printf 'raw bytes' > /tmp/f.bin", store: store, cluster: cluster,
            outputs: ["artifacts": [["name": "f", "path": "/tmp/f.bin", "archive": ["none": [:]]]]])
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.artifact("f")?["s3"]?["key"] == .string(step.key("f.bin")))
        #expect(try await store.object(step.key("f.bin")) == Array("raw bytes".utf8))
    }

    @Test func storeADirectoryAsItsFilesAndLoadItAgain() async throws {
        let producer = Step(
            "mkdir -p /d/x; echo 1 > /d/one; echo 2 > /d/x/two", store: store, cluster: cluster,
            outputs: ["artifacts": [["name": "d", "path": "/d", "archive": ["none": [:]]]]])
        let made = try await producer.run()
        #expect(made.exitCodes == allWell, "\(made.report)")
        #expect(try await store.keys() == [producer.key("d/one"), producer.key("d/x/two")])

        let consumer = Step(
            "cd /got && find . -type f | sort && cat one x/two", store: store, cluster: cluster,
            inputs: [input("d", at: "/got", key: producer.key("d"), ["archive": ["none": [:]]])])
        let used = try await consumer.run()
        #expect(used.exitCodes == allWell, "\(used.report)")
        #expect(used.pod["main"]?.standardOutput == "./one\n./x/two\n1\n2\n")
    }

    /// One file as a zip: the reference stores nothing or a whole path; here the round trip gives the file.
    @Test(arguments: [
        ("/tmp/z.txt", "echo zipped > /tmp/z.txt", "cat /in"), ("/tmp/z", "mkdir /tmp/z; echo zipped > /tmp/z/f", "cat /in/f"),
    ])
    func passAZip(path: String, make: String, use: String) async throws {
        let producer = Step(
            make, store: store, cluster: cluster,
            outputs: ["artifacts": [["name": "z", "path": .string(path), "archive": ["zip": [:]]]]])
        let made = try await producer.run()
        #expect(made.exitCodes == allWell, "\(made.report)")
        let stored = try #require(try await store.object(producer.key("z.zip")))
        #expect(stored.starts(with: [0x50, 0x4b]))

        let consumer = Step(
            use, store: store, cluster: cluster,
            inputs: [input("z", at: "/in", key: producer.key("z.zip"), ["archive": ["zip": [:]]])])
        let used = try await consumer.run()
        #expect(used.exitCodes == allWell, "\(used.report)")
        #expect(used.pod["main"]?.standardOutput == "zipped\n")
    }

    @Test func leaveOutAnOptionalInputThatIsNotThere() async throws {
        let step = Step(
            "test ! -f /tmp/keyed; test ! -e /tmp/free; echo fine", store: store, cluster: cluster,
            inputs: [
                input("keyed", at: "/tmp/keyed", key: "not/there", ["optional": true]),
                ["name": "free", "path": "/tmp/free", "optional": true],
            ])
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.pod["main"]?.standardOutput == "fine\n")
    }

    @Test func stopTheStepWhenARequiredInputIsNotThere() async throws {
        let step = Step(
            "echo never", store: store, cluster: cluster, inputs: [input("needed", at: "/tmp/needed", key: "not/there")])
        let outcome = try await step.run()
        #expect(outcome.exitCodes == ["init": 64], "\(outcome.report)")
        let message = try #require(outcome.pod["init"]?.message)
        #expect(isOneLine(message) && message.contains("needed") && message.contains("not/there"))
    }

    @Test func reportWhatWasSavedWhenAnOutputIsNotThere() async throws {
        let step = Step(
            "echo x > /tmp/x", store: store, cluster: cluster,
            outputs: [
                "artifacts": [
                    ["name": "gone", "path": "/tmp/gone"], ["name": "perhaps", "path": "/tmp/perhaps", "optional": true],
                    ["name": "x", "path": "/tmp/x"],
                ]
            ])
        let outcome = try await step.run()
        #expect(outcome.exitCodes == ["init": 0, "main": 0, "wait": 64], "\(outcome.report)")
        let message = try #require(outcome.pod["wait"]?.message)
        #expect(isOneLine(message) && message.contains("gone"))
        #expect(outcome.artifactNames == ["x"])
        #expect(outcome.isCompleted)
    }

    /// Inputs and outputs that lie in a volume of the user's go through the volume, not through the container's own file system.
    @Test func liveInVolumesOfTheUser() async throws {
        try await store.put(Array("from the store\n".utf8), "seed.txt")
        var step = Step(
            template: [
                "container": [
                    "image": "debian", "command": ["sh", "-c"],
                    "args": ["cat /vol/in/seed; mkdir -p /vol/made; echo new > /vol/made/f; echo p > /vol/param"],
                    "volumeMounts": [["name": "work", "mountPath": "/vol"]],
                ],
                "inputs": ["artifacts": [input("seed", at: "/vol/in/seed", key: "seed.txt")]],
                "outputs": [
                    "artifacts": [["name": "made", "path": "/vol/made"]],
                    "parameters": [["name": "param", "valueFrom": ["path": "/vol/param"]]],
                ],
            ], store: store, cluster: cluster)
        step.request.volumes = [["name": "work", "emptyDir": [:]]]
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.pod["main"]?.standardOutput == "from the store\n")
        #expect(outcome.parameter("param") == "p")
        let entries = try listing(ofArchive: try #require(try await store.object(step.key("made.tgz"))))
        #expect(entries.map(\.name) == ["made", "made/f"])
    }

    @Test func getTheModeThatTheTemplateAsksFor() async throws {
        let producer = Step(
            "mkdir -p /d/s; touch /d/f /d/s/g", store: store, cluster: cluster,
            outputs: ["artifacts": [["name": "d", "path": "/d"]]])
        #expect(try await producer.run().exitCodes == allWell)
        let key = producer.key("d.tgz")
        let consumer = Step(
            "stat -c '%a' /top /top/f /all /all/f /all/s /all/s/g", store: store, cluster: cluster,
            inputs: [
                input("top", at: "/top", key: key, ["mode": 0o700]),
                input("all", at: "/all", key: key, ["mode": 0o755, "recurseMode": true]),
            ])
        let outcome = try await consumer.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.pod["main"]?.standardOutput == "700\n666\n755\n755\n755\n755\n")
    }

    @Test func includeTheLogsWhereAskedFor() async throws {
        var step = Step("echo to out; echo to err >&2; echo out again", store: store, cluster: cluster)
        step.archiveLogs()
        let outcome = try await step.run()
        #expect(outcome.exitCodes == allWell, "\(outcome.report)")
        #expect(outcome.artifact("main-logs") == ["name": "main-logs", "s3": ["key": .string(step.key("main.log"))]])
        let log = String(decoding: try #require(try await store.object(step.key("main.log"))), as: UTF8.self)
        #expect(log.split(separator: "\n").sorted() == ["out again", "to err", "to out"])
    }

    @Test func canBeLargerThanOnePart() async throws {
        let producer = Step(
            "head -c 40000000 /dev/urandom > /tmp/big; sha256sum < /tmp/big", store: store, cluster: cluster,
            outputs: ["artifacts": [["name": "big", "path": "/tmp/big"]]])
        let made = try await producer.run()
        #expect(made.exitCodes == allWell, "\(made.report)")
        let consumer = Step(
            "sha256sum < /big", store: store, cluster: cluster, inputs: [input("big", at: "/big", key: producer.key("big.tgz"))]
        )
        let used = try await consumer.run()
        #expect(used.exitCodes == allWell, "\(used.report)")
        #expect(used.pod["main"]?.standardOutput == made.pod["main"]?.standardOutput)
    }

    /// The limit holds for all that the kernel charges, page cache included; the artifact is larger.
    @Test(.enabled("no control group can be made on this machine") { ControlGroups.canBeMade })
    func areSavedAndLoadedWithinTheMemoryLimit() async throws {
        let bytes = 100_000_000
        var producer = Step(
            "head -c \(bytes) /dev/urandom > /tmp/big; sha256sum < /tmp/big", store: store, cluster: cluster,
            outputs: ["artifacts": [["name": "big", "path": "/tmp/big"]]])
        producer.request.executorMemory = "64Mi"
        let made = try await producer.run()
        #expect(made.exitCodes == allWell, "\(made.report)")
        var consumer = Step(
            "sha256sum < /big", store: store, cluster: cluster, inputs: [input("big", at: "/big", key: producer.key("big.tgz"))]
        )
        consumer.request.executorMemory = "64Mi"
        let used = try await consumer.run()
        #expect(used.exitCodes == allWell, "\(used.report)")
        #expect(used.pod["main"]?.standardOutput == made.pod["main"]?.standardOutput)
        for container in [made.pod["wait"], used.pod["init"]] {
            #expect(try #require(container?.groupPeakKiB, "the limit was not enforced") <= 64 << 10)
        }
    }
}
