import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Local runs", .enabled(if: !LocalRunProcess.User.usable.isEmpty, "bubblewrap does not work on this machine"))
struct LocalRunTests {
    // MARK: Failures

    private static let failing = workflow(
        """
            - name: main
              inputs: {artifacts: [{name: tool, path: /tool, raw: {data: "from the raw artifact"}}]}
              container:
                image: debian
                command: [sh, -c, "cat /tool; echo; echo first line; echo last line >&2; exit 7"]
        """)

    @Test(arguments: LocalRunProcess.User.usable)
    func keepsWhatFailedAndRunsItAgain(user: LocalRunProcess.User) async throws {
        let folder = try TemporaryFolder()
        let ending = try await LocalRunProcess.run(workflow: Self.failing, user: user, in: folder)
        #expect(ending.status == 1)
        #expect(ending.output.isEmpty)
        #expect(ending.errors.contains("main | last line\n"))
        #expect(ending.errors.contains("exit code 7"))
        #expect(ending.errors.contains("test: Failed"))
        let runs = folder.url.appending(path: ".argoexec/runs")
        let run = try #require(try FileManager.default.contentsOfDirectory(atPath: runs.path).first)
        let kept = runs.appending(path: "\(run)/test")
        #expect(ending.errors.contains("kept in \(kept.path)"))
        let again = try await LocalRunProcess.run(["--from", kept.path], user: user, in: folder)
        #expect(again.status == 1)
        #expect(again.printed.prefix(3) == ["from the raw artifact", "first line", "last line"], "\(again.errors)")
        #expect(again.errors.contains("Failed in"))
    }

