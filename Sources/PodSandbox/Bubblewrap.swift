import Glibc
import ProcessControl
package import SystemSupport

/// Bubblewrap, as it works on this machine.
package struct Bubblewrap: Sendable, Equatable {
    /// What makes its sandboxes possible.
    package enum Mode: Sendable, Equatable {
        /// We are root and may mount: users in a sandbox are real.
        case privileged
        /// A user namespace in which one user is mapped: ourselves.
        case userNamespace
    }

    /// Its file.
    package let program: BytePath
    package let mode: Mode

    package init(program: BytePath, mode: Mode) {
        self.program = program
        self.mode = mode
    }

    /// The words by which bubblewrap sets up a container, but for its command.
    ///
    /// - Parameter statusDescriptor: where it tells of its child.
    func options(for plan: SandboxPlan, statusDescriptor: Int32) -> [BytePath] {
        var words: [BytePath] = [
            "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--as-pid-1", "--die-with-parent", "--clearenv",
            "--hostname", BytePath(plan.hostname), "--json-status-fd", BytePath(String(statusDescriptor)),
        ]
        words += privileges(plan)
        words += ["--bind", plan.root, "/"]
        for entry in plan.mounts {
            if let source = entry.source {
                words += [entry.isReadOnly ? "--ro-bind" : "--bind", source, entry.target]
            } else {
                words += [entry.target == "/proc" ? "--proc" : "--dev", entry.target]
            }
        }
        if mode == .privileged, !plan.capabilities.isPrivileged {
            // They belong to root, whatever root may do otherwise.
            for place: BytePath in ["/proc/sys", "/proc/fs"] { words += ["--ro-bind-try", place, place] }
        }
        // Not our terminal, to which a session of its own would be the other bar (see `SandboxKeeper`). A device that is mounted so
        // cannot be opened.
        words += ["--ro-bind", "/dev/null", "/dev/tty"]
        if plan.hasReadOnlyRoot { words += ["--remount-ro", "/"] }
        for variable in plan.variables.variables {
            words += ["--setenv", BytePath(variable.name), BytePath(bytes: variable.value)]
        }
        return words + ["--chdir", plan.workingDirectory]
    }

    /// The container's command as bubblewrap is to run it.
    func command(for plan: SandboxPlan) -> [BytePath] {
        let command = plan.command.map { BytePath(bytes: $0) }
        guard case .switched(let setpriv) = plan.identity.method else { return command }
        let groups = plan.identity.groups.map { String($0) }.joined(separator: ",")
        return [
            setpriv, "--reuid", BytePath(String(plan.identity.user)), "--regid", BytePath(String(plan.identity.group)),
            groups.isEmpty ? "--clear-groups" : BytePath("--groups=\(groups)"),
            // Another user's signal would be cancelled with the change.
            "--pdeathsig", "KILL", "--",
        ] + command
    }

    private func privileges(_ plan: SandboxPlan) -> [BytePath] {
        let numbers: [BytePath] = [
            "--uid", BytePath(String(plan.identity.user)), "--gid", BytePath(String(plan.identity.group)),
        ]
        if plan.identity.method == .mapped {
            return ["--unshare-user"] + numbers + ["--cap-drop", "ALL"]
                + (plan.identity.user == 0 ? Self.granting(plan.capabilities) : [])
        }
        var words: [BytePath] = ["--cap-drop", "ALL"]
        if case .switched = plan.identity.method {
            // For the change of user, after which none is left.
            words += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
            if plan.identity.user != 0 { return words }
        }
        return words + Self.granting(plan.capabilities)
    }

    private static func granting(_ capabilities: CapabilitySet) -> [BytePath] {
        if capabilities.isUnlimited { return ["--cap-add", "ALL"] }
        return capabilities.names.flatMap { ["--cap-add", BytePath("CAP_\($0)")] as [BytePath] }
    }
}
