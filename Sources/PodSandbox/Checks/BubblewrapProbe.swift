import FileTrees
import Glibc
import ProcessControl
package import SystemSupport

/// Why this machine cannot make sandboxes, and what mends it.
package struct SandboxProblem: ClassifiedError, Sendable, Equatable {
    /// One line: what failed, and the setting, option or package that helps.
    package let message: String
}

/// Finds out whether bubblewrap works here before anything is started.
package struct BubblewrapProbe: Sendable {
    /// Where programs are looked for.
    package var searchPath: BytePath?
    /// The root of the machine whose settings are read.
    package var machine: BytePath = "/"

    package init(searchPath: BytePath?) { self.searchPath = searchPath }

    /// Sets up an empty sandbox, as root without a user namespace where that is allowed, else with one.
    package func run() throws(SandboxProblem) -> Bubblewrap {
        let program: BytePath
        do { program = try ProgramSearch.find("bwrap", searchPath: searchPath) } catch {
            throw SandboxProblem(
                message: "start a sandbox: bubblewrap (bwrap) is not installed: install the package 'bubblewrap' "
                    + "(apt-get, dnf, apk, pacman and zypper all have it by this name), or choose --engine docker or podman")
        }
        if isPrivileged, failure(of: program, .privileged) == nil { return Bubblewrap(program: program, mode: .privileged) }
        guard let failure = failure(of: program, .userNamespace) else {
            return Bubblewrap(program: program, mode: .userNamespace)
        }
        throw SandboxProblem(message: "start a sandbox: \(failure): \(remedy(for: failure))")
    }

    /// Whether we are root with the right to mount.
    private var isPrivileged: Bool {
        guard geteuid() == 0, let status = try? SmallFile.read("/proc/self/status", limit: 1 << 16) else { return false }
        for line in String(decoding: status, as: UTF8.self).split(separator: "\n") where line.hasPrefix("CapEff:") {
            let digits = line.dropFirst("CapEff:".count).drop { $0 == "\t" || $0 == " " }
            // CAP_SYS_ADMIN
            return UInt64(digits, radix: 16).map { $0 & (1 << 21) != 0 } ?? false
        }
        return false
    }

    /// What bubblewrap says when it cannot make a sandbox; nil when it can.
    ///
    /// The command does not exist: to get as far as missing it, everything else must have worked.
    private func failure(of program: BytePath, _ mode: Bubblewrap.Mode) -> String? {
        let missing: BytePath = "/argoexec-probe"
        var words: [BytePath] = [program]
        if mode == .userNamespace { words.append("--unshare-user") }
        words += [
            "--tmpfs", "/", "--proc", "/proc", "--dev", "/dev", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--as-pid-1",
            "--die-with-parent", "--", missing,
        ]
        var process = Subprocess(Spawner(program: program, arguments: words, environment: ProcessEnvironment([])))
        process.deadline = monotonicNanoseconds() + 20_000_000_000
        let result: Subprocess.Result
        do { result = try process.run() } catch { return errorText(error) }
        let said = result.explanation()
        if said.contains("execvp \(missing)") { return nil }
        // Its own lines, where there are any.
        let own = result.error.split(separator: UInt8(ascii: "\n")).filter { $0.starts(with: "bwrap: ".utf8) }
        if !own.isEmpty { return ProgramText.line(Array(own.joined(separator: [UInt8(ascii: "\n")])), atMost: 1000) }
        return said.isEmpty ? "bwrap exited with code \(result.status.code) and no error message" : said
    }

    // MARK: Remedies

    private func remedy(for failure: String) -> String {
        if setting("kernel/unprivileged_userns_clone") == 0 {
            return "user namespaces are switched off: run 'sudo sysctl -w kernel.unprivileged_userns_clone=1'"
        }
        if setting("user/max_user_namespaces") == 0 {
            return "no user namespaces are allowed: run 'sudo sysctl -w user.max_user_namespaces=15000'"
        }
        if failure.contains("ENOSPC") || failure.contains("No space left") {
            return "the limit of namespaces is reached: raise it, e.g. 'sudo sysctl -w user.max_user_namespaces=15000'"
        }
        if setting("kernel/apparmor_restrict_unprivileged_userns") == 1 {
            return "AppArmor forbids user namespaces (Ubuntu 23.10 and later): run "
                + "'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0', or give bwrap an AppArmor profile with "
                + "'userns,' in it"
        }
        if let engine = container {
            let unmask = engine == "podman" ? "unmask=ALL" : "systempaths=unconfined"
            return "this container may not make namespaces or mount: start it with '\(engine) run --privileged', or with "
                + "'--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt \(unmask)'"
        }
        if failure.contains("Invalid argument") || failure.contains("does not support user namespaces") {
            return "the kernel has no user namespaces (CONFIG_USER_NS): run as root, or choose --engine docker or podman"
        }
        return "something forbids namespaces or mounts, such as a seccomp filter or a security module: run as root, or choose "
            + "--engine docker or podman"
    }

    private func setting(_ name: BytePath) -> Int? {
        let file = machine.appending("proc/sys").appending(name)
        guard let text = try? SmallFile.read(file, limit: 64) else { return nil }
        return Int(String(decoding: text.filter { (0x30...0x39).contains($0) }, as: UTF8.self))
    }

    /// The engine in whose container we run, as far as can be told.
    private var container: String? {
        if exists("run/.containerenv") { return "podman" }
        if exists(".dockerenv") { return "docker" }
        let groups = (try? SmallFile.read(machine.appending("proc/1/cgroup"), limit: 1 << 16)) ?? []
        let text = String(decoding: groups, as: UTF8.self)
        return ["docker", "containerd", "kubepods", "lxc"].contains { hasPart(text, $0) } ? "docker" : nil
    }

    private func hasPart(_ text: String, _ word: String) -> Bool {
        text.split { "/:-.\n".contains($0) }.contains { $0 == word }
    }

    private func exists(_ path: BytePath) -> Bool {
        (try? FileStatus.of(machine.appending(path), followingLinks: true)) != nil
    }
}
