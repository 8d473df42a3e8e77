import FileTrees
import Glibc
import ProcessControl
import RunDirectory
import SystemSupport
import WorkflowModel

/// Puts links to the input artifacts of an init-less pod where the template wants them (contract 02 §4.7).
struct InputLinking {
    let template: Template
    /// Where the supervisor has put the artifacts, by name.
    let inputs: BytePath
    let runDirectory: RunDirectory
    /// The working directory, from which relative paths count.
    private let home: BytePath
    private let mountPoints: [BytePath]

    init(_ template: Template, from inputs: BytePath, _ runDirectory: RunDirectory) throws(SystemError) {
        self.template = template
        self.inputs = inputs
        self.runDirectory = runDirectory
        home = try ProcessAttributes.workingDirectory()
        mountPoints = ProcessAttributes.mountPoints().filter { $0 != "/" }
    }

    /// Makes all links, in the template's order but for those of inputs that lie in others.
    func link() throws {
        // The working directory may itself be replaced.
        try ProcessAttributes.changeDirectory(to: runDirectory.root)
        for (artifact, place) in Self.outerFirst(
            template.inputArtifacts.filter { !$0.path.isEmpty }.map { ($0, place(of: $0)) })
        {
            do { try link(artifact, at: place) } catch {
                throw ExecutorError.wrapping("link input artifact '\(artifact.name)'", error)
            }
        }
        try ProcessAttributes.changeDirectory(to: home)
    }

    private func place(of artifact: Artifact) -> BytePath {
        let wanted = BytePath(artifact.path)
        return (wanted.isAbsolute ? wanted : home.appending(wanted)).cleaned
    }

    /// A link that came after one that lies beneath it would remove that.
    private static func outerFirst(
        _ artifacts: [(artifact: Artifact, place: BytePath)]
    ) -> [(artifact: Artifact, place: BytePath)] {
        var sorted: [(artifact: Artifact, place: BytePath)] = []
        for (artifact, place) in artifacts {
            let inner = sorted.firstIndex { $0.place != place && $0.place.isAtOrBelow(place) }
            sorted.insert((artifact, place), at: inner ?? sorted.endIndex)
        }
        return sorted
    }

    private func link(_ artifact: Artifact, at place: BytePath) throws {
        let name = BytePath(artifact.name)
        let source = inputs.appending(name)
        // Absent: optional, or loaded straight into a volume of the user's.
        guard try SharedPlace.isPresent(inputs, name) else { return }
        // In our own root links are followed; from here on everything is done in the directory that they lead to.
        if place.directory != "/" { try DirectoryIO.makeDirectories(place.directory, mode: 0o755) }
        let parent = try SharedPlace(place.directory)
        if let status = try parent.statusIfPresent(place.base) {
            let outer = try parent.directory.realPath ?? ProcessAttributes.realPath(of: place.directory)
            let real = outer.appending(place.base).cleaned
            // Wanted where it is already, or linked by the supervisor inside another input.
            if real == source { return }
            if status.kind == .symlink, try parent.directory.readLink(place.base) == source { return }
            if let mount = mountInTheWay(of: real) {
                throw ExecutorError.failed("\(place) overlaps the volume mounted at \(mount)")
            }
            try parent.remove(place.base)
        }
        try parent.symlink(place.base, to: source)
    }

    /// The mount whose content would be removed with what is at a path without links.
    private func mountInTheWay(of path: BytePath) -> BytePath? {
        for mount in template.mainVolumeMounts where !mount.mountPath.isEmpty {
            let mount = BytePath(mount.mountPath).cleaned
            if path.isAtOrBelow(mount) || mount.isAtOrBelow(path) { return mount }
        }
        if path.directory == inputs { return inputs }
        return (mountPoints + [inputs, runDirectory.root]).first { $0.isAtOrBelow(path) }
    }
}

extension SharedPlace {
    /// Whether something has a name in a place that may itself be missing; a dangling link counts.
    fileprivate static func isPresent(_ place: BytePath, _ name: BytePath) throws(SystemError) -> Bool {
        do { return try SharedPlace(place).statusIfPresent(name) != nil } catch  where error.code == ENOENT { return false }
    }
}
