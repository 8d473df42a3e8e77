import Archiving
import FileTrees
import Glibc
import ProcessControl
package import SystemSupport

/// Finds out whether a container engine works here before anything is started, and makes the image that our own containers are of.
package struct EngineProbe {
    let engine: ContainerEngine
    /// The program that our own containers run.
    let executor: BytePath
    let machine: MachineRoot

    /// Where our own containers find the program.
    static let executorFolder: BytePath = "/.argoexec/bin"

    package init(_ engine: ContainerEngine, executor: BytePath, machine: MachineRoot = MachineRoot()) {
        self.engine = engine
        self.executor = executor
        self.machine = machine
    }

    /// Runs our own program once by the engine, as the executor's containers will be.
    ///
    /// - Parameter memory: where secrets are to be kept.
    /// - Returns: the same, or none where containers of this engine cannot see it: its daemon may have its own file system.
    /// - Throws: `SandboxProblem` with what the engine says, and what mends it.
    package func run(memory: MemoryFolders) throws -> MemoryFolders {
        // Asks the daemon, where there is one.
        if let failure = failure(of: ["ps", "--quiet"]) { throw problem("ps", failure) }
        if failure(of: ["image", "inspect", BytePath(ContainerEngine.executorImage)]) != nil {
            let image = try emptyImage(in: memory.places.first ?? "/tmp")
            if let failure = failure(of: ["import", "-", BytePath(ContainerEngine.executorImage)], input: image) {
                throw problem("import", failure)
            }
        }
        let program = HostMount(
            source: try ProcessAttributes.realPath(of: executor), path: Self.executorFolder.appending("argoexec"),
            isReadOnly: true)
        let mounts = machine.mounts + [program]
        if let place = memory.places.first {
            let probe = try HeldFolder(in: place, prefix: "argoexec-probe-")
            let isVisible =
                failure(of: trial(mounts + [HostMount(source: probe.path, path: "/.argoexec/memory", isReadOnly: true)])) == nil
            try probe.remove()
            if isVisible { return memory }
        }
        if let failure = failure(of: trial(mounts)) { throw problem("run", failure) }
        return .none
    }

    private func trial(_ mounts: [HostMount]) -> [BytePath] {
        let name = "argoexec-" + hexadecimal((0..<8).map { _ in UInt8.random(in: 0...255) })
        return engine.runWords(name: name, folder: "/") + ["--pull", "never"] + mounts.flatMap(engine.mountWords)
            + ["--entrypoint", Self.executorFolder.appending("argoexec"), BytePath(ContainerEngine.executorImage), "version"]
    }

    /// What the engine says when a command fails; nil when it succeeds.
    private func failure(of words: [BytePath], input: [UInt8] = []) -> String? {
        do {
            let result = try engine.perform(words, input: input)
            if result.status == .exited(0) { return nil }
            let lines = String(decoding: result.error, as: UTF8.self).split(whereSeparator: \.isNewline)
            // docker ends with how to get help, in a paragraph of its own.
            return lines.last { !$0.hasPrefix("See '") && !$0.hasPrefix("Run '") }.map(String.init) ?? "\(result.status)"
        } catch { return errorText(error) }
    }

    private func problem(_ verb: String, _ failure: String) -> SandboxProblem {
        let name = engine.program.base.text
        var remedy = ""
        if verb == "ps" {
            remedy =
                failure.contains("permission denied")
                ? ": run as root, or become a member of the group that may use \(name)"
                : ": start \(name)'s service, or leave --engine away to use bubblewrap"
        }
        return SandboxProblem(message: "start a container: \(name) \(verb): \(failure)\(remedy)")
    }

    /// An image of empty folders, as a tar file.
    private func emptyImage(in folder: BytePath) throws -> [UInt8] {
        let held = try HeldFolder(in: folder, prefix: "argoexec-image-")
        defer { try? held.remove() }
        let root = held.path.appending("root")
        try DirectoryIO.makeDirectory(AT_FDCWD, root, mode: 0o755, subject: root.text)
        try machine.layFolders(in: root)
        let sink = MemorySink()
        try Tar.pack("root", in: try ContainedDirectory(held.path), named: ".", into: sink)
        return sink.bytes
    }
}
