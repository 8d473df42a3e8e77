import ExecutorCore
import WorkflowModel

/// Writes what the main container runs besides its own program: the script's source or the resource's manifest (contract 02 §2).
struct ScriptStager {
    let paths: ExecutorPaths
    let log: Log

    func stage(_ template: Template) throws {
        if template.kind == .script, let source = template.scriptSource {
            log.info("loading the script source", ["path": .path(paths.script)])
            try SmallFile.write(paths.script, Array(source.utf8), mode: 0o755)
        } else if template.kind == .resource, let resource = template.resource, resource.manifestFromArtifact == nil {
            // The resource's own process writes it again in its container: here it matters to nobody, so that a read-only /tmp
            // is no failure.
            do { try SmallFile.write(paths.manifest, Array(resource.manifest.utf8), mode: 0o644) } catch {
                log.warn("the manifest is not staged", ["error": .error(error)])
            }
        }
    }
}
