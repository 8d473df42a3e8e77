import Documents
import PodBuilding
import PodSandbox
import SystemSupport
import WorkflowEngine
import WorkflowModel
import WorkflowPlanning

/// Makes the pods of one run: what the controller would build, with the archive location that it would put in.
struct PodFactory: Sendable {
    let repository: ArtifactRepository
    /// The workflow's spec, its own tags replaced.
    let spec: JSONObject
    let settings: PodSettings
    let images: ImageRoots
    /// Where the config maps of pods are put that are too large without.
    let configMaps: MadeConfigMaps

    init(
        _ workflow: PreparedWorkflow, logLevel: String, emissaryLogLevel: String, objects: ObjectFolders,
        pauses: Set<LocalRunSettings.Pause> = []
    ) {
        configMaps = objects.made
        repository = workflow.repository
        spec = WorkflowRun(plan: workflow.plan, identity: workflow.identity).spec
        images = workflow.images
        var settings = PodSettings(
            workflowName: workflow.identity.name, workflowUID: workflow.identity.uid, namespace: workflow.identity.namespace,
            spec: spec)
        settings.logLevel = logLevel
        settings.emissaryLogLevel = emissaryLogLevel
        settings.mainEnvironment = pauses.map { ($0.variable.rawValue, "true") }.sorted { $0.0 < $1.0 }
        self.settings = settings
    }

    /// - Throws: `ModelError` or `ExecutorError` for a template that makes no pod.
    func pod(for request: PodRequest) throws -> (built: BuiltPod, template: Template) {
        let template = try template(of: request)
        var settings = settings
        settings.spec["volumes"] = .array(request.volumes)
        for image in Self.images(in: template.document) {
            settings.imageCommands[image] = try images.command(of: image)
        }
        let built = try PodBuilder(settings).pod(for: request, template: template)
        if let configMap = built.configMap { configMaps.add(configMap) }
        return (built, template)
    }

    /// The template with a place for its artifacts, which it has as the controller gives it: only where an artifact needs it, or
    /// the logs are to be kept.
    func template(of request: PodRequest) throws -> Template {
        let template = try Template(document: request.template)
        if template.archiveLocation?.hasLocation == true { return template }
        let keepsLogs =
            template.archiveLocation?.archiveLogs ?? spec["archiveLogs"]?.bool ?? repository.archiveLogs ?? false
        let artifacts = template.inputArtifacts + template.outputs.artifacts
        guard keepsLogs || artifacts.contains(where: { !$0.location.hasLocation }) else { return template }
        var location = repository.location.document
        location["archiveLogs"] = .bool(keepsLogs)
        let replaced: JSONValue
        do throws(TagText.Fault) {
            replaced = try TagText.replace(.object(location)) { request.variables[$0] }
        } catch { throw ExecutorError.badRequest("the key format of \(repository.source): \(error.text)") }
        return try template.settingArchiveLocation(replaced)
    }

    private static func images(in template: JSONValue) -> Set<String> {
        var containers = ["container", "script"].compactMap { template[$0] }
        containers += (template["containerSet"]?["containers"]?.array ?? []) + (template["sidecars"]?.array ?? [])
        return Set(containers.compactMap { $0["image"]?.string })
    }
}
