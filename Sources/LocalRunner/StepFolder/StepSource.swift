import Documents
import PodBuilding
import PodSandbox
import SystemSupport
import WorkflowEngine
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// The one step that a file and its flags mean.
struct StepSource {
    let step: StepPod
    /// Files and folders for the step's inputs, and where they go first.
    let arguments: [(artifact: ArgumentArtifact, location: ArtifactLocation)]
    /// The workflow that the step is of; nil for a pod, which has no arguments.
    let plan: WorkflowPlan?
    /// What is suspicious in the files.
    let warnings: [Finding]

    /// - Parameter workflow: the name of the workflow, where it was staged for one; nil for the file's own or a new one.
    /// - Throws: `WorkflowRefusal`, `DocumentError`, `ExecutorError`, `ModelError` or `SystemError` for what cannot be read or makes
    ///   no pod.
    init(_ settings: LocalRunSettings, workflow name: String? = nil) throws {
        if let pod = try Self.pod(settings) {
            step = try StepPod(pod, objects: settings.objects)
            arguments = []
            plan = nil
            warnings = []
            return
        }
        let prepared = try RunPreparation(settings: settings).prepare()
        let identity = WorkflowRun.Identity(
            name: name ?? prepared.identity.name, namespace: prepared.identity.namespace, uid: prepared.identity.uid,
            creationTimestamp: prepared.identity.creationTimestamp)
        let workflow = PreparedWorkflow(
            plan: prepared.plan, identity: identity, isUnique: prepared.isUnique, repository: prepared.repository,
            isEmbedded: prepared.isEmbedded, images: prepared.images, argumentKeys: prepared.argumentKeys,
            warnings: prepared.warnings)
        let request = try Self.request(workflow)
        let factory = PodFactory(
            workflow, logLevel: settings.logLevel, emissaryLogLevel: settings.logLevel, objects: settings.objects)
        step = StepPod(request, template: try factory.template(of: request), identity: identity)
        arguments = try settings.artifacts.map { name, path in
            let artifact = try ArgumentArtifact(name, path)
            return (artifact, try workflow.repository.location.settingKey(artifact.key(workflow: prepared.identity.name)))
        }
        plan = prepared.plan
        warnings = prepared.warnings
    }

    /// A pod's JSON or YAML; nil for other files.
    private static func pod(_ settings: LocalRunSettings) throws -> JSONValue? {
        guard settings.files.count == 1, let file = settings.files.first, FileArguments.isPlainFile(file) else { return nil }
        let documents = try YAMLReader.file(SmallFile.read(file, limit: 64 << 20), name: file.text).filter { !$0.value.isNull }
        guard let pod = documents.first?.value, documents.count == 1, pod["kind"]?.string == "Pod" else { return nil }
        let given: [(String, Bool)] = [
            ("--template", settings.entrypoint != nil), ("--parameter", !settings.parameters.isEmpty),
            ("--artifact", !settings.artifacts.isEmpty), ("--artifact-repository", settings.repository != nil),
        ]
        if let flag = given.first(where: { $0.1 })?.0 {
            throw ExecutorError.badRequest("\(flag) has no effect on a pod: it says everything itself")
        }
        return pod
    }

    /// The pod of the template that is meant, as the engine asks for it.
    private static func request(_ workflow: PreparedWorkflow) throws -> PodRequest {
        let entrypoint = workflow.plan.entrypoint
        let templates = workflow.plan.document.templates
        let kinds: [TemplateKind] = [.container, .script, .containerSet, .resource, .data]
        let runnable = try templates.filter { kinds.contains(try Template(document: $0.value).kind) }.map(\.name)
        if let template = templates.first(where: { $0.name == entrypoint }), !runnable.contains(entrypoint) {
            let kind = try Template(document: template.value).kind.rawValue
            throw ExecutorError.badRequest(
                "the template '\(entrypoint)' is of the kind \(kind) and makes no pod; name another with --template: "
                    + runnable.joined(separator: ", "))
        }
        var run = WorkflowRun(plan: workflow.plan, identity: workflow.identity)
        for action in run.start(at: Timestamp.now) {
            if case .runPod(let request) = action { return request }
        }
        let cause = run.allNodes.map(\.message).first { !$0.isEmpty } ?? run.message
        throw ExecutorError.badRequest("the template '\(entrypoint)' makes no pod" + (cause.isEmpty ? "" : ": \(cause)"))
    }
}
