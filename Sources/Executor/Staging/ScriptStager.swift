import FileTrees
import SystemSupport
import WorkflowModel

/// Writes what the main container runs besides its own program: the script's source or the resource's manifest (contract 02 §2).
struct ScriptStager {
    let paths: ExecutorPaths
    let log: Log

    func stage(_ template: Template) throws {
        if template.kind == .script, let source = template.scriptSource {
            log.info("loading the script source", ["path": .path(paths.script)])
            try write(source, to: paths.script, mode: 0o755)
        } else if template.kind == .resource, let resource = template.resource, resource.manifestFromArtifact == nil {
            // The resource's own process writes it again in its container: here it matters to nobody, so that a read-only /tmp
            // is no failure.
            do { try write(resource.manifest, to: paths.manifest, mode: 0o644) } catch {
                log.warn("the manifest is not staged", ["error": .error(error)])
            }
        }
    }

    /// In a step's folder beneath its root, else in the volume that is mounted there: what an earlier run of the pod has left is
    /// replaced.
    private func write(_ text: String, to path: BytePath, mode: UInt32) throws(SystemError) {
        if paths.mirrorsEverything {
            let relative = path.belowRoot
            let root = try paths.mirrorPlace()
            try root.makeDirectories(relative.directory, mode: 0o755)
            try root.write(relative, Array(text.utf8), mode: mode)
        } else {
            let place = try SharedPlace(path.directory)
            place.sweep()
            try place.write(path.base, Array(text.utf8), mode: mode)
        }
    }
}
