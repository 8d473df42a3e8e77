import Foundation
import Glibc
import TestSupport
import Testing

/// A real podman without a daemon, with stores of its own, and an image for it.
final class Podman: Sendable {
    private let folder: TemporaryFolder
    /// podman wants a path of at most 50 characters.
    private let runFolder = "/tmp/podman-\(UUID().uuidString.prefix(8))"
    /// What `--engine` takes: the program and its own options.
    let words: [String]
    /// The same as a program of its own.
    let wrapper: String

    /// An image with a static busybox.
    static let image = "localhost/argoexec-test-box"

    /// Why there is none here; nil where it runs containers.
    static let problem: String? = {
        do {
            let podman = try Podman()
            let ending = try podman.run(["run", "--rm", "--network", "host", image, "true"])
            return ending.status == 0 ? nil : "podman cannot run containers here: \(ending.errors)"
        } catch { return "podman, runc or busybox is missing: \(error)" }
    }()

    init() throws {
        folder = try TemporaryFolder()
        let base = folder.url.path
        // Not every machine may raise limits, and containers need none of their own.
        let runtime = """
            #!/usr/bin/python3
            import json, os, shutil, sys
            words = sys.argv[1:]
            if "create" in words:
                bundle = words[words.index("--bundle") + 1] if "--bundle" in words else "."
                with open(os.path.join(bundle, "config.json"), "r+") as file:
                    config = json.load(file)
                    config["process"].pop("rlimits", None)
                    file.seek(0); file.truncate(); json.dump(config, file)
            program = shutil.which("runc", path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            os.execv(program, ["runc"] + words)

            """
        try folder.write(Data(runtime.utf8), to: "runtime/runc")
        chmod("\(base)/runtime/runc", 0o755)
        words = [
            "podman", "--root", "\(base)/store", "--runroot", runFolder, "--storage-driver", "vfs", "--cgroup-manager",
            "cgroupfs", "--runtime", "\(base)/runtime/runc",
        ]
        wrapper = "\(base)/my engine"
        try folder.write(Data("#!/bin/sh\nexec \(words.joined(separator: " ")) \"$@\"\n".utf8), to: "my engine")
        chmod(wrapper, 0o755)
        let busybox = Checkout.testTools.appending(path: "busybox/bin/busybox").path
        let ending = try Self.run(
            "/bin/sh",
            [
                "-ec",
                """
                mkdir -p "$0/root/bin" "$0/root/tmp" && cp "$1" "$0/root/bin" && cd "$0/root/bin"
                for name in sh cat echo mkdir sleep true id; do ln -s busybox $name; done
                tar -c -C "$0/root" . | "$0/my engine" import - \(Self.image)
                """, base, busybox,
            ])
        guard ending.status == 0 else { throw LocalRunSilence(wanted: "an image of busybox", said: ending.errors) }
    }

    deinit {
        _ = try? run(["rm", "--all", "--force"])
        try? FileManager.default.removeItem(atPath: runFolder)
    }

    func run(_ arguments: [String]) throws -> (status: Int32, output: String, errors: String) {
        try Self.run(wrapper, arguments)
    }

    private static func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String, errors: String)
    {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        let (output, errors) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError, process.standardInput) = (output, errors, FileHandle.nullDevice)
        try process.run()
        let printed = try output.fileHandleForReading.readToEnd() ?? Data()
        let told = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: printed, as: UTF8.self), String(decoding: told, as: UTF8.self))
    }
}

@Suite("Local runs with podman", .serialized, .enabled(if: Podman.problem == nil, Comment(rawValue: Podman.problem ?? "")))
struct EngineTests {
    private let podman: Podman

    init() throws { podman = try Podman() }

    /// Of a build that needs shared libraries, the emissary needs them in the user's image too.
    private static let libraries = (Checkout.executorIsStatic ? [] : ["usr", "lib", "lib64", "opt"]).filter {
        FileManager.default.fileExists(atPath: "/\($0)")
    }

    private func workflow(_ templates: String, volumes: String = "") -> String {
        let all = Self.libraries.map { "{name: \($0), hostPath: {path: /\($0)}}" } + (volumes.isEmpty ? [] : [volumes])
        return EndToEndTests.workflow(templates, spec: "  volumes: [\(all.joined(separator: ", "))]")
    }

    private func container(_ script: String, mounts: String = "") -> String {
        let all = Self.libraries.map { "{name: \($0), mountPath: /\($0), readOnly: true}" } + (mounts.isEmpty ? [] : [mounts])
        return "{image: \(Podman.image), command: [sh, -c, '\(script)'], volumeMounts: [\(all.joined(separator: ", "))]}"
    }

    private var imageNames: Set<String> {
        get throws {
            let ending = try podman.run(["images", "--format", "{{.Repository}}:{{.Tag}}"])
            return Set(ending.output.split(separator: "\n").map(String.init))
        }
    }

