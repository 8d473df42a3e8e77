import Documents

/// The documents given to a run: the one to be run, and those it may refer to.
package struct WorkflowSource: Sendable {
    /// In the order of the files.
    package let documents: [WorkflowDocument]
    /// Documents of other kinds, which are left out.
    package let warnings: [Finding]

    /// Reads files.
    ///
    /// - Parameter files: names as the user gave them, and contents.
    /// - Throws: `DocumentError` for what is no YAML or JSON, `WorkflowRefusal` for documents that cannot be understood and for
    ///   names that are given twice.
    package init(files: [(name: String, content: [UInt8])]) throws {
        var documents: [WorkflowDocument] = []
        var warnings: [Finding] = []
        for file in files {
            for document in try YAMLReader.file(file.content, name: file.name) where !document.value.isNull {
                guard document.value.object != nil else {
                    throw Self.refusal(document, .root, "expected a mapping, found \(document.value.kindName)")
                }
                if let workflow = WorkflowDocument(document) {
                    try Self.checkVersion(document)
                    documents.append(workflow)
                } else if let kind = document.value["kind"]?.string {
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
        self.warnings = warnings
    }

    private static func refusal(_ document: MarkedDocument, _ path: DocumentPath, _ text: String) -> WorkflowRefusal {
        WorkflowRefusal(Finding(.error, place: document.valuePlace(of: path), path: path.description, text))
    }

    private static func checkVersion(_ document: MarkedDocument) throws(WorkflowRefusal) {
        guard document.value["kind"] != nil, document.value["apiVersion"]?.string != "argoproj.io/v1alpha1" else { return }
        throw refusal(document, DocumentPath(members: "apiVersion"), "expected apiVersion argoproj.io/v1alpha1")
    }

    /// Templates are found by kind and name.
    private static func checkNames(_ documents: [WorkflowDocument]) throws(WorkflowRefusal) {
        for (index, document) in documents.enumerated()
        where document.kind == .workflowTemplate || document.kind == .clusterWorkflowTemplate {
            let path = DocumentPath(members: "metadata", "name")
            if let first = documents[..<index].first(where: { $0.kind == document.kind && $0.name == document.name }) {
                throw refusal(
                    document.source, path,
                    "\(document.kind.rawValue) '\(document.name)' is given a second time, the first is at \(first.source.valuePlace(of: path))"
                )
            }
        }
    }

    /// The document to be run: the first Workflow or CronWorkflow, else the first template of any kind that has an entrypoint,
    /// or that holds the given one.
    ///
    /// - Throws: `WorkflowRefusal` where there is none.
    package func runnable(entrypoint: String? = nil) throws(WorkflowRefusal) -> WorkflowDocument {
        func isRunnable(_ document: WorkflowDocument) -> Bool {
            if let entrypoint { return document.template(entrypoint) != nil }
            return !(document.spec["entrypoint"]?.string ?? "").isEmpty
        }
        let workflow = documents.first { $0.kind == .workflow || $0.kind == .cronWorkflow }
        if let found = workflow ?? documents.first(where: isRunnable) { return found }
        let place = documents.first.map { $0.source.place(of: .root) }
        let what = entrypoint.map { "a template '\($0)'" } ?? "an entrypoint"
        throw WorkflowRefusal(
            Finding(.error, place: place, documents.isEmpty ? "there is no workflow in the files" : "no document has \(what)"))
    }

    /// The document that a reference names.
    package func library(_ name: String, isClusterScoped: Bool) -> WorkflowDocument? {
        documents.first { $0.kind == (isClusterScoped ? .clusterWorkflowTemplate : .workflowTemplate) && $0.name == name }
    }
}
