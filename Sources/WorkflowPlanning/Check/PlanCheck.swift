package import Documents
import SystemSupport
package import WorkflowFiles
import WorkflowModel

/// Looks for everything that would make a run fail or differ, before anything of it runs: fields, names, references, arguments,
/// tags, cycles. Only what the entrypoint can reach is checked, and only that is run.
package struct PlanCheck {
    package let plan: WorkflowPlan
    /// The document whose templates are the workflow's own, where that is another one.
    package let base: WorkflowDocument?
    private(set) var findings: [Finding] = []
    private var known: Set<Finding> = []
    /// What all templates can use.
    package var global = TagScope()
    /// The secrets and config maps that are spoken of.
    private(set) var references: [ObjectReference] = []
    /// The names of volumes that containers mount.
    package var mountedVolumes: Set<String> = []
    /// Templates that have been looked at.
    private var checked: Set<String> = []
    /// The templates on the way from the entrypoint to here.
    private var way: [(key: String, name: String, isConditional: Bool)] = []

    package init(_ plan: WorkflowPlan, base: WorkflowDocument?) {
        self.plan = plan
        self.base = base
    }

    package mutating func add(_ finding: Finding) {
        if known.insert(finding).inserted { findings.append(finding) }
    }

    package mutating func error(_ part: DocumentPart, _ text: String, atValue: Bool = true) {
        add(part.finding(.error, text, atValue: atValue))
    }

    package mutating func run() {
        let document = plan.document
        for document in [document, base].compactMap({ $0 }) { checkFields(of: document) }
        global = TagScope.global(plan)
        var seen: Set<String> = []
        let call = TemplateCall(entrypoint: plan.entrypoint, arguments: plan.spec["arguments"] ?? [:])
        collectGlobalOutputs(call, plan.local, &seen)
        for hook in Hook.all(of: .object(plan.spec)) { collectGlobalOutputs(TemplateCall(hook.document), plan.local, &seen) }
        checkWorkflowArguments()
        let volumes = (base ?? document).part.part((base ?? document).specPath).member("volumes")
        checkVolumes(volumes)
        checkEntrypoint(call)
        checkHooks((base ?? document).part.part((base ?? document).specPath), in: plan.local, scope: global)
        if base != nil { checkHooks(document.part.part(document.specPath), in: plan.local, scope: global) }
        for volume in volumes.elements where mountedVolumes.contains(volume.name) { collect(.volume(volume)) }
        // What follows from a value that cannot be read is not told beside it.
        if findings.contains(where: { $0.kind == .wrongKind }) {
            findings.removeAll { $0.kind != .wrongKind && $0.severity == .error }
        }
        findings.sort { left, right in
            guard let a = left.place, let b = right.place, a.file == b.file else { return false }
            return a.position < b.position
        }
    }

    private mutating func checkFields(of document: WorkflowDocument) {
        let replaced = replacedParts(of: document)
        for finding in document.fieldFindings where !replaced.contains(where: { finding.path.hasPrefix($0) }) { add(finding) }
        let templates = document.templates
        if templates.count > Self.mostTemplates {
            add(
                document.part.part(document.specPath).member("templates").finding(
                    .warning, "\(templates.count) elements; the API server takes at most \(Self.mostTemplates)"))
        }
        var names: Set<String> = []
        for template in templates {
            if template.name.isEmpty {
                error(template, "every template needs a name")
            } else if !names.insert(template.name).inserted {
                error(template.member("name"), "duplicate template '\(template.name)'")
            }
        }
        if document.kind == .workflow, document.name.utf8.count > 63 {
            error(document.part.part(DocumentPath(members: "metadata", "name")), "a workflow's name has at most 63 characters")
        }
    }

    /// As many templates as the schema of workflows allows.
    private static let mostTemplates = 200

    /// The beginnings of paths whose values flags of the run replace, so that it does not matter what is there.
    private func replacedParts(of document: WorkflowDocument) -> [String] {
        let arguments = document.specPath.member("arguments")
        var paths: [String] = []
        for (kind, names) in [
            ("parameters", plan.settings.parameters.map(\.name)), ("artifacts", plan.settings.artifacts.map(\.name)),
        ] where !names.isEmpty {
            let given = Set(names)
            for (index, element) in (document.spec["arguments"]?[kind]?.array ?? []).enumerated() {
                guard let name = element["name"]?.string, given.contains(name) else { continue }
                let path = arguments.member(kind).element(index)
                paths +=
                    kind == "parameters"
                    ? ["\(path.member("valueFrom"))"] : LocationKind.allCases.map { "\(path.member($0.rawValue))" }
            }
        }
        return paths
    }

    private mutating func checkEntrypoint(_ call: TemplateCall) {
        let spec = plan.document.part.part(plan.document.specPath)
        let field = spec.member("entrypoint")
        if plan.entrypoint.isEmpty { return error(field, "the workflow has no entrypoint", atValue: false) }
        do throws(ResolutionFault) {
            let resolved = try plan.resolve(call, in: plan.local)
            checkSupplied(resolved, call.arguments, site: spec.member("arguments"), what: "the workflow's arguments")
            checkInputValues(resolved, given: call.arguments, around: nil)
            check(resolved, site: plan.document.kind == .template ? plan.document.part : field)
        } catch {
            if plan.settings.entrypoint == plan.entrypoint {
                let names = plan.local.templates.keys.sorted()
                let known = names.isEmpty ? "" : "; there are: \(names.joined(separator: ", "))"
                let text = "\(plan.settings.entrypointFlag) \(plan.entrypoint): \(error.text)\(known)"
                add(Finding(.error, place: nil, text))
            } else {
                self.error(field, error.text)
            }
        }
    }

    private mutating func checkWorkflowArguments() {
        let spec = plan.document.part.part(plan.document.specPath)
        let part = spec.member("arguments")
        checkNames(part.member("parameters"), of: "parameter")
        checkNames(part.member("artifacts"), of: "artifact")
        let sites = { (kind: String) in
            Dictionary(part.member(kind).elements.map { ($0.name, $0) }) { first, _ in first }
        }
        // The merged ones: what is missing here may have come from the template or the command line.
        let parameters = sites("parameters")
        for parameter in plan.spec["arguments"]?["parameters"]?.array ?? [] {
            let name = parameter["name"]?.string ?? ""
            let site = parameters[name] ?? part
            if let problem = ArgumentRules.problem(with: parameter, settings: plan.settings) {
                error(site, "parameter '\(name)' \(problem)", atValue: false)
            }
        }
        checkWorkflowRing(parameters, part)
        checkGivenArtifacts()
        let artifacts = sites("artifacts")
        for artifact in artifacts.values { checkLocation(artifact) }
        for artifact in plan.spec["arguments"]?["artifacts"]?.array ?? [] where !ArgumentRules.hasSource(artifact) {
            let name = artifact["name"]?.string ?? ""
            let site = artifacts[name] ?? part
            error(site, "artifact '\(name)' has no location; give one with -a \(name)=PATH", atValue: false)
        }
    }

    /// Artifacts given by flags that neither the workflow nor its entrypoint asks for.
    private mutating func checkGivenArtifacts() {
        let call = TemplateCall(entrypoint: plan.entrypoint, arguments: [:])
        let entry = try? plan.resolve(call, in: plan.local)
        let lists = [plan.document.spec["arguments"], base?.spec["arguments"], entry?.template["inputs"]]
        let declared = lists.flatMap { $0?["artifacts"]?.array ?? [] }.compactMap { $0["name"]?.string }
        for (name, _) in plan.settings.artifacts where !declared.contains(name) {
            let text = "-a \(name)=…: the workflow declares no such artifact" + NearName.hint(name, among: declared)
            add(Finding(.warning, place: nil, text))
        }
    }

    /// The workflow's parameters with the values that they have in the end.
    private mutating func checkWorkflowRing(_ sites: [String: DocumentPart], _ arguments: DocumentPart) {
        let parameters = (plan.spec["arguments"]?["parameters"]?.array ?? []).map { parameter in
            let site = sites[parameter["name"]?.string ?? ""] ?? arguments
            return DocumentPart(owner: site.owner, path: site.path, value: parameter)
        }
        checkRing(parameters, prefix: "workflow.parameters.")
    }

    /// Checks a step's or task's call and what it calls.
    ///
    /// - Parameter isImplied: whether it gets the workflow's arguments, as exit handlers do.
    /// - Returns: the template; nil where it is not there or only known later.
    package mutating func check(
        call site: DocumentPart, in space: TemplateSpace, scope: TagScope, isImplied: Bool = false
    ) -> ResolvedTemplate? {
        let call = TemplateCall(site.value)
        if !isImplied { checkArguments(site.member("arguments"), scope: scope) }
        if isDynamic(call) {
            for space in [space] + plan.librarySpaces { checkAll(space) }
            return nil
        }
        do throws(ResolutionFault) {
            let resolved = try plan.resolve(call, in: space, at: site)
            checkSupplied(resolved, call.arguments, site: site, what: "'\(call.name)'")
            let isInline = if case .inline = call.target { true } else { false }
            checkInputValues(resolved, given: call.arguments, around: isInline ? scope : nil)
            for kind in ["parameters", "artifacts"] {
                let inputs = Set((resolved.template["inputs"]?[kind]?.array ?? []).map { $0["name"]?.string ?? "" })
                for argument in site.member("arguments").member(kind).elements
                where !isImplied && !inputs.contains(argument.name) {
                    add(argument.finding(.warning, "template '\(resolved.name)' has no input '\(argument.name)'"))
                }
            }
            check(resolved, site: site, around: scope)
            return resolved
        } catch {
            self.error(site.part(error.field), error.text)
            return nil
        }
    }

    /// Whether tags decide which template is called.
    private func isDynamic(_ call: TemplateCall) -> Bool {
        switch call.target {
        case .named(let name): name.contains("{{")
        case .reference(let name, let template, _): name.contains("{{") || template.contains("{{")
        case .inline, .none: false
        }
    }

    private mutating func checkAll(_ space: TemplateSpace) {
        for name in space.templates.keys.sorted() {
            let call = TemplateCall(entrypoint: name, arguments: [:])
            guard let resolved = try? plan.resolve(call, in: space), let entry = resolved.entry else { continue }
            if checked.contains(key(of: resolved)) { continue }
            check(resolved, site: entry)
        }
    }

    /// What may keep a call from being made, so that a template may call itself by it.
    private static let conditions = ["when", "depends", "withParam", "withSequence", "expression"]

    private func key(of template: ResolvedTemplate) -> String {
        guard let entry = template.entry else { return template.name }
        return "\(entry.owner.file) \(entry.owner.source.valuePlace(of: entry.path)) \(entry.path)"
    }

    /// Checks a template that is reached from `site`.
    ///
    /// - Parameter scope: of the step or task; a template inside it can use that too.
    private mutating func check(_ template: ResolvedTemplate, site: DocumentPart, around scope: TagScope? = nil) {
        let key = key(of: template)
        let isConditional = Self.conditions.contains { site.value[$0] != nil }
        if let start = way.firstIndex(where: { $0.key == key }) {
            // A condition might end it.
            if isConditional || way[(start + 1)...].contains(where: \.isConditional) { return }
            let names = way[start...].map(\.name) + [template.name]
            return error(site, "template '\(template.name)' calls itself without end (\(names.joined(separator: " → ")))")
        }
        guard checked.insert(key).inserted, let entry = template.entry else { return }
        way.append((key, template.name, isConditional))
        defer { way.removeLast() }
        let isInline = entry.path.steps.last == .member("inline")
        if !isInline {
            for finding in entry.templateFieldFindings { add(finding) }
        }
        checkBody(template, entry, around: isInline ? scope : nil)
    }

    /// Every input that has no value of its own must be supplied.
    private mutating func checkSupplied(
        _ template: ResolvedTemplate, _ arguments: JSONValue, site: DocumentPart, what: String
    ) {
        let given = { (kind: String) in Set((arguments[kind]?.array ?? []).compactMap { $0["name"]?.string }) }
        let parameters = given("parameters")
        for input in template.template["inputs"]?["parameters"]?.array ?? [] {
            let name = input["name"]?.string ?? ""
            let hasValue = ["value", "default", "valueFrom"].contains { !(input[$0]?.isNull ?? true) }
            if !hasValue, !parameters.contains(name) {
                error(
                    site, "template '\(template.name)' needs a parameter '\(name)', which is not given by \(what)",
                    atValue: false
                )
            }
        }
        let artifacts = given("artifacts")
        for input in template.template["inputs"]?["artifacts"]?.array ?? [] {
            let name = input["name"]?.string ?? ""
            let hasSource = input["optional"]?.bool == true || ArgumentRules.hasLocationOrKey(input)
            if !hasSource, !artifacts.contains(name) {
                error(
                    site, "template '\(template.name)' needs an artifact '\(name)', which is not given by \(what)",
                    atValue: false
                )
            }
        }
    }

    package mutating func collect(_ found: [ObjectReference]) { references += found }

    /// Finds the outputs that reachable templates give the whole workflow.
    private mutating func collectGlobalOutputs(_ call: TemplateCall, _ space: TemplateSpace, _ seen: inout Set<String>) {
        guard let resolved = try? plan.resolve(call, in: space) else { return }
        if case .inline = call.target {
        } else {
            guard seen.insert("\(resolved.space.libraryScope ?? "") \(resolved.name)").inserted else { return }
        }
        global.add(.globalOutputs(of: resolved.template))
        let steps = (resolved.template["steps"]?.array ?? []).flatMap { $0.array ?? [] }
        let calls = steps + (resolved.template["dag"]?["tasks"]?.array ?? [])
        for call in calls + calls.flatMap({ Hook.all(of: $0).map(\.document) }) {
            let call = TemplateCall(call)
            if isDynamic(call) {
                for space in [space] + plan.librarySpaces {
                    for template in space.templates.values { global.add(.globalOutputs(of: template.value.object ?? [:])) }
                }
            } else {
                collectGlobalOutputs(call, resolved.space, &seen)
            }
        }
    }
}
