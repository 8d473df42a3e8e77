package import ExecutorCore
package import ProcessControl

/// A container engine with docker's command line, in the place of bubblewrap (`--engine docker|podman`).
package struct ContainerEngine: Sendable, Equatable {
    /// Its file.
    package let program: BytePath
    /// The environment of the engine's own client.
    package let environment: ProcessEnvironment

    /// Finds the engine's program: a name on the PATH, or a path.
    ///
    /// - Throws: `SandboxProblem` where there is none of that name.
    package init(_ name: String, environment: ProcessEnvironment = .original()) throws(SandboxProblem) {
        self.environment = environment
        do { program = try ProgramSearch.find(BytePath(name), searchPath: environment["PATH"]) } catch {
            throw SandboxProblem(message: "start a container: the engine '\(name)' is not installed: \(error.message)")
        }
    }

    /// Variables that steer the client itself, so that a container's values for them go on its command line.
    private static let steering = [
        "BUILDAH_", "CONTAINER", "DBUS_", "DOCKER_", "GODEBUG", "HOME", "HTTP", "LD_", "NO_PROXY", "PATH", "PODMAN_",
        "SSL_CERT",
        "STORAGE_", "TMPDIR", "XDG_", "all_proxy", "http", "no_proxy",
    ]

    /// The whole command that runs a container, the program's own name first.
    ///
    /// - Parameters:
    ///   - image: what the engine is to run.
    ///   - name: by which the container can be ended.
    func runCommand(for plan: SandboxPlan, image: String, name: String) -> [BytePath] {
        var words: [BytePath] = [
            program.base, "run", "--rm", "--name", BytePath(name), "--network", "host", "--log-driver", "none",
            "--security-opt",
            "label=disable",
        ]
        for mount in plan.mounts {
            guard let source = mount.source else { continue }
            let fields = [
                "type=bind".utf8.map { $0 }, Array("source=".utf8) + source.bytes, Array("target=".utf8) + mount.target.bytes,
            ]
            words += ["--mount", BytePath(bytes: Self.record(fields + (mount.isReadOnly ? [Array("readonly".utf8)] : [])))]
        }
        for variable in plan.variables.variables {
            // Values come from the client's environment where they can: command lines are seen by every user.
            let isByName = canPass(variable)
            let value = isByName ? [] : [UInt8(ascii: "=")] + variable.value
            words += ["--env", BytePath(bytes: Array(variable.name.utf8) + value)]
        }
        if plan.hasExplicitUser {
            words += ["--user", BytePath("\(plan.identity.user):\(plan.identity.group)")]
            for group in plan.identity.groups { words += ["--group-add", BytePath(String(group))] }
        }
        if plan.hasExplicitDirectory { words += ["--workdir", plan.workingDirectory] }
        if plan.hasReadOnlyRoot { words.append("--read-only") }
        if plan.capabilities.isPrivileged { words.append("--privileged") }
        for capability in plan.capabilities.dropped { words += ["--cap-drop", BytePath(capability)] }
        for capability in plan.capabilities.added { words += ["--cap-add", BytePath(capability)] }
        var command = plan.command.map { BytePath(bytes: $0) }
        if plan.hasExplicitCommand, !command.isEmpty { words += ["--entrypoint", command.removeFirst()] }
        return words + [BytePath(image)] + command
    }

    /// The client's environment: its own, and the container's values that go by name.
    func clientEnvironment(for plan: SandboxPlan) -> ProcessEnvironment {
        var environment = environment
        for variable in plan.variables.variables where canPass(variable) {
            environment.set(variable.name, to: BytePath(bytes: variable.value))
        }
        return environment
    }

    /// The command that ends a container at once.
    func killCommand(name: String) -> [BytePath] { [program.base, "kill", BytePath(name)] }

    private func canPass(_ variable: ContainerEnvironment.Variable) -> Bool {
        !Self.steering.contains { variable.name.hasPrefix($0) }
    }

    /// Fields as a line of comma-separated values.
    private static func record(_ fields: [[UInt8]]) -> [UInt8] {
        let quoted = fields.map { field -> [UInt8] in
            guard field.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else { return field }
            let inner = field.flatMap { $0 == 0x22 ? [0x22, 0x22] : [$0] }
            return [0x22] + inner + [0x22]
        }
        return Array(quoted.joined(separator: [UInt8(ascii: ",")]))
    }
}
