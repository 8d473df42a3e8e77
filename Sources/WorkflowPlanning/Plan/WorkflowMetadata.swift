package import Documents
import ExpressionValues
import Expressions
package import SystemSupport
package import WorkflowFiles
import WorkflowModel

/// The labels and annotations of the workflow's object, as a cluster gives them to what is made of a document: those of a Workflow
/// itself; for a CronWorkflow and for templates only what is meant for the workflow, never their own.
package struct WorkflowMetadata {
    package private(set) var labels: JSONObject = [:]
    package private(set) var annotations: JSONObject = [:]

    private static let prefix = "workflows.argoproj.io/"
    /// Labels of a CronWorkflow that its workflows have too.
    private static let inherited = ["controller-instanceid", "creator", "creator-email", "creator-preferred-username"]

    /// - Parameters:
    ///   - spec: the workflow's, that of a referenced template merged in.
    ///   - time: when a CronWorkflow is taken to be due.
    package init(of document: WorkflowDocument, spec: JSONObject, at time: Timestamp) {
        switch document.kind {
        case .workflow:
            labels = document.labels
            annotations = document.annotations
        case .cronWorkflow:
            for name in Self.inherited {
                if let value = document.labels[Self.prefix + name] { labels[Self.prefix + name] = value }
            }
            labels[Self.prefix + "cron-workflow"] = .string(document.name)
            annotations[Self.prefix + "scheduled-time"] = .string(time.rfc3339())
            add(document.source.value["spec"]?["workflowMetadata"])
        case .workflowTemplate: labels[Self.prefix + "workflow-template"] = .string(document.name)
        case .clusterWorkflowTemplate: labels[Self.prefix + "cluster-workflow-template"] = .string(document.name)
        case .template: break
        }
        add(spec["workflowMetadata"])
    }

    /// Adds the labels whose values come of expressions.
    ///
    /// - Returns: whether there were any.
    package mutating func addLabels(from sources: JSONValue?, _ table: VariableTable) -> Bool {
        let members = sources?.object?.members ?? []
        for member in members {
            var scope = ExpressionScope()
            scope.add(table)
            guard let text = member.value["expression"]?.string,
                case .value(let value)? = try? scope.value(of: text)
            else { continue }
            labels[member.name] = .string((try? value.tagText()) ?? value.shown)
        }
        return !members.isEmpty
    }

    private mutating func add(_ metadata: JSONValue?) {
        for member in metadata?["labels"]?.object?.members ?? [] { labels[member.name] = member.value }
        for member in metadata?["annotations"]?.object?.members ?? [] { annotations[member.name] = member.value }
    }
}
