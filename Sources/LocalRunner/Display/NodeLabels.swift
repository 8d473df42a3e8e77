import WorkflowEngine
import WorkflowPlanning

/// What nodes are called where people read: their names below the workflow, `build/compile`.
struct NodeLabels {
    private var labels: [String: String] = [:]

    /// The label of a node; of the root node the workflow's name.
    mutating func label(of node: Node, in run: WorkflowRun) -> String {
        if let known = labels[node.id] { return known }
        let boundary = node.boundaryID.isEmpty ? nil : run.node(node.boundaryID)
        var label = node.displayName
        if let boundary, !boundary.boundaryID.isEmpty { label = "\(self.label(of: boundary, in: run))/\(label)" }
        labels[node.id] = label
        return label
    }

    /// The label as far as it has been asked for before.
    func known(_ node: Node) -> String { labels[node.id] ?? node.displayName }
}
