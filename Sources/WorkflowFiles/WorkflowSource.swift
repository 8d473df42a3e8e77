package import Documents

/// The documents given to a run: the one to be run, and those it may refer to.
package struct WorkflowSource: Sendable {
    /// In the order of the files.
    package let documents: [WorkflowDocument]
    /// Config maps and secrets, as `kubectl apply` would make them beside the workflow.
    package let objects: [MarkedDocument]
    /// Documents of other kinds, which are left out.
    package let warnings: [Finding]
    /// The files among which the document to be run is looked for; nil for all.
    private let mainFiles: Set<String>?

    /// Reads files.
    ///
    /// - Parameters:
    ///   - files: names as the user gave them, and contents.
    ///   - mainCount: how many of them, from the first on, are there to be run; the others only hold what those refer to. Nil: all.
    /// - Throws: `DocumentError` for what is no YAML or JSON, `WorkflowRefusal` for documents that cannot be understood and for
    ///   names that are given twice.
    package init(files: [(name: String, content: [UInt8])], mainCount: Int? = nil) throws {
        var documents: [WorkflowDocument] = []
        var objects: [MarkedDocument] = []
        var warnings: [Finding] = []
        for file in files {
            for document in try Self.read(file).flatMap(\.items) where !document.value.isNull {
                guard document.value.object != nil else {
                    throw Self.refusal(document, .root, "expected a mapping, found \(document.value.kindName)")
                }
                if let workflow = WorkflowDocument(document) {
                    try Self.checkVersion(document)
                    documents.append(workflow)
                } else if let kind = document.value["kind"]?.string {
                    if document.value["apiVersion"]?.string == "v1", kind == "ConfigMap" || kind == "Secret" {
                        objects.append(document)
                        continue
                    }
                    let text = "documents of kind \(kind) are not used in a local run"
                    warnings.append(
                        Finding(.warning, place: document.valuePlace(of: DocumentPath(members: "kind")), path: "kind", text))
                } else {
                    throw Self.refusal(document, .root, "neither a workflow nor a template: 'kind' is missing")
                }
            }
        }
        try Self.checkNames(documents)
        self.documents = documents
        self.objects = objects
        self.warnings = warnings
        mainFiles = mainCount.map { Set(files.prefix($0).map(\.name)) }
    }

    private static func read(_ file: (name: String, content: [UInt8])) throws(DocumentError) -> [MarkedDocument] {
        do throws(DocumentError) { return try YAMLReader.file(file.content, name: file.name) } catch {
            guard let marks = TemplateMarks.find(in: file.content) else { throw error }
            throw DocumentError(
                place: error.place, reason: "this is a template of a workflow, not a workflow (\(marks)): render it first")
        }
    }

    private static func refusal(_ document: MarkedDocument, _ path: DocumentPath, _ text: String) -> WorkflowRefusal {
        WorkflowRefusal(Finding(.error, place: document.valuePlace(of: path), path: path.description, text))
    }

    private static func checkVersion(_ document: MarkedDocument) throws(WorkflowRefusal) {
        guard document.value["kind"] != nil, document.value["apiVersion"]?.string != "argoproj.io/v1alpha1" else { return }
        throw refusal(document, DocumentPath(members: "apiVersion"), "expected apiVersion argoproj.io/v1alpha1")
    }

    /// Templates are found by kind, namespace and name.
    private static func checkNames(_ documents: [WorkflowDocument]) throws(WorkflowRefusal) {
        var first: [String: WorkflowDocument] = [:]
        for document in documents where document.kind.isLibrary {
            let path = DocumentPath(members: "metadata", "name")
            let namespace = document.kind == .clusterWorkflowTemplate ? "" : document.namespace
            let key = "\(document.kind.rawValue)/\(namespace)/\(document.name)"
            if let first = first[key] {
                let place = first.source.valuePlace(of: path)
                throw refusal(
                    document.source, path,
                    "duplicate \(document.kind.rawValue) '\(document.name)': the first is at \(place)")
            }
            first[key] = document
        }
    }

    /// The document that a reference names, as a workflow of a namespace finds it.
    ///
    /// - Parameter namespace: the workflow's; empty for none, which is whichever it will be put into.
    /// - Returns: nil where there is none, and where several namespaces have one and the workflow names none.
    package func library(_ name: String, isClusterScoped: Bool, namespace: String = "") -> WorkflowDocument? {
        let candidates = named(name, isClusterScoped)
        if isClusterScoped { return candidates.first }
        if let own = candidates.first(where: { $0.namespace == namespace || $0.namespace.isEmpty }) { return own }
        return namespace.isEmpty && candidates.count == 1 ? candidates.first : nil
    }

    /// Why `library` finds nothing.
    package func missingLibrary(_ name: String, isClusterScoped: Bool, namespace: String = "") -> String {
        let kind: WorkflowKind = isClusterScoped ? .clusterWorkflowTemplate : .workflowTemplate
        let candidates = named(name, isClusterScoped)
        guard let other = candidates.first else {
            let names = documents.filter { $0.kind == kind }.map(\.name)
            let hint = NearName.of(name, among: names).map { "; did you mean '\($0)'?" } ?? "; add its file with -f"
            return "\(kind.rawValue) '\(name)' is not among the given files\(hint)"
        }
        if namespace.isEmpty {
            let namespaces = candidates.map { "'\($0.namespace)'" }.joined(separator: ", ")
            return "\(kind.rawValue) '\(name)' is in the namespaces \(namespaces): give the workflow one of them"
        }
        return "\(kind.rawValue) '\(name)' is in namespace '\(other.namespace)', the workflow in '\(namespace)'"
    }

    private func named(_ name: String, _ isClusterScoped: Bool) -> [WorkflowDocument] {
        documents.filter { $0.kind == (isClusterScoped ? .clusterWorkflowTemplate : .workflowTemplate) && $0.name == name }
    }
}

