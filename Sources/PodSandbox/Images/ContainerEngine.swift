package import ProcessControl
package import SystemSupport

/// A container engine with docker's command line, which runs the pods' containers in the place of bubblewrap (`--engine`).
///
/// The user's containers are of their own images. Those of the executor's image are of an empty one, made once, in which they find
/// our own program and this machine's others, as in bubblewrap: no registry is asked for an executor.
package struct ContainerEngine: Sendable, Equatable {
    /// Its file.
    package let program: BytePath
    /// Options of the engine itself, which go before the verb.
    package let options: [BytePath]
    /// The environment of the engine's own client.
    package let environment: ProcessEnvironment

    /// The image of the executor's own containers. With the registry `localhost` none is ever asked for it.
    static let executorImage = "localhost/argoexec-empty:1"
    /// Says which pod's folder a container belongs to.
    private static let label = "argoexec.pod"

    /// Finds the engine's program: a name on the PATH, or a path; after it options of the engine itself may follow, with blanks
    /// between them (`podman --root DIR`).
    ///
    /// - Throws: `SandboxProblem` where there is none of that name.
    package init(_ text: String, environment: ProcessEnvironment = .original()) throws(SandboxProblem) {
        self.environment = environment
        // A path may have blanks in it.
        if let program = try? ProgramSearch.find(BytePath(text), searchPath: environment["PATH"]) {
            (self.program, options) = (program, [])
            return
        }
        let words = text.split(separator: " ").map(String.init)
        let name = words.first ?? ""
        options = words.dropFirst().map { BytePath($0) }
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
    ///   - folder: of its pod, for those who find it when we are gone.
    func runCommand(for plan: SandboxPlan, image: String, name: String, folder: BytePath) -> [BytePath] {
        var words = command(runWords(name: name, folder: folder))
        if image == Self.executorImage { words += ["--pull", "never"] }
        for mount in plan.mounts {
            guard let source = mount.source else { continue }
            words += mountWords(HostMount(source: source, path: mount.target, isReadOnly: mount.isReadOnly))
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

    /// The command that sends a signal to a container's first process.
    func killCommand(name: String, signal: Int32) -> [BytePath] {
        command(["kill", "--signal", BytePath(String(signal)), BytePath(name)])
    }

    /// The engine's command with a verb and its words.
    func command(_ words: [BytePath]) -> [BytePath] { [program.base] + options + words }

    /// The words of every container that is run.
    func runWords(name: String, folder: BytePath) -> [BytePath] {
        [
            "run", "--rm", "--name", BytePath(name), "--label", BytePath(bytes: Array("\(Self.label)=".utf8) + folder.bytes),
            "--network", "host", "--log-driver", "none", "--security-opt", "label=disable",
        ]
    }

    func mountWords(_ mount: HostMount) -> [BytePath] {
        let fields = [
            Array("type=bind".utf8), Array("source=".utf8) + mount.source.bytes, Array("target=".utf8) + mount.path.bytes,
        ]
        return ["--mount", BytePath(bytes: Self.record(fields + (mount.isReadOnly ? [Array("readonly".utf8)] : [])))]
    }

    /// Removes the containers of a pod whose runner was killed, whether they run or not.
    package func removeContainers(ofPodIn folder: BytePath) {
        let filter = BytePath(bytes: Array("label=\(Self.label)=".utf8) + folder.bytes)
        guard let found = try? perform(["ps", "--all", "--quiet", "--filter", filter]), found.status == .exited(0) else {
            return
        }
        let names = found.output.split(separator: 0x0A).map { BytePath(bytes: $0) }
        if !names.isEmpty { _ = try? perform(["rm", "--force"] + names) }
    }

    /// How long a command that runs no container may take, in nanoseconds.
    private static let patience: Int64 = 60_000_000_000

    /// Runs a command of the engine's to its end.
    func perform(_ words: [BytePath], input: [UInt8] = []) throws -> Subprocess.Result {
        var process = Subprocess(Spawner(program: program, arguments: command(words), environment: environment))
        process.input = input
        process.deadline = monotonicNanoseconds() + Self.patience
        return try process.run()
    }

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
