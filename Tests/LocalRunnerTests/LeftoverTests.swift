import Documents
import Foundation
import SandboxTestSupport
import SystemSupport
import TestSupport
import Testing

@testable import LocalRunner
@testable import PodSandbox

/// What a killed runner leaves is found by the next one, what is in use is not.
@Suite struct LeftoverTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var path: BytePath { BytePath(folder.url.path) }

    private func exists(_ path: BytePath) -> Bool { FileManager.default.fileExists(atPath: path.text) }

    private func write(_ text: String, to path: BytePath) throws {
        try FileManager.default.createDirectory(atPath: path.directory.text, withIntermediateDirectories: true)
        try SmallFile.write(path, Array(text.utf8))
    }

    // MARK: Folders

    @Test func sweepsWhatNobodyHolds() throws {
        let held = try HeldFolder(in: path, prefix: "ours-")
        let heldPath = held.path
        // Of a process that is gone: nobody has a lock on it.
        try write("secret", to: path.appending("ours-0123/f"))
        try write("theirs", to: path.appending("theirs-0123/f"))
        try write("a file", to: path.appending("ours-file"))
        HeldFolder.sweep(path, prefix: "ours-")
        #expect(exists(heldPath))
        #expect(!exists(path.appending("ours-0123")))
        #expect(exists(path.appending("theirs-0123/f")))
        #expect(exists(path.appending("ours-file")))
        try held.remove()
        #expect(!exists(heldPath))
    }

    @Test func sweepsNothingThroughALink() throws {
        try write("mine", to: path.appending("elsewhere/f"))
        try FileManager.default.createSymbolicLink(
            atPath: path.appending("ours-link").text, withDestinationPath: path.appending("elsewhere").text)
        HeldFolder.sweep(path, prefix: "ours-")
        #expect(exists(path.appending("elsewhere/f")))
    }

    @Test func aFolderOfOursIsOursAlone() throws {
        let held = try HeldFolder(in: path, prefix: "ours-")
        let mode = try FileManager.default.attributesOfItem(atPath: held.path.text)[.posixPermissions] as? Int
        #expect(mode == 0o700)
    }

    // MARK: Memory

    private static let mounts = """
        /dev/sda / ext4 rw 0 0
        tmpfs /dev tmpfs rw,nosuid 0 0
        shm /dev/shm tmpfs rw,nosuid,nodev,noexec 0 0

        """

    @Test func choosesFileSystemsInMemory() throws {
        let found = MemoryFolders(runtimeDirectory: path, mounts: Array(Self.mounts.utf8))
        #expect(found.places == ["/dev/shm"])
        #expect(found.executablePlaces == [])
        let real = try #require(realpath(path.text, nil).map { String(cString: $0) })
        let own = MemoryFolders(runtimeDirectory: path, mounts: Array((Self.mounts + "t \(real) tmpfs rw 0 0\n").utf8))
        #expect(own.places == [BytePath(real), "/dev/shm"])
        #expect(own.executablePlaces == [BytePath(real)])
        #expect(MemoryFolders(runtimeDirectory: "relative", mounts: Array("/ / ext4 rw 0 0\n".utf8)) == .none)
    }

    @Test func keepsSecretsOnTheDiskWhereThereIsNoOtherPlace() throws {
        var secrets: SecretFolder? = try SecretFolder(in: [path.appending("absent")], fallback: path.appending("disk"))
        #expect(secrets?.path == path.appending("disk"))
        try write("x", to: path.appending("disk/files/k"))
        secrets = nil
        #expect(!exists(path.appending("disk")))
    }

    private static let secret = SandboxFixture.pod(
        [
            SandboxFixture.shell(
                "main", "cat /s/key; echo; cat /x/key",
                ["volumeMounts": [SandboxFixture.mount("s", "/s"), SandboxFixture.mount("x", "/x")]])
        ],
        volumes: [
            ["name": "s", "secret": ["secretName": "login"]],
            ["name": "x", "secret": ["secretName": "login", "defaultMode": 0o755]],
        ])

    @Test(.enabled(if: SandboxFixture.isUsable, "bubblewrap does not work here")) func secretsAreNeverOnTheDisk() throws {
        let fixture = try SandboxFixture()
        try fixture.write("CANARY", to: "secrets/login/key")
        fixture.settings.objects = ObjectFolders(secrets: fixture.folder.appending("secrets"))
        let real = try #require(realpath(path.text, nil).map { String(cString: $0) })
        fixture.settings.memory = MemoryFolders(runtimeDirectory: path, mounts: Array("t \(real) tmpfs rw 0 0\n".utf8))
        var seen: (memory: String, disk: String)?
        let outcome = try fixture.play(Self.secret) { event in
            guard case .started("main") = event else { return }
            seen = (
                (try? runShell("grep -rl CANARY \"$1\" | wc -l", [path])) ?? "",
                (try? runShell("grep -rl CANARY \"$1\" | wc -l", [fixture.node.path])) ?? ""
            )
        }
        #expect(outcome.isSuccess)
        #expect(try fixture.log("main") == "CANARY\nCANARY")
        #expect(seen?.memory == "2\n" && seen?.disk == "0\n", "\(String(describing: seen))")
        #expect(try FileManager.default.contentsOfDirectory(atPath: path.text).isEmpty)
    }

    @Test(.enabled(if: SandboxFixture.isUsable, "bubblewrap does not work here"))
    func secretsGoAlsoWhereAnotherVolumeFails() throws {
        let fixture = try SandboxFixture()
        try fixture.write("CANARY", to: "secrets/login/key")
        fixture.settings.objects = ObjectFolders(secrets: fixture.folder.appending("secrets"))
        let pod = SandboxFixture.pod(
            [SandboxFixture.shell("main", "true")],
            volumes: [["name": "s", "secret": ["secretName": "login"]], ["name": "t", "secret": ["secretName": "absent"]]])
        #expect(throws: (any Error).self) { try fixture.play(pod) }
        #expect(try runShell("grep -rl CANARY \"$1\" || true", [fixture.node.path]) == "")
    }

    // MARK: Pods

    @Test func twoRunnersNeverPlayInOneFolder() throws {
        let pod = PodFolder(path)
        let lock = try PodLock(pod)
        let error = #expect(throws: ExecutorError.self) { try PodLock(pod) }
        #expect(error?.message == "run the pod in \(path): another argoexec is running it there")
        withExtendedLifetime(lock) {}
    }

    @Test func tidiesUpAfterARunnerThatWasKilled() throws {
        let work = try WorkFolder(in: path)
        try work.prepare(isShared: false)
        let (killed, living, kept) = (
            PodFolder(work.runs.appending("a/n")), PodFolder(work.runs.appending("b/n")), PodFolder(work.runs.appending("b/m"))
        )
        for pod in [killed, living, kept] {
            try write("CANARY", to: pod.secrets.appending("s/files/key"))
            try write("copy", to: pod.container("main").root.appending("bin/sh"))
            try write("printed", to: pod.container("main").log)
            try write("result", to: pod.volume("data").appending("f"))
        }
        // Its process is gone, and so is the lock.
        try write("", to: killed.lock)
        let lock = try PodLock(living)
        try write("half", to: work.images.appending("unpacking-00/bin/sh"))
        try write("whole", to: work.images.appending("sha256-1/bin/sh"))
        let leftovers = Leftovers(work: work, memory: .none, runtime: .engine(try ContainerEngine("true")))
        #expect(leftovers.sweep() == [killed.path])
        #expect(!exists(killed.secrets) && !exists(killed.container("main").root) && !exists(killed.lock))
        #expect(exists(killed.container("main").log) && exists(killed.volume("data").appending("f")))
        #expect(exists(living.secrets) && exists(living.container("main").root))
        #expect(exists(kept.container("main").root))
        #expect(!exists(work.images.appending("unpacking-00")) && exists(work.images.appending("sha256-1/bin/sh")))
        withExtendedLifetime(lock) {}
        #expect(leftovers.sweep() == [])
    }

    @Test func removesAnEnginesContainersOfAKilledRun() throws {
        let script = "#!/bin/sh\necho \"$*\" >> \(path)/said\n[ $1 != ps ] || printf 'one\\ntwo\\n'\n"
        try write(script, to: path.appending("docker"))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path.appending("docker").text)
        try ContainerEngine(path.appending("docker").text).removeContainers(ofPodIn: "/runs/a/n")
        #expect(
            try String(contentsOfFile: path.appending("said").text, encoding: .utf8)
                == "ps --all --quiet --filter label=argoexec.pod=/runs/a/n\nrm --force one two\n")
    }
}
