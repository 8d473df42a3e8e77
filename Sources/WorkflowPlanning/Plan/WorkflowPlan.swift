package import Documents
import SystemSupport
package import WorkflowFiles
import WorkflowModel

/// A workflow that may be run: its documents read, merged and checked.
package struct WorkflowPlan: Sendable {
    /// The document that is run.
    package let document: WorkflowDocument
    /// The workflow's spec: that of the referenced template and the given arguments merged in, tags not replaced.
    package let spec: JSONObject
    package let entrypoint: String
    /// How deep templates may call each other.
    package static let maximumDepth = 100
    /// What has no effect here, and what is suspicious.
    package private(set) var warnings: [Finding] = []
    /// The secrets and config maps that the steps need: what is not there should be told before anything runs.
    package private(set) var references: [ObjectReference] = []
    /// Whether something may be due as soon as a pod runs: a hook, or what comes after a daemon.
    package let looksAtStarts: Bool
    package let local: TemplateSpace
    package let settings: RunSettings
    package let libraries: [String: TemplateSpace]
    private let source: WorkflowSource

    /// Merges and checks.
    ///
    /// - Throws: `WorkflowRefusal` with everything that stands in the way.
    package init(_ source: WorkflowSource, _ settings: RunSettings = RunSettings()) throws(WorkflowRefusal) {
        let choice = try source.choose(entrypoint: settings.entrypoint, name: settings.workflow)
        let document = choice.document
        let base = try Self.base(of: document, in: source)
        self.document = document
        self.settings = settings
        var spec = Self.merged(document.spec, over: base?.spec)
        if let entrypoint = settings.entrypoint { spec["entrypoint"] = .string(entrypoint) }
        let entry = (base ?? document).templates.first { $0.name == spec["entrypoint"]?.string }
        let unknown = Self.apply(settings, to: &spec, entrypoint: entry?.value)
        self.spec = spec
        entrypoint = spec["entrypoint"]?.string ?? ""
        local = TemplateSpace(
            libraryScope: nil, templates: (base ?? document).templates, podMetadata: spec["podMetadata"])
        var libraries: [String: TemplateSpace] = [:]
        for library in source.documents where library.kind.isLibrary {
            let isClusterScoped = library.kind == .clusterWorkflowTemplate
            let found = source.library(library.name, isClusterScoped: isClusterScoped, namespace: document.namespace)
            guard let found else { continue }
            let space = TemplateSpace(found)
            libraries[space.libraryScope ?? ""] = space
        }
        self.libraries = libraries
        self.source = source
        looksAtStarts = source.documents.contains { Self.mentions(["hooks", "daemon"], in: $0.source.value) }
        var check = PlanCheck(self, base: base)
        check.run()
        var findings = source.warnings + choice.warnings + unknown + check.findings
        if !findings.contains(where: { $0.severity == .error }), let tooLarge = NodeBound(self).finding {
            findings.append(tooLarge)
        }
        if settings.isStrict { findings = findings.map(\.hardened) }
        if findings.contains(where: { $0.severity == .error }) {
            // A mistyped field is often the cause of the errors.
            throw WorkflowRefusal(findings.filter { $0.severity == .error || $0.kind == .unknownField })
        }
        warnings = findings
        references = check.references
    }

    /// Whether a document has fields of one of some names.
    private static func mentions(_ names: [String], in document: JSONValue) -> Bool {
        var open = [document]
        while let next = open.popLast() {
            switch next {
            case .array(let elements): open += elements
            case .object(let object):
                for member in object.members {
                    if names.contains(member.name) { return true }
                    open.append(member.value)
                }
            default: break
            }
        }
        return false
    }

    /// The template document that a workflow says it is made of.
    private static func base(
        of document: WorkflowDocument, in source: WorkflowSource
    ) throws(WorkflowRefusal) -> WorkflowDocument? {
        guard let reference = document.spec["workflowTemplateRef"], !reference.isNull else { return nil }
        let path = document.specPath.member("workflowTemplateRef")
        let name = reference["name"]?.string ?? ""
        let isClusterScoped = reference["clusterScope"]?.bool ?? false
        let namespace = document.namespace
        guard let base = source.library(name, isClusterScoped: isClusterScoped, namespace: namespace) else {
            let text = source.missingLibrary(name, isClusterScoped: isClusterScoped, namespace: namespace)
            throw WorkflowRefusal(
                Finding(
                    .error, place: document.source.valuePlace(of: path.member("name")), path: path.member("name").description,
                    text))
        }
        if let templates = document.spec["templates"]?.array, !templates.isEmpty {
            let templates = document.specPath.member("templates")
            throw WorkflowRefusal(
                Finding(
                    .error, place: document.source.place(of: templates), path: templates.description,
                    "a workflow with workflowTemplateRef has no templates of its own"))
        }
        return base
    }

    private static func merged(_ spec: JSONObject, over base: JSONObject?) -> JSONObject {
        guard let base else { return spec }
        var merged = StrategicMerge.merge(base, spec)
        merged["workflowTemplateRef"] = nil
        // Of a parameter that both give a value, only one side's fields count.
        let own = (spec["arguments"]?["parameters"]?.array ?? []).filter { $0["value"] != nil || $0["valueFrom"] != nil }
        let given = Dictionary(own.map { ($0["name"]?.string ?? "", $0) }) { first, _ in first }
        let parameters = (merged["arguments"]?["parameters"]?.array ?? []).map { given[$0["name"]?.string ?? ""] ?? $0 }
        if !parameters.isEmpty {
            var arguments = merged["arguments"] ?? [:]
            arguments["parameters"] = .array(parameters)
            merged["arguments"] = arguments
        }
        return merged
    }

    /// Puts the given arguments into the spec. What is given is a value or a place: all else of an entry stays the workflow's own.
    ///
    /// - Parameter entrypoint: the template that is run; its inputs need not be declared by the workflow.
    private static func apply(
        _ settings: RunSettings, to spec: inout JSONObject, entrypoint: JSONValue?
    ) -> [Finding] {
        var findings: [Finding] = []
        var arguments = spec["arguments"]?.object ?? [:]
        var parameters = arguments["parameters"]?.array ?? []
        var indices = Dictionary(parameters.enumerated().map { ($0.element["name"]?.string ?? "", $0.offset) }) { first, _ in
            first
        }
        // What a template takes need not be the workflow's too.
        let inputs = entrypoint?["inputs"]?["parameters"]?.array?.compactMap { $0["name"]?.string } ?? []
        let declared = Set(indices.keys).union(inputs)
        for (name, value) in settings.parameters {
            let given: JSONValue = ["name": .string(name), "value": .string(value)]
            if let index = indices[name] {
                parameters[index]["value"] = .string(value)
                parameters[index]["valueFrom"] = nil
            } else {
                indices[name] = parameters.count
                parameters.append(given)
                if declared.contains(name) { continue }
                let text = "-p \(name)=…: the workflow declares no such parameter" + NearName.hint(name, among: declared)
                findings.append(Finding(.warning, place: nil, text))
            }
        }
        var artifacts = arguments["artifacts"]?.array ?? []
        let artifactInputs = entrypoint?["inputs"]?["artifacts"]?.array ?? []
        for (name, location) in settings.artifacts {
            if let index = artifacts.firstIndex(where: { $0["name"]?.string == name }) {
                artifacts[index] = placed(artifacts[index], at: location)
            } else if let input = artifactInputs.first(where: { $0["name"]?.string == name }) {
                var given: JSONValue = ["name": .string(name)]
                given["archive"] = input["archive"]
                artifacts.append(placed(given, at: location))
            } else {
                let known = Set((artifacts + artifactInputs).compactMap { $0["name"]?.string }).sorted()
                let others = known.isEmpty ? "" : "; there are: \(known.joined(separator: ", "))"
                findings.append(
                    Finding(
                        .error, place: nil,
                        "-a \(name)=…: neither the workflow nor its entrypoint has an artifact '\(name)'\(others)"))
            }
        }
        if !parameters.isEmpty { arguments["parameters"] = .array(parameters) }
        if !artifacts.isEmpty { arguments["artifacts"] = .array(artifacts) }
        if !arguments.isEmpty { spec["arguments"] = .object(arguments) }
        return findings
    }

    /// An artifact kept elsewhere: only what says where it comes from is replaced.
    private static func placed(_ artifact: JSONValue, at location: JSONObject) -> JSONValue {
        var artifact = artifact
        for field in LocationKind.allCases.map(\.rawValue) + ["from", "fromExpression", "subPath"] { artifact[field] = nil }
        for member in location.members { artifact[member.name] = member.value }
        return artifact
    }

    /// The template that a call means, looked up from a space.
    package func resolve(
        _ call: TemplateCall, in space: TemplateSpace, at site: DocumentPart? = nil
    ) throws(ResolutionFault) -> ResolvedTemplate {
        switch call.target {
        case .none:
            throw ResolutionFault(text: "one of template, templateRef and inline is needed", field: .root)
        case .named(let name):
            guard let entry = space.templates[name] else {
                throw ResolutionFault(
                    text: "template '\(name)' is not defined" + NearName.hint(name, among: space.templates.keys),
                    field: DocumentPath(members: "template"))
            }
            return resolved(entry.value, entry, space)
        case .reference(let name, let template, let isClusterScoped):
            let kind: WorkflowKind = isClusterScoped ? .clusterWorkflowTemplate : .workflowTemplate
            guard let library = libraries[(isClusterScoped ? "cluster/" : "namespaced/") + name] else {
                throw ResolutionFault(
                    text: source.missingLibrary(
                        name, isClusterScoped: isClusterScoped, namespace: document.namespace),
                    field: DocumentPath(members: "templateRef", "name"))
            }
            guard let entry = library.templates[template] else {
                throw ResolutionFault(
                    text: "\(kind.rawValue) '\(name)' has no template '\(template)'"
                        + NearName.hint(template, among: library.templates.keys),
                    field: DocumentPath(members: "templateRef", "template"))
            }
            return resolved(entry.value, entry, library)
        case .inline(let template):
            return resolved(template, site?.member("inline"), space)
        }
    }

    private func resolved(_ value: JSONValue, _ entry: DocumentPart?, _ space: TemplateSpace) -> ResolvedTemplate {
        var template = value.object ?? [:]
        let kind = TemplateKind.present(in: value).first ?? .unknown
        for field in ["annotations", "labels"] {
            guard let shared = space.podMetadata[field]?.object else { continue }
            var metadata = template["metadata"]?.object ?? [:]
            var own = metadata[field]?.object ?? [:]
            for member in shared.members where own[member.name] == nil { own[member.name] = member.value }
            metadata[field] = .object(own)
            template["metadata"] = .object(metadata)
        }
        if let defaults = spec["templateDefaults"]?.object, kind != .unknown {
            template = StrategicMerge.merge(kind.removingOthers(from: defaults), template)
        }
        return ResolvedTemplate(space: space, template: template, kind: kind, entry: entry)
    }

    /// All libraries, for calls whose names are only known later.
    package var librarySpaces: [TemplateSpace] { libraries.values.sorted { ($0.libraryScope ?? "") < ($1.libraryScope ?? "") } }
}
