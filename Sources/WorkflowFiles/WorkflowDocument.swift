package import Documents
import WorkflowModel

/// The kinds of documents that hold templates.
package enum WorkflowKind: String, Sendable {
    case workflow = "Workflow"
    case workflowTemplate = "WorkflowTemplate"
    case clusterWorkflowTemplate = "ClusterWorkflowTemplate"
    case cronWorkflow = "CronWorkflow"
    /// A template alone, which is no object of the API.
    case template = "Template"

    /// Whether other documents can refer to its templates.
    package var isLibrary: Bool { self == .workflowTemplate || self == .clusterWorkflowTemplate }
}

/// A document that holds templates, with the place of each of its parts.
package final class WorkflowDocument: Sendable {
    package let source: MarkedDocument
    package let kind: WorkflowKind
    /// `metadata.name`; of a template alone, its own name. May be empty.
    package let name: String
    package let generateName: String
    /// Empty for none.
    package let namespace: String
    package let labels: JSONObject
    package let annotations: JSONObject
    /// The way to the workflow's spec in the document.
    package let specPath: DocumentPath
    /// The workflow's spec. That of a template alone has this template and its name as entrypoint.
    package let spec: JSONObject

    /// - Returns: nil where the document is of another kind.
    init?(_ source: MarkedDocument) {
        self.source = source
        let value = source.value
        if value["kind"] == nil, value["apiVersion"] == nil, TemplateKind.fields.contains(where: { value[$0.0] != nil }) {
            kind = .template
            let name = value["name"]?.string ?? ""
            self.name = name
            generateName = ""
            namespace = ""
            labels = [:]
            annotations = [:]
            specPath = .root
            var template = value
            if name.isEmpty { template["name"] = .string(Self.defaultTemplateName) }
            spec = ["entrypoint": template["name"] ?? .null, "templates": [template]]
            return
        }
        guard let kind = value["kind"]?.string.flatMap({ WorkflowKind(rawValue: $0) }), kind != .template else { return nil }
        self.kind = kind
        let metadata = value["metadata"]
        name = metadata?["name"]?.string ?? ""
        generateName = metadata?["generateName"]?.string ?? ""
        namespace = metadata?["namespace"]?.string ?? ""
        labels = metadata?["labels"]?.object ?? [:]
        annotations = metadata?["annotations"]?.object ?? [:]
        specPath = kind == .cronWorkflow ? DocumentPath(members: "spec", "workflowSpec") : DocumentPath(members: "spec")
        spec = value[specPath]?.object ?? [:]
    }

    /// What a template without a name is called, where a name is needed.
    static let defaultTemplateName = "main"

    /// The file the document was read from, as the user named it.
    package var file: String { source.file }

    /// The templates, in order.
    package var templates: [DocumentPart] {
        let list = spec["templates"]?.array ?? []
        return list.enumerated().map { index, template in
            DocumentPart(
                owner: self, path: kind == .template ? .root : specPath.member("templates").element(index), value: template)
        }
    }

    /// The whole document.
    package var part: DocumentPart { DocumentPart(owner: self, path: .root, value: source.value) }

    /// The template of a name.
    package func template(_ name: String) -> DocumentPart? { templates.first { $0.name == name } }

    /// Where its templates are looked up, as nodes print it: `local/NAME`, `namespaced/NAME` or `cluster/NAME`.
    var scope: String {
        switch kind {
        case .workflow, .cronWorkflow, .template: "local/\(name)"
        case .workflowTemplate: "namespaced/\(name)"
        case .clusterWorkflowTemplate: "cluster/\(name)"
        }
    }
}

/// A part of a document, such as a template or a step, and where it stands.
package struct DocumentPart: Sendable {
    package let owner: WorkflowDocument
    package let path: DocumentPath
    package let value: JSONValue

    package init(owner: WorkflowDocument, path: DocumentPath, value: JSONValue) {
        self.owner = owner
        self.path = path
        self.value = value
    }

    package var name: String { value["name"]?.string ?? "" }

    /// What stands at a path inside it; null where there is nothing.
    package func part(_ inner: DocumentPath) -> DocumentPart {
        DocumentPart(owner: owner, path: path.appending(inner), value: value[inner] ?? .null)
    }

    package func member(_ name: String) -> DocumentPart { part(DocumentPath(members: name)) }

    /// The elements of a list; none where it is no list.
    package var elements: [DocumentPart] {
        (value.array ?? []).enumerated().map { DocumentPart(owner: owner, path: path.element($0.offset), value: $0.element) }
    }

    /// Something about this part.
    ///
    /// - Parameter atValue: whether it is about the value rather than the field.
    package func finding(_ severity: Finding.Severity, _ text: String, atValue: Bool = false) -> Finding {
        let place = atValue ? owner.source.valuePlace(of: path) : owner.source.place(of: path)
        return Finding(severity, place: place, path: path.description, text)
    }
}
