import Glibc
import ProcessControl
import RunDirectory
import SystemSupport
import TestSupport
import Testing

/// The emissary as process 1 of a container.
@Suite struct FirstProcessTests {
    private let countZombies = "cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') Z '"

    @Test func reapsOrphansWhileTheCommandRuns() throws {
        let emissary = try EmissaryUnderTest()
        emissary.wrapper = Sandbox.asFirstProcess
        // Each inner shell leaves a child behind that outlives it for a moment; all end at about the same time.
        let script = """
            i=0; while [ $i -lt 1000 ]; do (sleep 0.3 & ); i=$((i+1)); done
            n=0; until [ "$(\(countZombies))" = 0 ] && ! pgrep -x sleep > /dev/null; do sleep 0.05; n=$((n+1)); [ $n -gt 400 ] && exit 9; done
            ps -e -o stat= | grep -c Z; exit 3
            """
        let result = try emissary.run(shell: script)
        #expect(result.status == .exited(3))
        #expect(result.output == Array("0\n".utf8))
    }

    @Test func endsAtOnceWithOrphansStillRunning() throws {
        let emissary = try EmissaryUnderTest(template: #"{"archiveLocation": {"archiveLogs": true}}"#)
        emissary.wrapper = Sandbox.asFirstProcess
        let result = try emissary.run(shell: "for i in 1 2 3 4 5; do (sleep 300 &); done; echo main leaves; exit 12")
        #expect(result.status == .exited(12))
        #expect(result.output == Array("main leaves\n".utf8))
        #expect(emissary.recordedCode == "12")
    }

    @Test func findsTheExitCodeAmongManyOrphans() throws {
        let emissary = try EmissaryUnderTest()
        emissary.wrapper = Sandbox.asFirstProcess
        // The orphans wait for a lock that the command holds until it ends.
        let lock = emissary.path("lock")
        let script = """
            exec 9> \(lock); flock 9
            i=0; while [ $i -lt 200 ]; do (flock -s \(lock) true 9>&- &); i=$((i+1)); done
            exit 44
            """
        #expect(try emissary.run(shell: script).status == .exited(44))
        #expect(emissary.recordedCode == "44")
    }

    @Test func forwardsSignalsThatTheKernelKeepsFromAFirstProcess() throws {
        let emissary = try EmissaryUnderTest()
        emissary.wrapper = Sandbox.asFirstProcess
        // From inside its own process numbers, as the controller's `kill 15 1` does it.
        let script = """
            trap 'echo usr1' USR1; trap 'echo abrt' ABRT; trap 'exit 17' TERM
            setsid sh -c 'kill -USR1 1; kill -ABRT 1; sleep 0.5; kill -TERM 1' &
            while :; do sleep 0.05; done
            """
        let result = try emissary.run(shell: script)
        #expect(result.status == .exited(17))
        let said = Set(String(decoding: result.output, as: UTF8.self).split(separator: "\n"))
        #expect(said.isSuperset(of: ["usr1", "abrt"]))
    }
}

/// Kernels and profiles that lack or forbid what we like to use.
@Suite struct OldKernelTests {
    /// System calls of x86-64 that an old kernel lacks or an old seccomp profile forbids.
    private static let denied: [UInt32] = [
        434,  // pidfd_open
        435,  // clone3
        437,  // openat2
        439,  // faccessat2
        326,  // copy_file_range
        294,  // inotify_init1
        316,  // renameat2
    ]

    /// A program for the kernel's packet filter that answers these calls with an error number and allows all others.
    private func filter(answering code: Int32) -> [UInt8] {
        // First the call's number is loaded.
        var program: [(code: UInt16, ifTrue: UInt8, ifFalse: UInt8, value: UInt32)] = [(0x20, 0, 0, 0)]
        for (index, number) in Self.denied.enumerated() {
            program.append((0x15, UInt8(Self.denied.count - index), 0, number))  // equal: jump to the end
        }
        program.append((0x06, 0, 0, 0x7FFF_0000))  // allow
        program.append((0x06, 0, 0, 0x0005_0000 | UInt32(code)))  // fail
        return program.flatMap { step in
            [UInt8(step.code & 0xFF), UInt8(step.code >> 8), step.ifTrue, step.ifFalse]
                + (0..<4).map { UInt8(truncatingIfNeeded: step.value >> (8 * $0)) }
        }
    }

