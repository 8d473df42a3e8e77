import FileTrees
import Glibc
import ProcessControl
import SystemSupport
import WorkflowModel

/// Puts links to the input artifacts of an init-less pod where the template wants them (contract 02 §4.7).
enum InputLinking {
    /// - Parameters:
    ///   - inputs: where the supervisor has put the artifacts, by name.
    ///   - neutral: a directory to stand in meanwhile, since the working directory may itself be replaced.
    static func link(_ template: Template, from inputs: BytePath, standingIn neutral: BytePath) throws {
        if template.inputArtifacts.isEmpty { return }
        let home = try ProcessAttributes.workingDirectory()
        try ProcessAttributes.changeDirectory(to: neutral)
        for artifact in template.inputArtifacts {
            do { try link(artifact, from: inputs, home: home, template) } catch {
                throw ExecutorError.wrapping("link input artifact '\(artifact.name)'", error)
            }
        }
        try ProcessAttributes.changeDirectory(to: home)
    }

    private static func link(_ artifact: Artifact, from inputs: BytePath, home: BytePath, _ template: Template) throws {
        let source = inputs.appending(BytePath(artifact.name))
        // Absent: optional, or loaded straight into a volume of the user's.
        guard !artifact.path.isEmpty, try SharedPlace.isPresent(inputs, BytePath(artifact.name)) else { return }
        let wanted = BytePath(artifact.path)
        let place = (wanted.isAbsolute ? wanted : home.appending(wanted)).cleaned
        // In our own root links are followed; from here on everything is done in the directory that they lead to.
        if place.directory != "/" { try DirectoryIO.makeDirectories(place.directory, mode: 0o755) }
        let parent = try SharedPlace(place.directory)
        if try parent.statusIfPresent(place.base) != nil {
            let home = try parent.directory.realPath ?? ProcessAttributes.realPath(of: place.directory)
            let real = home.appending(place.base).cleaned
            for mount in template.declaredVolumeMounts where !mount.mountPath.isEmpty {
                let mountPath = BytePath(mount.mountPath).cleaned
                if real.isAtOrBelow(mountPath) || mountPath.isAtOrBelow(real) {
                    throw ExecutorError.failed("\(place) overlaps the volume mounted at \(mountPath)")
                }
            }
            try parent.remove(place.base)
        }
        try parent.symlink(place.base, to: source)
    }
}

extension SharedPlace {
    /// Whether something has a name in a place that may itself be missing; a dangling link counts.
    fileprivate static func isPresent(_ place: BytePath, _ name: BytePath) throws(SystemError) -> Bool {
        do { return try SharedPlace(place).statusIfPresent(name) != nil } catch  where error.code == ENOENT { return false }
    }
}
