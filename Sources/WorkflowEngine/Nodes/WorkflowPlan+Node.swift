import Documents
package import WorkflowFiles
package import WorkflowPlanning

extension WorkflowPlan {
    /// Where the template of a node is written; nil where nothing is known of it.
    package func site(of node: Node) -> DocumentPart? {
        if let path = node.inlinePath {
            return (libraries[node.templateScope] ?? local).templates.values.first?.owner.part.part(path)
        }
        if let reference = node.templateReference {
            let scope =
                (reference["clusterScope"]?.bool == true ? "cluster/" : "namespaced/") + (reference["name"]?.string ?? "")
            return libraries[scope]?.templates[reference["template"]?.string ?? ""]
        }
        return (libraries[node.templateScope] ?? local).templates[node.templateName]
    }
}
