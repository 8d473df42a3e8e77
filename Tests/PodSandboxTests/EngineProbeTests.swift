import Foundation
import SandboxTestSupport
import SystemSupport
import TestSupport
import Testing

@testable import PodSandbox

/// Whether an engine works is found out before anything is started, with a stand-in for its client.
@Suite struct EngineProbeTests {
    private let folder: TemporaryFolder
    private let memory: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        memory = try TemporaryFolder()
    }

    private func path(_ name: String) -> BytePath { BytePath(folder.url.appending(path: name).path) }

    /// An engine whose verbs do what a shell script says; all of them are written down.
    private func probe(_ script: String, options: String = "") throws -> EngineProbe {
        let text = "#!/bin/sh\necho \"$*\" >> \(path("said"))\n\(script)\n"
        try folder.write(Data(text.utf8), to: "docker")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path("docker").text)
        return EngineProbe(try ContainerEngine(path("docker").text + options), executor: "/bin/sh")
    }

    private var said: [String] {
        ((try? String(contentsOfFile: path("said").text, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
    }

    private var places: MemoryFolders {
        MemoryFolders(
            runtimeDirectory: BytePath(memory.url.path),
            mounts: Array("none / ext4 rw 0 0\nm \(realMemory) tmpfs rw 0 0\n".utf8))
    }

    private var realMemory: String { realpath(memory.url.path, nil).map { String(cString: $0) } ?? "" }

    private func failure(_ script: String) throws -> String {
        let probe = try probe(script)
        let error = #expect(throws: SandboxProblem.self) { try probe.run(memory: .none) }
        return error?.message ?? ""
    }

    @Test func tellsThatTheDaemonIsAway() throws {
        let message = try failure(
            "echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' >&2; exit 1"
        )
        #expect(
            message
                == "start a container: docker ps: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?: start docker's service, or leave --engine away to use bubblewrap"
        )
        // Nothing else was asked for.
        #expect(said == ["ps --quiet"])
    }

    @Test func tellsThatItMayNotBeUsed() throws {
        #expect(
            try failure("echo 'permission denied while trying to connect' >&2; exit 1").hasSuffix(
                "become a member of the group that may use docker"))
    }

    @Test func tellsThatNoContainerCanBeRun() throws {
        let message = try failure("case $1 in run) echo 'Error: runc: cannot set rlimits' >&2; exit 126;; esac")
        #expect(message == "start a container: docker run: Error: runc: cannot set rlimits")
    }

    @Test func makesTheEmptyImageOnce() throws {
        let probe = try probe(
            """
            case $1 in
            image) [ -e \(path("image")) ];;
            import) cat > \(path("image"));;
            esac
            """)
        _ = try probe.run(memory: .none)
        _ = try probe.run(memory: .none)
        #expect(said.filter { $0.hasPrefix("import ") } == ["import - \(ContainerEngine.executorImage)"])
        let names = try runShell("tar -tf \"$1\"", [path("image")]).split(separator: "\n").map {
            $0.hasSuffix("/") ? $0.dropLast() : $0
        }
        #expect(names.contains("./tmp") && names.contains("./etc") && names.contains("./var/run"), "\(names)")
        #expect(!names.contains { $0.contains("passwd") || $0.contains("argoexec") })
    }

    @Test func runsOurOwnProgramWithoutARegistry() throws {
        _ = try probe("").run(memory: .none)
        let run = try #require(said.last)
        #expect(run.hasPrefix("run --rm --name argoexec-"))
        #expect(run.hasSuffix(" --entrypoint /.argoexec/bin/argoexec \(ContainerEngine.executorImage) version"))
        #expect(run.contains(" --pull never ") && run.contains("target=/.argoexec/bin/argoexec,readonly"))
        #expect(run.contains("source=/usr,target=/usr,readonly"))
    }

    @Test func keepsSecretsInMemoryWhereContainersSeeIt() throws {
        #expect(places.places == [BytePath(realMemory)])
        #expect(try probe("").run(memory: places) == places)
        #expect(said.contains { $0.contains("source=\(realMemory)/argoexec-probe-") })
        #expect(try FileManager.default.contentsOfDirectory(atPath: memory.url.path).isEmpty)
    }

    @Test func keepsSecretsOnTheDiskWhereContainersDoNotSeeMemory() throws {
        let probe = try probe("case \"$*\" in *argoexec-probe-*) echo 'bind source path does not exist' >&2; exit 125;; esac")
        #expect(try probe.run(memory: places) == .none)
    }

    @Test func takesOptionsOfTheEngineItself() throws {
        let probe = try probe("", options: " --root  /r --log-level=debug")
        _ = try probe.run(memory: .none)
        #expect(said.first == "--root /r --log-level=debug ps --quiet")
        #expect(said.allSatisfy { $0.hasPrefix("--root /r --log-level=debug ") })
        #expect(
            probe.engine.killCommand(name: "x", signal: 15).map(\.text) == [
                "docker", "--root", "/r", "--log-level=debug", "kill", "--signal", "15", "x",
            ])
    }

    @Test func takesAPathWithBlanks() throws {
        _ = try probe("")
        try FileManager.default.createDirectory(atPath: path("with blanks").text, withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: path("docker").text, toPath: path("with blanks/my engine").text)
        let engine = try ContainerEngine(path("with blanks/my engine").text)
        #expect(engine.program == path("with blanks/my engine"))
        #expect(engine.options.isEmpty)
    }
}