// MARK: The document to be run

extension WorkflowSource {
    /// What is run, and what is to be said of other documents that might have been.
    package struct Choice: Sendable {
        package let document: WorkflowDocument
        package let warnings: [Finding]
    }

    /// The document to be run: the Workflow or CronWorkflow, else the first template of any kind that has an entrypoint, or that
    /// holds the given one.
    ///
    /// - Throws: `WorkflowRefusal` where there is none, or several between which nothing decides.
    package func runnable(entrypoint: String? = nil, name: String? = nil) throws(WorkflowRefusal) -> WorkflowDocument {
        try choose(entrypoint: entrypoint, name: name).document
    }

    /// As `runnable`, with what is to be said.
    ///
    /// - Parameter name: of the document: its name, with or without its namespace (`NAMESPACE/NAME`), or its `generateName`.
    package func choose(entrypoint: String? = nil, name: String? = nil) throws(WorkflowRefusal) -> Choice {
        if let name { return Choice(document: try chosen(name), warnings: []) }
        let workflows = documents.filter { $0.kind == .workflow || $0.kind == .cronWorkflow }
        let main = workflows.filter(isMain)
        if let only = try decide(main.isEmpty ? workflows : main, entrypoint) {
            return Choice(document: only, warnings: leftOut(workflows.filter { $0.place != only.place }, instead: only))
        }
        func isRunnable(_ document: WorkflowDocument) -> Bool {
            if let entrypoint { return document.template(entrypoint) != nil }
            return !(document.spec["entrypoint"]?.string ?? "").isEmpty
        }
        let libraries = documents.filter(isRunnable)
        guard let found = libraries.first(where: isMain) ?? libraries.first else { throw nothingToRun(entrypoint) }
        guard entrypoint == nil else { return Choice(document: found, warnings: []) }
        // Libraries that others refer to are there to be referred to.
        let referred = Set(documents.flatMap(\.referredLibraries))
        let others = libraries.filter { $0.place != found.place && isMain($0) && !referred.contains($0.name) }
        return Choice(document: found, warnings: leftOut(others, instead: found))
    }

