package import Documents
package import WorkflowFiles
package import WorkflowModel

/// The templates that can call each other by name: those of one document.
package struct TemplateSpace: Sendable {
    /// `namespaced/NAME` or `cluster/NAME`; nil for the workflow's own.
    package let libraryScope: String?
    package let templates: [String: DocumentPart]
    /// Labels and annotations for the pods of all of them.
    package let podMetadata: JSONObject

    package init(libraryScope: String?, templates: [DocumentPart], podMetadata: JSONValue?) {
        self.libraryScope = libraryScope
        var byName: [String: DocumentPart] = [:]
        for template in templates where byName[template.name] == nil { byName[template.name] = template }
        self.templates = byName
        self.podMetadata = podMetadata?.object ?? [:]
    }

    /// The space of a library.
    package init(_ document: WorkflowDocument) {
        self.init(
            libraryScope: (document.kind == .clusterWorkflowTemplate ? "cluster/" : "namespaced/") + document.name,
            templates: document.templates, podMetadata: document.spec["podMetadata"])
    }
}

/// A template found, ready for its arguments.
package struct ResolvedTemplate: Sendable {
    /// Where what it calls is looked up.
    package let space: TemplateSpace
    /// With the workflow's defaults and the pods' metadata.
    package let template: JSONObject
    package let kind: TemplateKind
    /// Where it is written; nil for one that came out of tags.
    package let entry: DocumentPart?

    package var name: String { template["name"]?.string ?? "" }
}

/// Why a template is not found.
package struct ResolutionFault: Error {
    package let text: String
    /// The field of the call that names what is not there.
    package let field: DocumentPath
}
