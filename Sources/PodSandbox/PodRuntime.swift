package import Documents
import FileTrees
import ProcessControl
import RunDirectory
package import SystemSupport

/// Runs pods on this machine: each container in a sandbox of its own, volumes as folders, and the controller's and the node's part
/// in a pod's life. May be used by several threads at once.
package final class PodRuntime: Sendable {
    private let settings: SandboxSettings
    private let machine: MachineRoot
    private let keeper = SandboxKeeper()

    /// - Throws: `SystemError` where the executor's own program cannot be found.
    package init(_ settings: SandboxSettings) throws {
        var settings = settings
        settings.executor = try ProcessAttributes.realPath(of: settings.executor)
        self.settings = settings
        machine = MachineRoot()
    }

    private init(settings: SandboxSettings, machine: MachineRoot) {
        self.settings = settings
        self.machine = machine
    }

    /// The same runtime with claims that are kept elsewhere.
    package func with(claimFolders: [String: BytePath]) -> PodRuntime {
        var settings = settings
        settings.claimFolders = claimFolders
        return PodRuntime(settings: settings, machine: machine)
    }

    /// What is to be said of pods before any of them is run, each thing once: what is missing, what has no effect here, and
    /// which images this machine's own programs stand in for.
    package func preflight(_ pods: [JSONValue]) -> [Finding] {
        PodCheck(settings: settings).problems(of: pods)
    }

    /// Runs one pod to its end, on the calling thread.
    ///
    /// - Parameters:
    ///   - folder: where all of it is kept; what an earlier run has left there goes first.
    ///   - attachment: for containers of the executor's image, after that of the settings.
    ///   - stops: any of them ends the pod.
    ///   - observer: is told what happens, on the calling thread; where it is nil containers write to their logs themselves.
    /// - Throws: what keeps the pod from being run at all: a `Finding`, `ExecutorError` or `SystemError`. How its containers
    ///   end is no error.
    package func run(
        _ pod: JSONValue, in folder: PodFolder, attachment: ExecutorAttachment = ExecutorAttachment(), stops: [PodStop] = [],
        observer: ((PodEvent) -> Void)? = nil
    ) throws -> PodOutcome {
        try DirectoryIO.makeDirectories(folder.path, mode: 0o755)
        let folder = PodFolder(try ProcessAttributes.realPath(of: folder.path))
        let lock = try PodLock(folder)
        defer { withExtendedLifetime(lock) {} }
        try folder.prepare()
        let document = try PodManifest(pod).withUniqueID()
        let manifest = try PodManifest(document)
        try PodCheck.checkNames(of: manifest)
        try AtomicFile.write(folder.pod, document.serialized() + [0x0A], mode: 0o600)
        try settings.objects.made.keep(manifest.name, in: folder.configMap)

        let volumes = try VolumeSet(of: manifest, in: folder, settings: settings, group: volumeGroup(of: manifest))
        // Secrets are found again where they came from; a kept folder may be shown to others.
        defer {
            withExtendedLifetime(volumes.secrets) {}
            try? TreeRemoval.remove(folder.secrets)
        }
        let planner = ContainerPlanner(
            pod: manifest, folder: folder, settings: settings, machine: machine, volumes: volumes, attachment: attachment)
        let outcome = try PodRun(planner: planner, keeper: keeper, stops: stops, observer: observer).run()
        if outcome.isSuccess, !settings.keepsRoots {
            do { try folder.removeRoots(of: manifest.allContainers.map(\.name)) } catch {
                settings.log.warn("cannot remove a container's root", ["error": .error(error)])
            }
        }
        return outcome
    }

    /// Groups are real only where users are.
    private func volumeGroup(of pod: PodManifest) -> UInt32? {
        guard case .bubblewrap(let bubblewrap) = settings.runtime, bubblewrap.mode == .privileged else { return nil }
        return pod.securityContext.field("fsGroup")?.int.flatMap(UInt32.init(exactly:))
    }
}
