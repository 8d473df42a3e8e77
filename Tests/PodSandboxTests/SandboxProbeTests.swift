import Foundation
import PodSandbox
import SandboxTestSupport
import SystemSupport
import Testing

/// Finding out whether sandboxes work, and what to do where they do not.
@Suite struct SandboxProbeTests {
    private let folder: BytePath
    private var probe: BubblewrapProbe

    init() throws {
        folder = BytePath(NSTemporaryDirectory()).appending(BytePath("probe-\(UUID().uuidString)"))
        _ = try runShell("mkdir -p \"$1/bin\" \"$1/machine/proc/sys/kernel\" \"$1/machine/proc/sys/user\"", [folder])
        probe = BubblewrapProbe(searchPath: folder.appending("bin"))
        probe.machine = folder.appending("machine")
    }

    /// Puts a stand-in in bubblewrap's place.
    private func install(_ script: String) throws {
        let file = folder.appending("bin/bwrap")
        try SmallFile.write(file, Array("#!/bin/sh\n\(script)\n".utf8), mode: 0o755)
    }

    private func set(_ setting: BytePath, _ text: String) throws {
        let file = folder.appending("machine").appending(setting)
        _ = try runShell("mkdir -p \"$(dirname \"$1\")\"", [file])
        try SmallFile.write(file, Array(text.utf8))
    }

    private func message() -> String? {
        do throws(SandboxProblem) {
            _ = try probe.run()
            return nil
        } catch { return error.message }
    }

    @Test func namesThePackageWhereBubblewrapIsMissing() {
        #expect(message()?.contains("install the package 'bubblewrap'") == true)
        probe.searchPath.map { #expect($0 == folder.appending("bin")) }
    }

    @Test(.enabled(if: SandboxFixture.isUsable, "bubblewrap does not work on this machine"))
    func takesTheRealOneForGood() throws {
        let found = try SandboxFixture.bubblewrap.get()
        #expect(found.program.base == "bwrap")
        #expect((found.mode == .privileged) == (geteuid() == 0))
    }

    @Test func takesUserNamespacesWhereMountingIsForbidden() throws {
        try install(
            """
            for word; do [ "$word" = --unshare-user ] && { echo 'bwrap: execvp /argoexec-probe: No such file or directory' >&2; exit 1; }; done
            echo 'bwrap: Creating new namespace failed: Operation not permitted' >&2; exit 1
            """)
        #expect(try probe.run().mode == .userNamespace)
    }

    @Test func namesTheSettingThatForbidsUserNamespaces() throws {
        try install("echo 'bwrap: No permissions to create new namespace' >&2; exit 1")
        try set("proc/sys/kernel/unprivileged_userns_clone", "0\n")
        #expect(message()?.contains("'sudo sysctl -w kernel.unprivileged_userns_clone=1'") == true)
        try set("proc/sys/kernel/unprivileged_userns_clone", "1\n")
        try set("proc/sys/user/max_user_namespaces", "0\n")
        #expect(message()?.contains("'sudo sysctl -w user.max_user_namespaces=15000'") == true)
        #expect(message()?.contains("No permissions to create new namespace") == true)
    }

    @Test func namesUbuntusRule() throws {
        try install("echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1")
        try set("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n")
        try set("proc/sys/user/max_user_namespaces", "95000\n")
        #expect(message()?.contains("'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0'") == true)
    }

    @Test func namesTheLimitOfNamespaces() throws {
        try install(
            "echo 'bwrap: Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)' >&2; exit 1"
        )
        #expect(message()?.contains("the limit of namespaces is reached") == true)
    }

    @Test func namesTheOptionsOfTheContainerThatWeAreIn() throws {
        try install("echo \"bwrap: Can't mount proc on /newroot/proc: Operation not permitted\" >&2; exit 1")
        try set(".dockerenv", "")
        let docker = message()
        #expect(docker?.contains("'docker run --privileged'") == true)
        #expect(
            docker?.contains(
                "--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined")
                == true)
        try set("run/.containerenv", "")
        #expect(message()?.contains("'podman run --privileged'") == true)
        #expect(message()?.contains("unmask=ALL") == true)
    }

    @Test func tellsAContainerByItsControlGroup() throws {
        try install("exit 1")
        try set("proc/1/cgroup", "0::/kubepods/besteffort/podx/y\n")
        #expect(message()?.contains("--privileged") == true)
        #expect(message()?.contains("bwrap exited with code 1 and no error message") == true)
    }

    @Test func keepsItsMessagesToOneLine() throws {
        try install("printf 'something\\nbwrap: one\\nmore\\n' >&2; exit 1")
        #expect(message()?.hasPrefix("start a sandbox: bwrap: one: ") == true)
        #expect(message()?.contains("\n") == false)
    }

    /// A filter that forbids what docker's default profile forbids to a container without privileges.
    @Test(
        .enabled(
            if: SandboxFixture.isUsable && access("/usr/bin/python3", X_OK) == 0, "needs bubblewrap and /usr/bin/python3"))
    func seesThroughARealFilter() throws {
        let filter = """
            import ctypes, os, struct, sys, platform
            numbers = {'x86_64': (56, 272, 165, 435), 'aarch64': (220, 97, 40, 435)}[platform.machine()]
            clone, unshare, mount, clone3 = numbers
            def rule(code, k, jt=0, jf=0): return struct.pack('HBBI', code, jt, jf, k)
            load, jeq, jset, ret = 0x20, 0x15, 0x45, 0x06
            deny, allow, nosys = 0x00050000 | 1, 0x7fff0000, 0x00050000 | 38
            program = b''.join([
                rule(load, 0), rule(jeq, clone, 0, 2), rule(load, 16), rule(jset, 0x7e020000, 4, 5),
                rule(jeq, unshare, 3, 0), rule(jeq, mount, 2, 0), rule(jeq, clone3, 0, 2),
                rule(ret, nosys), rule(ret, deny), rule(ret, allow)])
            buffer = ctypes.create_string_buffer(program, len(program))
            class Filter(ctypes.Structure): _fields_ = [('count', ctypes.c_ushort), ('rules', ctypes.c_void_p)]
            libc = ctypes.CDLL(None, use_errno=True)
            assert libc.prctl(38, 1, 0, 0, 0) == 0
            f = Filter(len(program) // 8, ctypes.addressof(buffer))
            assert libc.prctl(22, 2, ctypes.byref(f)) == 0, ctypes.get_errno()
            os.execv(sys.argv[1], ['bwrap'] + sys.argv[2:])
            """
        try SmallFile.write(folder.appending("filter.py"), Array(filter.utf8))
        let real = try SandboxFixture.bubblewrap.get().program
        try install("exec /usr/bin/python3 '\(folder)/filter.py' '\(real)' \"$@\"")
        try set(".dockerenv", "")
        let text = try #require(message())
        #expect(text.contains("Operation not permitted") || text.contains("No permissions"), "\(text)")
        #expect(text.contains("'docker run --privileged'"))
    }
}
