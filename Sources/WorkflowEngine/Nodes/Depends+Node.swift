import WorkflowPlanning

extension Depends.Ends {
    /// How the node of a task has ended.
    init(_ node: Node?, children: [NodePhase], endsWell: [String]) {
        var results: [String] = []
        if let node {
            let word =
                switch node.phase {
                case .error: "Errored"
                default: node.phase.rawValue
                }
            if Depends.results.contains(word) { results.append(word) }
            if node.isDaemoned, node.phase != .pending { results.append("Daemoned") }
            if node.type == .taskGroup {
                if children.contains(.succeeded) { results.append("AnySucceeded") }
                if !children.isEmpty, children.allSatisfy({ $0 == .failed }) { results.append("AllFailed") }
            }
        }
        self.init(results: results, isWell: results.contains { endsWell.contains($0) })
    }
}