    /// Two steps with an artifact, a parameter and a secret; ours come from this machine, and no registry is asked.
    @Test(arguments: [true, false]) func runsAWorkflow(byWords: Bool) async throws {
        let text = workflow(
            """
                - name: main
                  steps:
                  - - {name: a, template: make}
                  - - name: b
                      template: use
                      arguments:
                        artifacts: [{name: in, from: "{{steps.a.outputs.artifacts.out}}"}]
                        parameters: [{name: p, value: "{{steps.a.outputs.parameters.p}}"}]
                - name: make
                  container: \(container("mkdir /out; echo made > /out/f; echo -n value > /tmp/p; cat /s/key; echo", mounts: "{name: s, mountPath: /s}"))
                  outputs: {artifacts: [{name: out, path: /out}], parameters: [{name: p, valueFrom: {path: /tmp/p}}]}
                - name: use
                  inputs: {artifacts: [{name: in, path: /in}], parameters: [{name: p}]}
                  container: \(container("cat /in/f; echo {{inputs.parameters.p}}"))
            """, volumes: "{name: s, secret: {secretName: login}}")
        let folder = try TemporaryFolder()
        try folder.write(Data("CANARY".utf8), to: "secrets/login/key")
        let engine = byWords ? podman.words.joined(separator: " ") : podman.wrapper
        let ending = try await LocalRunProcess.run(workflow: text, ["--secrets", "secrets", "--engine", engine], in: folder)
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(ending.printed == ["CANARY", "made", "value"], "\(ending.errors)")
        #expect(try imageNames == ["\(Podman.image):latest", "localhost/argoexec-empty:1"])
        #expect(try podman.run(["ps", "--all", "--quiet"]).output.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.appending(path: ".argoexec/runs").path).isEmpty)
    }

    @Test func tellsHowACommandEnded() async throws {
        let text = workflow("    - {name: main, container: \(container("echo no; exit 7"))}")
        let ending = try await LocalRunProcess.run(workflow: text, ["--engine", podman.wrapper])
        #expect(ending.status == 1)
        #expect(ending.errors.contains("    main | no\n    exit code 7\n"), "\(ending.errors)")
    }

    /// An output that is missing is the executor's failure, whose container is told to end when the command has ended.
    @Test func namesAnOutputThatIsMissing() async throws {
        let text = workflow(
            "    - {name: main, container: \(container("true")), outputs: {artifacts: [{name: model, path: /nothing}]}}")
        let ending = try await LocalRunProcess.run(workflow: text, ["--engine", podman.wrapper])
        #expect(ending.status == 1)
        #expect(ending.errors.contains("wait: Error (exit code 64): save artifact 'model': "), "\(ending.errors)")
        #expect(
            ending.errors.contains("test failed: its command ended with exit code 0, but then\n    save artifact 'model': "))
    }

    @Test func endsContainersGently() async throws {
        let folder = try TemporaryFolder()
        let script = "trap \"echo told; exit 0\" TERM; echo ready; while true; do sleep 0.1; done"
        try folder.write(
            Data(workflow("    - {name: main, container: \(container(script))}").utf8), to: "workflow.yaml")
        let run = try LocalRunProcess(["workflow.yaml", "--engine", podman.wrapper], in: folder)
        try await run.waitUntilSaid("| ready")
        run.signal(SIGINT)
        let ending = await run.ending()
        #expect(ending.status == 130, "\(ending.errors)")
        #expect(ending.printed.contains("told"), "\(ending.errors)")
        #expect(try podman.run(["ps", "--all", "--quiet"]).output.isEmpty)
    }

    /// The engine's containers outlive a runner that is killed; the next run ends them.
    @Test func theNextRunEndsWhatAKilledOneLeft() async throws {
        let folder = try TemporaryFolder()
        try folder.write(
            Data(workflow("    - {name: main, container: \(container("echo ready; while true; do sleep 0.1; done"))}").utf8),
            to: "workflow.yaml")
        let run = try LocalRunProcess(["workflow.yaml", "--engine", podman.wrapper], in: folder)
        try await run.waitUntilSaid("| ready")
        run.signal(SIGKILL)
        _ = await run.ending()
        let next = try await LocalRunProcess.run(
            workflow: workflow("    - {name: main, container: \(container("echo well"))}"), ["--engine", podman.wrapper],
            in: folder)
        #expect(next.status == 0, "\(next.errors)")
        #expect(next.errors.contains("note: a killed run has left "))
        #expect(try podman.run(["ps", "--all", "--quiet"]).output.isEmpty)
    }
}

/// What needs no engine that works.
@Suite struct MissingEngineTests {
    @Test func aDaemonThatIsAwayIsToldBeforeTheFirstStep() async throws {
        let folder = try TemporaryFolder()
        let script = "#!/bin/sh\necho 'Cannot connect to the Docker daemon. Is the docker daemon running?' >&2\nexit 1\n"
        try folder.write(Data(script.utf8), to: "docker")
        chmod(folder.url.appending(path: "docker").path, 0o755)
        let ending = try await LocalRunProcess.run(
            workflow: workflow("    - {name: main, container: {image: debian, command: [echo]}}"), ["--engine", "./docker"],
            in: folder)
        #expect(ending.status == 1)
        #expect(
            ending.errors
                == "error: start a container: docker ps: Cannot connect to the Docker daemon. Is the docker daemon running?: start docker's service, or leave --engine away to use bubblewrap\n"
        )
        #expect(!FileManager.default.fileExists(atPath: folder.url.appending(path: ".argoexec").path))
    }

    @Test(arguments: [
        ["--from", "x", "-p", "a=b"], ["--from", "x", "workflow.yaml"], ["workflow.yaml", "--own-store"],
        ["--from", "x", "--print-pods"],
    ]) func flagsWithoutEffectEndWith64(words: [String]) async throws {
        let ending = try await LocalRunProcess.run(words)
        #expect(ending.status == 64)
        #expect(ending.errors.contains(" has no effect with"), "\(ending.errors)")
    }
}