    #if arch(x86_64)
        @Test(arguments: [ENOSYS, EPERM])
        func worksWithoutNewSystemCalls(_ code: Int32) throws {
            let emissary = try EmissaryUnderTest(template: nil)
            let folder = emissary.folder.url.path
            let template = """
                {"archiveLocation": {"archiveLogs": true}, "container": {}, "sidecars": [{"name": "side"}],
                 "outputs": {"parameters": [{"name": "p", "valueFrom": {"path": "\(folder)/p"}}],
                 "artifacts": [{"name": "packed", "path": "\(folder)/big"},
                 {"name": "plain", "path": "\(folder)/big", "archive": {"none": {}}}]}}
                """
            try emissary.runDirectory.writeTemplate(Array(template.utf8))
            let file = emissary.path("filter")
            try SmallFile.write(file, filter(answering: code))
            emissary.wrapper = [
                "sh", "-c", "exec 9< \(file); exec bwrap --dev-bind / / --seccomp 9 \"$@\"", "sh",
            ]
            let result = try emissary.run(
                shell: "echo out; echo 1 > \(folder)/p; seq 1 1000000 > \(folder)/big; kill -TERM $$")
            #expect(result.status == .exited(143))
            #expect(result.output == Array("out\n".utf8))
            #expect(try emissary.text(emissary.container.combined) == "out\n")
            #expect(try emissary.text(emissary.runDirectory.parameterHandOver(emissary.path("p"))) == "1\n")
            let big = try SmallFile.read(emissary.path("big"))
            #expect(try SmallFile.read(emissary.runDirectory.artifactHandOver(name: "plain").plain) == big)
            #expect(try SmallFile.read(emissary.runDirectory.artifactHandOver(name: "packed").tarball).count > 1000)

            // Without inotify the others' files are noticed by looking.
            AtomicFile.remove(emissary.runDirectory.container("main").exitCode)
            AtomicFile.remove(emissary.runDirectory.container("main").alive)
            emissary.containerName = "side"
            let running = try emissary.start(shell: "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done")
            try running.waitForOutput("ready")
            try emissary.runDirectory.container("main").writeExitCode(0)
            #expect(try running.exitStatus() == .exited(5))
        }
    #endif

    @Test func looksForFilesWhereNoWatcherIsGranted() throws {
        let emissary = try EmissaryUnderTest()
        // A user's inotify instances are used up by other pods of that user.
        emissary.wrapper = [
            "unshare", "--user", "--map-root-user", "sh", "-c", "echo 0 > /proc/sys/user/max_inotify_instances; exec \"$@\"",
            "sh",
        ]
        let running = try emissary.start(shell: "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done")
        try running.waitForOutput("ready")
        #expect(!running.usesInotify)
        try emissary.container.writeSignal(15)
        #expect(try running.exitStatus() == .exited(5))
    }

    @Test func watchesFilesByInotifyWhereItCan() throws {
        let emissary = try EmissaryUnderTest()
        let running = try emissary.start(shell: "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done")
        try running.waitForOutput("ready")
        // Not at once: a command that ends soon shall not pay for it.
        try eventually("the files are watched") { running.usesInotify }
        running.signal(SIGTERM)
        #expect(try running.exitStatus() == .exited(5))
    }

    /// An image `FROM scratch`: nothing but what the pod mounts.
    @Test(.enabled(if: Checkout.executorIsStatic, "the program under test needs no shared library"))
    func runsInAnEmptyRoot() throws {
        let emissary = try EmissaryUnderTest(template: #"{"archiveLocation": {"archiveLogs": true}}"#)
        chmod(emissary.runDirectory.root.text, 0o777)
        emissary.variables["ARGOEXEC_RUN_DIRECTORY"] = "/var/run/argo"
        emissary.variables["ARGOEXEC_TERMINATION_LOG"] = "/nowhere"
        let executor = Checkout.executor.path
        emissary.wrapper = [
            "bwrap", "--unshare-user", "--uid", "8737", "--gid", "8737", "--unshare-pid", "--as-pid-1", "--proc", "/proc",
            "--bind", emissary.runDirectory.root.text, "/var/run/argo", "--ro-bind", executor, executor, "--remount-ro", "/",
        ]
        let result = try emissary.run([BytePath(executor), "version", "--short"])
        #expect(result.status == .exited(0))
        #expect(String(decoding: result.output, as: UTF8.self).hasPrefix("argoexec: "))
        #expect(try SmallFile.read(emissary.container.combined) == result.output)
        #expect(emissary.recordedCode == "0")
    }

    @Test func runsAsAnyUserOnAReadOnlyRoot() throws {
        let emissary = try EmissaryUnderTest(template: #"{"archiveLocation": {"archiveLogs": true}}"#)
        chmod(emissary.runDirectory.root.text, 0o777)
        emissary.wrapper = [
            "bwrap", "--unshare-user", "--uid", "8737", "--gid", "8737", "--ro-bind", "/", "/", "--dev", "/dev", "--proc",
            "/proc",
            "--bind", emissary.runDirectory.root.text, emissary.runDirectory.root.text,
        ]
        let result = try emissary.run(shell: "id -u; exit 2")
        #expect(result.status == .exited(2))
        #expect(result.output == Array("8737\n".utf8))
        #expect(emissary.recordedCode == "2")
    }
}

extension RunningEmissary {
    /// Whether the emissary (or what it was started by) holds an inotify instance.
    var usesInotify: Bool {
        let folder = "/proc/\(child.id)/fd"
        let names = (0..<64).map { "\(folder)/\($0)" }
        return names.contains { name in
            var buffer = [CChar](repeating: 0, count: 64)
            let length = readlink(name, &buffer, 63)
            return length > 0
                && String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self).contains("inotify")
        }
    }
}
