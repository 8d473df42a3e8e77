import FileTrees
import SystemSupport
import WorkflowModel

/// Where an input artifact comes to be, and what others can do there meanwhile (contract 05 C15).
struct InputDestination: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        /// `/argo/inputs/artifacts/NAME`: ours alone until the main container starts. No link is followed. What an earlier run of the
        /// pod has left under the name is replaced.
        case inputs
        /// On a volume of the user's, of which these are the mount points. Links lead to where they lead in the user's container, but
        /// only to volumes that it may write to. What has the name is the user's: a file is replaced by a file, a directory that is not
        /// empty is an error.
        case volume(mounts: [Mount])
        /// In the root of a step's folder, which began empty. Links lead to where they would lead in the user's container. What has
        /// the name came with another artifact and is replaced, as a mount hides it in a pod.
        case folder
    }

    /// A mount point of the user's container, in its own root.
    struct Mount: Sendable, Equatable {
        let path: BytePath
        let isReadOnly: Bool
    }

    let kind: Kind
    /// The place that is trusted by its path.
    let root: BytePath
    /// The artifact beneath it.
    let path: BytePath
    /// Where another input of this run has its place above, on a volume: how many components lead to the directory that holds that
    /// place. From there on no link is followed, since it may have come with the other input. As many as `path` has where there is none.
    private var trusted: Int

    init(kind: Kind, root: BytePath, path: BytePath) {
        self.kind = kind
        self.root = root
        self.path = path
        trusted = path.components.count
    }

    /// The same, beside other inputs of the same run.
    func beside(_ others: [InputDestination]) -> InputDestination {
        var result = self
        for other in others where other.target != target && target.isAtOrBelow(other.target) {
            result.trusted = min(result.trusted, max(other.path.components.count - 1, 0))
        }
        return result
    }

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
        let components = path.components
        switch kind {
        case .inputs:
            return try making(components, in: try SharedPlace(making: root, mode: 0o700))
        case .volume(let mounts):
            let place = try SharedPlace(making: root, mode: 0o700, resolution: .inRoot)
            return try VolumeDestination(place: place, components: components, trusted: trusted, mounts: mounts).open()
        case .folder:
            return try making(components, in: try SharedPlace(root.directory).place(root.base, resolution: .inRoot))
        }
    }

    private func making(
        _ components: [BytePath], in place: SharedPlace
    ) throws(SystemError) -> (parent: ContainedDirectory, name: BytePath) {
        if components.count > 1 {
            try place.directory.makeDirectories(BytePath.joining(components.dropLast()), mode: 0o700)
        }
        let (parent, name) = try place.directory.parent(of: path)
        return (parent, name)
    }
}