    @Test func removesWhatSucceededUnlessAsked() async throws {
        let text = workflow("    - {name: main, container: {image: debian, command: [\"true\"]}}")
        let folder = try TemporaryFolder()
        #expect(try await LocalRunProcess.run(workflow: text, in: folder).status == 0)
        let runs = folder.url.appending(path: ".argoexec/runs").path
        #expect(try FileManager.default.contentsOfDirectory(atPath: runs).isEmpty)
        #expect(try await LocalRunProcess.run(workflow: text, ["--keep"], in: folder).status == 0)
        let run = try #require(try FileManager.default.contentsOfDirectory(atPath: runs).first)
        let node = "\(runs)/\(run)/test"
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: node).sorted() == [
                "ctr", "pod.json", "taskresult.json", "volumes",
            ])
        #expect(FileManager.default.fileExists(atPath: "\(runs)/\(run)/workflow.json"))
        #expect(FileManager.default.fileExists(atPath: "\(node)/ctr/main/log"))
    }

    @Test func failsByItsDeadline() async throws {
        let ending = try await LocalRunProcess.run(
            workflow: workflow(
                """
                    - name: main
                      activeDeadlineSeconds: 1
                      container: {image: debian, command: [sleep, "600"]}
                """))
        #expect(ending.status == 1)
        #expect(ending.errors.contains("test: Failed"))
        #expect(ending.errors.contains("deadline"))
    }

    @Test func goesNoFurtherAfterAFailure() async throws {
        let ending = try await LocalRunProcess.run(
            workflow: workflow(
                """
                    - name: main
                      steps: [[{name: a, template: bad}, {name: b, template: good}], [{name: c, template: good}]]
                    - {name: bad, container: {image: debian, command: ["false"]}}
                    - {name: good, container: {image: debian, command: [echo, well]}}
                """))
        #expect(ending.status == 1)
        #expect(ending.printed.filter { $0 == "well" }.count == 1, "\(ending.errors)")
    }

    /// A step whose main container runs a command of the shell once its sidecar is up.
    private func besideASidecar(_ command: String, outputs: String) -> String {
        workflow(
            """
                - name: main
                  volumes: [{name: v, emptyDir: {}}]
                  container:
                    image: debian
                    command: [sh, -c, "until [ -e /v/up ]; do sleep 0.02; done; \(command)"]
                    volumeMounts: [{name: v, mountPath: /v}]
                  sidecars:
                  - name: side
                    image: debian
                    command: [sh, -c, "touch /v/up; exec sleep 600"]
                    volumeMounts: [{name: v, mountPath: /v}]
                  outputs: \(outputs)
            """)
    }

    /// The executor's failure is told by what is missing, not by the executor's exit code; and a sidecar that had to be ended has
    /// nothing to say of it.
    @Test func namesAnOutputThatIsMissing() async throws {
        let text = besideASidecar("echo done", outputs: "{artifacts: [{name: model, path: /tmp/nothing}]}")
        let ending = try await LocalRunProcess.run(workflow: text)
        #expect(ending.status == 1)
        #expect(ending.printed == ["done"], "\(ending.errors)")
        #expect(
            ending.errors.contains("test failed: its command ended with exit code 0, but then\n    save artifact 'model': "),
            "\(ending.errors)")
        #expect(!ending.errors.contains("    exit code"))
    }

    @Test func showsOnlyWhatTheStepItselfPrinted() async throws {
        let text = besideASidecar(
            "echo well; echo 'Error: exit status 3'; echo on",
            outputs: "{artifacts: [{name: maybe, path: /tmp/nothing, optional: true}]}")
        let ending = try await LocalRunProcess.run(workflow: text)
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(ending.printed == ["well", "Error: exit status 3", "on"])
    }

    @Test func tellsWhatIsTriedAgain() async throws {
        let text = workflow(
            """
                - name: main
                  inputs: {artifacts: [{name: in, path: /in, http: {url: "http://127.0.0.1:1/x"}}]}
                  container: {image: debian, command: ["true"]}
            """)
        let folder = try TemporaryFolder()
        try folder.write(Data(text.utf8), to: "workflow.yaml")
        let ending = try await LocalRunProcess.run(
            ["workflow.yaml"], in: folder,
            environment: ["EXECUTOR_RETRY_BACKOFF_STEPS": "2", "EXECUTOR_RETRY_BACKOFF_DURATION": "1ms"])
        #expect(ending.status == 1)
        #expect(ending.errors.contains("test init: retrying "), "\(ending.errors)")
        #expect(ending.errors.contains("connection refused (2 of 2)\n"), "\(ending.errors)")
        #expect(ending.errors.contains("test failed: its command was not run:\n    load artifact 'in': "), "\(ending.errors)")
    }

    @Test func printsPodsAsJSON() async throws {
        let text = workflow("    - {name: main, container: {image: debian, command: [\"true\"]}}")
        let ending = try await LocalRunProcess.run(workflow: text, ["--print-pods", "--output", "json"])
        #expect(ending.status == 0)
        let list = try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any]
        #expect(list?["kind"] as? String == "List")
        #expect((list?["items"] as? [[String: Any]])?.map { $0["kind"] as? String } == ["Pod"])
    }

    // MARK: Ends from outside

    /// Neither on the disk nor in memory: the next run removes what a killed one could not.
    @Test func noSecretOutlivesTheRunAfterAKilledOne() async throws {
        let folder = try TemporaryFolder()
        let canary = "CANARY-\(UUID().uuidString)"
        try folder.write(Data(canary.utf8), to: "secrets/login/key")
        func text(_ script: String) -> String {
            workflow(
                """
                    - name: main
                      volumes: [{name: s, secret: {secretName: login}}]
                      container:
                        image: debian
                        command: [sh, -c, "\(script)"]
                        volumeMounts: [{name: s, mountPath: /s}]
                """)
        }
        try folder.write(Data(text("echo ready; exec sleep 600").utf8), to: "workflow.yaml")
        let run = try LocalRunProcess(["workflow.yaml", "--secrets", "secrets"], in: folder)
        try await run.waitUntilSaid("| ready")
        run.signal(SIGKILL)
        _ = await run.ending()
        let next = try await LocalRunProcess.run(workflow: text("cat /s/key"), ["--secrets", "secrets"], in: folder)
        #expect(next.status == 0, "\(next.errors)")
        #expect(next.printed == [canary])
        #expect(next.errors.contains("note: a killed run has left "))
        let places = [
            folder.url.appending(path: ".argoexec").path, "/dev/shm", ProcessInfo.processInfo.environment["XDG_RUNTIME_DIR"],
        ]
        let search = Process()
        search.executableURL = URL(filePath: "/usr/bin/env")
        search.arguments = ["grep", "-rlsF", "--devices=skip", canary] + places.compactMap { $0 }
        let found = Pipe()
        search.standardOutput = found
        try search.run()
        let names = String(decoding: try found.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        search.waitUntilExit()
        // The step has printed it, which is its own affair: what succeeded is not kept.
        #expect(names.isEmpty, "\(names)")
    }

    @Test(arguments: LocalRunProcess.User.usable)
    func stopsAtTheFirstInterruptWithinTheGracePeriod(user: LocalRunProcess.User) async throws {
        let run = try Self.endless("trap 'echo told; exit 0' TERM; echo ready; while true; do sleep 0.1; done", user)
        try await run.waitUntilSaid("| ready")
        run.signal(SIGINT)
        let ending = await run.ending()
        #expect(ending.status == 130, "\(ending.errors)")
        #expect(ending.printed.contains("told"), "\(ending.errors)")
        #expect(try Self.leftovers(of: run.folder).isEmpty)
    }

    @Test(arguments: LocalRunProcess.User.usable)
    func stopsAtOnceAtTheSecondInterrupt(user: LocalRunProcess.User) async throws {
        let run = try Self.endless("trap 'echo deaf' TERM; echo ready; while true; do sleep 0.1; done", user)
        try await run.waitUntilSaid("| ready")
        run.signal(SIGINT)
        try await run.waitUntilSaid("| deaf")
        run.signal(SIGINT)
        let ending = await run.ending()
        #expect(ending.status == 130, "\(ending.errors)")
        #expect(try Self.leftovers(of: run.folder).isEmpty)
    }

    @Test func leavesNothingRunningWhenItIsKilled() async throws {
        let run = try Self.endless("echo ready; exec sleep 600", .tester)
        try await run.waitUntilSaid("| ready")
        run.signal(SIGKILL)
        _ = await run.ending()
        for _ in 0..<500 {
            if try Self.leftovers(of: run.folder).isEmpty { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(try Self.leftovers(of: run.folder).isEmpty)
    }

    private static func endless(_ script: String, _ user: LocalRunProcess.User) throws -> LocalRunProcess {
        let folder = try TemporaryFolder()
        let text = workflow(
            """
                - name: main
                  container:
                    image: debian
                    command: [sh, -c, "\(script)"]
                    env: [{name: MARK, value: "\(folder.url.lastPathComponent)"}]
            """)
        try folder.write(Data(text.utf8), to: "workflow.yaml")
        return try LocalRunProcess(["workflow.yaml"], user: user, in: folder)
    }

    /// Processes and mounts that still have to do with a folder.
    private static func leftovers(of folder: TemporaryFolder) throws -> [String] {
        let mark = Data(folder.url.lastPathComponent.utf8)
        var found: [String] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") where Int(name) != nil && name != "\(getpid())"
        {
            for part in ["environ", "cmdline"] {
                if let bytes = FileManager.default.contents(atPath: "/proc/\(name)/\(part)"), bytes.range(of: mark) != nil {
                    found.append("\(part) of \(name)")
                }
            }
        }
        if let mounts = FileManager.default.contents(atPath: "/proc/self/mountinfo"), mounts.range(of: mark) != nil {
            found.append("a mount")
        }
        return found
    }

    // MARK: Suspended steps

    @Test func waitsForEnterAndTakesSuppliedValues() async throws {
        let folder = try TemporaryFolder()
        let text = workflow(
            """
                - name: main
                  steps:
                  - - {name: ask, template: ask}
                  - - name: tell
                      template: tell
                      arguments: {parameters: [{name: answer, value: "{{steps.ask.outputs.parameters.answer}}"}]}
                - name: ask
                  suspend: {}
                  outputs: {parameters: [{name: answer, valueFrom: {supplied: {}}}]}
                - name: tell
                  inputs: {parameters: [{name: answer}]}
                  container: {image: debian, command: [echo, "{{inputs.parameters.answer}}"]}
            """)
        try folder.write(Data(text.utf8), to: "workflow.yaml")
        let run = try LocalRunProcess(["workflow.yaml"], in: folder)
        try await run.waitUntilSaid("press Enter")
        run.type("answer=forty-two")
        run.type("")
        let ending = await run.ending()
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(ending.printed == ["forty-two"])
    }

    @Test func pausesAStepUntilSomebodyLetsItGoOn() async throws {
        let folder = try TemporaryFolder()
        let text = workflow(
            """
                - name: main
                  volumes: [{name: v, emptyDir: {}}]
                  container: {image: debian, command: [sh, -c, "cat /v/note; exit 4"], volumeMounts: [{name: v, mountPath: /v}]}
            """)
        try folder.write(Data(text.utf8), to: "workflow.yaml")
        let run = try LocalRunProcess(["workflow.yaml", "--pause", "before", "--pause", "error"], in: folder)
        try await run.waitUntilSaid("test is paused before the command of main")
        let runs = folder.url.appending(path: ".argoexec/runs")
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: runs.path).first)
        try Data("left by somebody\n".utf8).write(to: runs.appending(path: "\(name)/test/volumes/v/note"))
        run.type("")
        try await run.waitUntilSaid("test is paused after the command of main")
        run.type("")
        let ending = await run.ending()
        #expect(ending.status == 1)
        #expect(ending.printed.first == "left by somebody", "\(ending.errors)")
        #expect(ending.errors.contains("exit code 4"))
    }

    // MARK: Artifacts

    private static let showing = """
            - name: main
              inputs: {artifacts: [{name: data, path: /data}]}
              container: {image: debian, command: [sh, -c, "cd /data 2>/dev/null && find . -type f | sort || cat /data"]}
        """

    @Test func takesFilesAndFoldersOfThisMachine() async throws {
        let folder = try TemporaryFolder()
        try folder.write(Data("plain content\n".utf8), to: "file.txt")
        try folder.write(Data("x".utf8), to: "tree/a/b.txt")
        try folder.write(Data("y".utf8), to: "tree/c.txt")
        let text = workflow(Self.showing, spec: "  arguments: {artifacts: [{name: data}]}")
        let file = try await LocalRunProcess.run(workflow: text, ["-a", "data=file.txt"], in: folder)
        #expect(file.printed == ["plain content"], "\(file.errors)")
        #expect(!file.errors.contains("level="), "\(file.errors)")
        let tree = try await LocalRunProcess.run(workflow: text, ["-a", "data=tree"], in: folder)
        #expect(tree.printed == ["./a/b.txt", "./c.txt"], "\(tree.errors)")
        let without = try await LocalRunProcess.run(workflow: text, in: folder)
        #expect(without.status == 1)
        #expect(without.errors.contains("artifact 'data' has no location; give one with -a data=PATH"))
    }

    @Test func storesObjectsByTheKeysThatABucketWouldHave() async throws {
        let folder = try TemporaryFolder()
        let ending = try await LocalRunProcess.run(
            workflow: workflow(
                """
                    - name: main
                      container: {image: debian, command: [sh, -c, "echo content >/tmp/f"]}
                      outputs:
                        artifacts:
                        - {name: packed, path: /tmp/f}
                        - {name: named, path: /tmp/f, archive: {none: {}}, s3: {key: "my/own/../key %.txt"}}
                """), ["-o", "json"], in: folder)
        #expect(ending.status == 0, "\(ending.errors)")
        let artifacts = folder.url.appending(path: ".argoexec/artifacts")
        let packed = try Data(contentsOf: artifacts.appending(path: "test/test/packed.tgz"))
        #expect(try listing(ofArchive: [UInt8](packed)).map(\.name) == ["f"])
        let named = try Data(contentsOf: artifacts.appending(path: "my/own/%2E%2E/key %25.txt"))
        #expect(named == Data("content\n".utf8))
        let document = try JSON(parsing: Data(ending.output.utf8))
        let outputs = document["status"]?["nodes"]?["test"]?["outputs"]
        #expect(outputs?["artifacts"]?.item(named: "packed")?["s3"]?["key"] == "test/test/packed.tgz")
        #expect(outputs?["artifacts"]?.item(named: "named")?["s3"]?["key"] == "my/own/../key %.txt")
        #expect(outputs?["exitCode"] == "0")
    }

    @Test(.requires(.seaweedFS)) func usesARealRepository() async throws {
        let store = try await StepStore.make()
        let folder = try TemporaryFolder()
        for (key, value) in store.secrets[StepStore.secretName] ?? [:] {
            try folder.write(Data(value.utf8), to: "secrets/\(StepStore.secretName)/\(key)")
        }
        let repository = """
            apiVersion: v1
            kind: ConfigMap
            metadata:
              name: artifact-repositories
              annotations: {workflows.argoproj.io/default-artifact-repository: ours}
            data:
              ours: |
                archiveLogs: true
                s3:
                  endpoint: \(store.server.endpoint)
                  bucket: \(store.bucket)
                  insecure: true
                  keyFormat: runs/{{workflow.name}}/{{pod.name}}
                  accessKeySecret: {name: \(StepStore.secretName), key: accesskey}
                  secretKeySecret: {name: \(StepStore.secretName), key: secretkey}
            """
        try folder.write(Data(repository.utf8), to: "repository.yaml")
        try folder.write(Data("argument".utf8), to: "argument")
        let text = workflow(
            """
                - name: main
                  inputs: {artifacts: [{name: data, path: /data}]}
                  container: {image: debian, command: [sh, -c, "cat /data; cp /data /tmp/out"]}
                  outputs: {artifacts: [{name: out, path: /tmp/out, archive: {none: {}}}]}
            """, spec: "  arguments: {artifacts: [{name: data}]}")
        let ending = try await LocalRunProcess.run(
            workflow: text,
            ["-a", "data=argument", "--artifact-repository", "repository.yaml", "--secrets", "secrets"], in: folder)
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(try await store.object("runs/test/test/out") == Array("argument".utf8))
        #expect(try await store.keys().sorted() == ["runs/test/test/main.log", "runs/test/test/out", "test/arguments/data"])
        #expect(
            ending.output
                == "artifact out: s3://\(store.bucket)/runs/test/test/out\nartifact main-logs: s3://\(store.bucket)/runs/test/test/main.log\n"
        )
        #expect(!FileManager.default.fileExists(atPath: folder.url.appending(path: ".argoexec/artifacts/test").path))
    }

    @Test(.enabled(if: SharedBlocks.areUsable, "no XFS can be mounted here")) func passesArtifactsWithoutACopy() throws {
        let folder = try TemporaryFolder()
        let text = workflow(
            """
                - name: main
                  steps:
                  - - {name: make, template: make}
                  - - {name: one, template: use, arguments: &given {artifacts: [{name: tree, from: "{{steps.make.outputs.artifacts.tree}}"}, {name: file, from: "{{steps.make.outputs.artifacts.file}}"}]}}
                  - - {name: two, template: use, arguments: *given}
                - name: make
                  container: {image: debian, command: [sh, -c, "mkdir /tmp/tree; head -c 1000000 /dev/urandom | tee /tmp/file >/tmp/tree/part"]}
                  outputs: {artifacts: [{name: tree, path: /tmp/tree}, {name: file, path: /tmp/file, archive: {none: {}}}]}
                - name: use
                  inputs: {artifacts: [{name: tree, path: /tree}, {name: file, path: /file}]}
                  container: {image: debian, command: [sh, -c, "cmp /file /tree/part && echo changed | dd of=/file conv=notrunc && echo changed | dd of=/tree/part conv=notrunc"]}
            """)
        try folder.write(Data(text.utf8), to: "workflow.yaml")
        let shared = try SharedBlocks.files(
            after: "\"$0\" run workflow.yaml --keep", in: folder,
            named: ["test-make-*/file", "input-artifacts/file", "input-artifacts/tree/part"])
        // The stored file, and what each of the two steps got of it and of the archive.
        #expect(shared == ["file", "file", "file", "part", "part"])
    }

    // MARK: What is said

    @Test func printsTheFinishedWorkflowInTheShapeOfItsResource() async throws {
        let ending = try await LocalRunProcess.run(
            workflow: workflow(
                """
                    - name: main
                      steps: [[{name: a, template: a}]]
                    - {name: a, container: {image: debian, command: [echo, hello]}}
                """), ["--output", "json"])
        #expect(ending.status == 0, "\(ending.errors)")
        let document = try JSON(parsing: Data(ending.output.utf8))
        #expect(document["kind"] == "Workflow")
        #expect(document["status"]?["phase"] == "Succeeded")
        #expect(document["status"]?["progress"] == "1/1")
        let nodes = document["status"]?["nodes"]
        #expect(nodes?.names.count == 3)
        #expect(nodes?["test"]?["type"] == "Steps")
        let pod = nodes?.names.compactMap { nodes?[$0] }.first { $0["type"] == "Pod" }
        #expect(pod?["name"] == "test[0].a")
        #expect(pod?["phase"] == "Succeeded")
        #expect(pod?["startedAt"]?.text?.hasSuffix("Z") == true)
    }

    @Test func drawsATreeOnATerminal() async throws {
        let folder = try TemporaryFolder()
        let text = workflow(
            """
                - name: main
                  steps: [[{name: a, template: a}]]
                - {name: a, container: {image: debian, command: [echo, hello]}}
            """)
        try folder.write(Data(text.utf8), to: "workflow.yaml")
        let terminal = try ToolProcess(
            URL(filePath: "/bin/sh"),
            [
                "-c",
                "cd \"$0\"; unset NO_COLOR; TERM=xterm LC_ALL=C.UTF-8 exec script -qec \"'$1' run workflow.yaml\" /dev/null",
                folder.url.path, Checkout.executor.path,
            ])
        var shown = ""
        for await line in terminal.lines { shown += line + "\n" }
        #expect(await terminal.exitStatus() == 0, "\(shown)")
        #expect(shown.contains("\u{1B}[32m✔\u{1B}[0m test"))
        #expect(shown.contains("\u{1B}[32m✔\u{1B}[0m   a"))
        #expect(shown.contains("a | hello"))
    }

    @Test func runsATemplateAloneAndALibrarysTemplate() async throws {
        let folder = try TemporaryFolder()
        try folder.write(
            Data("name: alone\ncontainer: {image: debian, command: [echo, alone]}\n".utf8), to: "template.yaml")
        let alone = try await LocalRunProcess.run(["template.yaml"], in: folder)
        #expect(alone.printed == ["alone"], "\(alone.errors)")
        try folder.write(
            Data(
                """
                apiVersion: argoproj.io/v1alpha1
                kind: ClusterWorkflowTemplate
                metadata: {name: library}
                spec:
                  templates:
                  - name: greet
                    inputs: {parameters: [{name: whom, default: you}]}
                    container: {image: debian, command: [echo, "hello {{inputs.parameters.whom}}"]}
                """.utf8), to: "library.yaml")
        let library = try await LocalRunProcess.run(["library.yaml", "--entrypoint", "greet"], in: folder)
        #expect(library.printed == ["hello you"], "\(library.errors)")
    }
}
