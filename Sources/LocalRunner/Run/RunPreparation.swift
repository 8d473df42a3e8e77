import Documents
import FileTrees
import PodBuilding
import PodSandbox
import SystemSupport
import WorkflowEngine
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// A workflow that is about to run: read, checked, named. Nothing was started or written yet.
struct PreparedWorkflow: Sendable {
    let plan: WorkflowPlan
    let identity: WorkflowRun.Identity
    /// Whether the workflow's name is unique.
    let isUnique: Bool
    let repository: ArtifactRepository
    /// Whether artifacts without a place of their own go to the embedded store.
    let isEmbedded: Bool
    let images: ImageRoots
    /// The keys of artifacts that are given with the run.
    let argumentKeys: [String]
    /// What should be told before anything runs.
    let warnings: [Finding]
}

/// Reads and checks everything that a run is made of.
struct RunPreparation {
    let settings: LocalRunSettings

    /// - Throws: `WorkflowRefusal` with everything that stands in the way; `DocumentError`, `ExecutorError` or `SystemError` for a
    ///   file that cannot be read.
    func prepare() throws -> PreparedWorkflow {
        try settings.objects.checkFolders()
        let files = try FileArguments(settings.files, mainCount: settings.mainFileCount)
        let source = try WorkflowSource(files: files.all, mainCount: files.mainCount)
        let document = try source.runnable(entrypoint: settings.entrypoint, name: settings.workflow)
        for object in source.objects { try settings.objects.written.add(object, for: document.namespace) }
        let (name, isUnique) = Self.name(for: document)
        let repository = try settings.repository.map { try ArtifactRepository.read($0) }
        guard let used = repository ?? EmbeddedStore.repository else {
            throw ExecutorError.failed("describe the local store")
        }
        var engine = RunSettings(entrypoint: settings.entrypoint, parameters: settings.parameters, isStrict: settings.isStrict)
        engine.entrypointFlag = settings.entrypointFlag
        engine.workflow = settings.workflow
        if let limit = settings.maximumNodes { engine.maximumNodes = limit }
        let objects = settings.objects
        engine.configMapPlace = { objects.place(of: .configMap, $0) }
        engine.configMapValue = { name, key in
            (try? objects.value(of: .configMap, name, key: BytePath(key))).flatMap { $0 }.map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        let home = settings.home
        engine.recall = { cache, key in (try? MemoCache(in: home))?.find(cache, key) }
        let arguments = try settings.artifacts.map { try ArgumentArtifact($0.name, $0.path) }
        engine.artifacts = arguments.map { ($0.name, $0.location(workflow: name)) }
        let plan = try WorkflowPlan(source, engine)
        try checkName(name, document)
        let missing = try missingObjects(plan)
        if !missing.isEmpty { throw WorkflowRefusal(missing) }
        let identity = WorkflowRun.Identity(
            name: name, namespace: document.namespace.isEmpty ? "default" : document.namespace, uid: RandomName.uuid(),
            creationTimestamp: Timestamp.now)
        return PreparedWorkflow(
            plan: plan, identity: identity, isUnique: isUnique, repository: used, isEmbedded: repository == nil,
            images: ImageRoots(settings.images.map { ($0.name, $0.path) }),
            argumentKeys: arguments.map { $0.key(workflow: name) }, warnings: plan.warnings)
    }

    /// The name of the workflow's object: its own, or one made for this run.
    private static func name(for document: WorkflowDocument) -> (String, isUnique: Bool) {
        if document.kind == .workflow, !document.name.isEmpty { return (document.name, false) }
        var prefix = document.kind == .workflow ? document.generateName : document.name + "-"
        if prefix.isEmpty || prefix == "-" { prefix = document.kind == .template ? "template-" : "workflow-" }
        return (prefix + RandomName.suffix(), true)
    }

    /// The name becomes that of folders and pods.
    private func checkName(_ name: String, _ document: WorkflowDocument) throws(WorkflowRefusal) {
        let isAlphanumeric = { (byte: UInt8) in (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) }
        let isAllowed = { (byte: UInt8) in isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") }
        let problem: String
        if let wrong = name.unicodeScalars.first(where: { !$0.isASCII || !isAllowed(UInt8($0.value)) }) {
            problem = "'\(wrong)' is not allowed"
        } else if let first = name.utf8.first, !isAlphanumeric(first) {
            problem = "it cannot begin with '\(name.prefix(1))'"
        } else if let last = name.utf8.last, !isAlphanumeric(last) {
            problem = "it cannot end with '\(name.suffix(1))'" + (last == UInt8(ascii: "-") ? "; is 'generateName' meant?" : "")
        } else {
            return
        }
        let path = DocumentPath(members: "metadata", document.name.isEmpty ? "generateName" : "name")
        throw WorkflowRefusal(
            Finding(
                .error, place: document.source.valuePlace(of: path), path: path.description,
                "a workflow's name has small letters, digits, '-' and '.' only: \(problem)"))
    }

    /// Secrets and config maps that steps need and that are not there.
    private func missingObjects(_ plan: WorkflowPlan) throws -> [Finding] {
        var missing: [Finding] = []
        for reference in plan.references where !reference.isOptional {
            let kind: ObjectFolders.Kind = reference.kind == .secret ? .secret : .configMap
            let isThere: Bool
            if let key = reference.key {
                isThere = try settings.objects.value(of: kind, reference.name, key: BytePath(key)) != nil
            } else {
                isThere = try settings.objects.keys(of: kind, reference.name) != nil
            }
            if isThere { continue }
            let place = settings.objects.place(of: kind, reference.name)
            let finding = reference.missing
            missing.append(Finding(.error, place: finding.place, path: finding.path, "\(finding.text) (\(place))"))
        }
        return missing
    }
}