    private func isMain(_ document: WorkflowDocument) -> Bool { mainFiles?.contains(document.file) ?? true }

    private func chosen(_ name: String) throws(WorkflowRefusal) -> WorkflowDocument {
        let found = documents.filter { document in
            [document.name, document.generateName, "\(document.namespace)/\(document.name)"].contains(name)
                || !document.generateName.isEmpty && document.generateName == name + "-"
        }
        if found.count == 1 { return found[0] }
        let names = found.isEmpty ? documents : found
        let problem =
            found.isEmpty
            ? "the files have no document of this name" + NearName.hint(name, among: documents.map(\.name))
            : "several documents have this name"
        throw WorkflowRefusal(Finding(.error, place: nil, "--workflow \(name): \(problem); there are: \(Self.list(names))"))
    }

    /// The one of several workflows that can be meant; nil for none at all.
    private func decide(_ workflows: [WorkflowDocument], _ entrypoint: String?) throws(WorkflowRefusal) -> WorkflowDocument? {
        if workflows.count <= 1 { return workflows.first }
        if let entrypoint {
            let holding = workflows.filter { $0.template(entrypoint) != nil }
            if holding.count == 1 { return holding[0] }
        }
        throw WorkflowRefusal(
            Finding(
                .error, place: workflows[1].place,
                "\(workflows.count) workflows are given; choose one with --workflow NAME: \(Self.list(workflows))"))
    }

    private func leftOut(_ documents: [WorkflowDocument], instead: WorkflowDocument) -> [Finding] {
        guard let first = documents.first else { return [] }
        let more = documents.count > 5 ? ", …" : ""
        return [
            Finding(
                .warning, place: first.place,
                "only \(instead.title) is run, not \(Self.list(Array(documents.prefix(5))))\(more); choose with --workflow NAME"
            )
        ]
    }

    private static func list(_ documents: [WorkflowDocument]) -> String {
        documents.map { "\($0.title) (\($0.place))" }.joined(separator: ", ")
    }

    private func nothingToRun(_ entrypoint: String?) -> WorkflowRefusal {
        guard let first = documents.first else {
            return WorkflowRefusal(Finding(.error, place: nil, "there is no workflow in the files"))
        }
        let names = documents.flatMap(\.templates).map(\.name).filter { !$0.isEmpty }
        let known =
            names.isEmpty ? "" : "; there are: \(names.prefix(20).joined(separator: ", "))\(names.count > 20 ? ", …" : "")"
        let text =
            entrypoint.map { "no document has a template '\($0)'\(NearName.hint($0, among: names))\(known)" }
            ?? "no document has an entrypoint: choose a template with --entrypoint NAME\(known)"
        return WorkflowRefusal(Finding(.error, place: first.place, text))
    }
}

extension WorkflowDocument {
    /// Where it begins.
    var place: SourcePlace { source.place(of: .root) }

    /// Its kind and its name, as far as it has one.
    var title: String {
        let name = name.isEmpty ? generateName : name
        let space = namespace.isEmpty ? "" : "\(namespace)/"
        return name.isEmpty ? kind.rawValue : "\(kind.rawValue) '\(space)\(name)'"
    }

    /// The names of the documents that its templates and its spec refer to.
    fileprivate var referredLibraries: [String] {
        var names: [String] = []
        var open: [JSONValue] = [.object(spec)]
        while let next = open.popLast() {
            switch next {
            case .array(let elements): open += elements
            case .object(let object):
                for member in object.members {
                    if member.name == "templateRef" || member.name == "workflowTemplateRef",
                        let name = member.value["name"]?.string
                    {
                        names.append(name)
                    }
                    open.append(member.value)
                }
            default: break
            }
        }
        return names
    }
}
