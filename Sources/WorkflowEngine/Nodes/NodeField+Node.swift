import Documents
import SystemSupport
import WorkflowPlanning

extension NodeField {
    /// What a node answers.
    func text(of node: Node) -> String? {
        switch self {
        case .id: node.id
        case .status: node.phase.rawValue
        case .startedAt: node.startedAt.rfc3339()
        case .finishedAt: node.finishedAt?.rfc3339()
        case .hostNodeName: node.type == .pod ? "localhost" : nil
        case .ip: node.address.isEmpty ? nil : node.address
        case .exitCode: node.outputs?["exitCode"]?.string
        }
    }
}
