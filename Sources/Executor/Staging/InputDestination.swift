import ExecutorCore
import FileTrees
import WorkflowModel

/// Where an input artifact comes to be, and what others can do there meanwhile (contract 05 C15).
struct InputDestination: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        /// `/argo/inputs/artifacts/NAME`: ours alone until the main container starts. No link is followed. What an earlier run of the
        /// pod has left under the name is replaced.
        case inputs
        /// On a volume of the user's, of which these are the mount points. Links lead to where they lead in the user's container, but
        /// not out of its volumes. What has the name is the user's: a file is replaced, a directory that is not empty is an error.
        case volume(mounts: [BytePath])
        /// In the root of a step's folder, which began empty. Links lead to where they would lead in the user's container. What has
        /// the name came with another artifact and is replaced, as a mount hides it in a pod.
        case folder
    }

    let kind: Kind
    /// The place that is trusted by its path.
    let root: BytePath
    /// The artifact beneath it.
    let path: BytePath

    /// The whole path.
    var target: BytePath { root.appending(path) }

    /// Whether whatever has the name goes.
    var isReplacing: Bool {
        if case .volume = kind { false } else { true }
    }

    /// Opens the directory in which the artifact comes to be, made with what is missing above it, mode 0700 (contract 03 §2). From
    /// here on all is done in this directory, whatever becomes of the path.
    ///
    /// - Throws: EINVAL for an artifact that would be the root itself; ELOOP, ENOTDIR or EXDEV for links that lead nowhere or out;
    ///   `ExecutorError` for those that lead out of the volumes.
    func open() throws -> (parent: ContainedDirectory, name: BytePath) {
        let place =
            switch kind {
            case .inputs: try SharedPlace(making: root, mode: 0o700)
            case .volume: try SharedPlace(making: root, mode: 0o700, resolution: .inRoot)
            case .folder: try SharedPlace(root.directory).place(root.base, resolution: .inRoot)
            }
        let components = path.components
        if components.count > 1 {
            try place.directory.makeDirectories(BytePath.joining(components.dropLast()), mode: 0o700)
        }
        let (parent, name) = try place.directory.parent(of: path)
        if case .volume(let mounts) = kind { try requireVolume(parent, name, mounts, place) }
        return (parent, name)
    }

    /// A link may lead to a directory that is on no volume: the user's container would not see what is written there.
    private func requireVolume(
        _ parent: ContainedDirectory, _ name: BytePath, _ mounts: [BytePath], _ place: SharedPlace
    ) throws {
        guard let real = parent.realPath?.appending(name), let home = place.directory.realPath else { return }
        guard mounts.contains(where: { real.isAtOrBelow(BytePath(bytes: home.bytes + $0.bytes).cleaned) }) else {
            throw ExecutorError.badRequest("write \(target): a symbolic link leads out of the volumes, to \(real)")
        }
    }
}
