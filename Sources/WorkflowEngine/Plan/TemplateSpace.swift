import Documents
import WorkflowFiles
import WorkflowModel

/// The templates that can call each other by name: those of one document.
struct TemplateSpace: Sendable {
    /// `namespaced/NAME` or `cluster/NAME`; nil for the workflow's own.
    let libraryScope: String?
    let templates: [String: DocumentPart]
    /// Labels and annotations for the pods of all of them.
    let podMetadata: JSONObject

    init(libraryScope: String?, templates: [DocumentPart], podMetadata: JSONValue?) {
        self.libraryScope = libraryScope
        var byName: [String: DocumentPart] = [:]
        for template in templates where byName[template.name] == nil { byName[template.name] = template }
        self.templates = byName
        self.podMetadata = podMetadata?.object ?? [:]
    }

    /// The space of a library.
    init(_ document: WorkflowDocument) {
        self.init(
            libraryScope: (document.kind == .clusterWorkflowTemplate ? "cluster/" : "namespaced/") + document.name,
            templates: document.templates, podMetadata: document.spec["podMetadata"])
    }
}

/// A template found, ready for its arguments.
struct ResolvedTemplate: Sendable {
    /// Where what it calls is looked up.
    let space: TemplateSpace
    /// With the workflow's defaults and the pods' metadata.
    let template: JSONObject
    let kind: TemplateKind
    /// Where it is written; nil for one that came out of tags.
    let entry: DocumentPart?

    var name: String { template["name"]?.string ?? "" }
}

/// Why a template is not found.
struct ResolutionFault: Error {
    let text: String
    /// The field of the call that names what is not there.
    let field: DocumentPath
}
