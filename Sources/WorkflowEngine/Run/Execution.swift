import Documents
import SystemSupport
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// Where a node belongs, and what is said of it beside the call itself.
struct Entry: Sendable {
    /// The node whose steps or tasks it is one of; empty for none.
    var boundary = ""
    /// The node that it hangs on, where that is another one: a node with attempts, or one with hooks.
    var owner: String?
    /// `steps.name` or `tasks.name`; empty for none.
    var stepVariable = ""
    /// Where the call is written, as far as that is known.
    var site: DocumentPart?
    /// Whether it is part of an exit handler, which deadlines do not end.
    var isOnExit = false
    var flag: NodeFlag?
    /// In a dry run: whether it is only run because nobody knows yet whether it is.
    var isUncertain = false
}

/// What is known of a node beyond its state: what it runs.
final class Execution: Sendable {
    let name: String
    let call: TemplateCall
    /// Where the call's template was looked up.
    let callSpace: TemplateSpace
    let entry: Entry
    /// With arguments and tags replaced.
    let template: JSONObject
    let kind: TemplateKind
    /// Where what it calls is looked up.
    let space: TemplateSpace
    /// Which of its steps' or tasks' results it speaks of.
    let usedResults: Set<String>
    /// Where its template is written; nil for one that came out of tags.
    let site: DocumentPart?
    /// How it is tried again; nil: not at all.
    let retry: JSONValue?
    /// When it must have ended, by the attempts that it is one of.
    let limit: Timestamp?

    init(
        name: String, call: TemplateCall, callSpace: TemplateSpace, entry: Entry, template: JSONObject, kind: TemplateKind,
        space: TemplateSpace, usedResults: Set<String>, site: DocumentPart?, retry: JSONValue?, limit: Timestamp? = nil
    ) {
        self.name = name
        self.call = call
        self.callSpace = callSpace
        self.entry = entry
        self.template = template
        self.kind = kind
        self.space = space
        self.usedResults = usedResults
        self.site = site
        self.retry = retry
        self.limit = limit
    }

    var isOnExit: Bool { entry.isOnExit }
    /// Whether a failure keeps what has not begun from beginning, and ends the whole.
    var failsFast: Bool { template["failFast"]?.bool == true }
    /// How many of its steps or tasks may run at a time; nil: all.
    var parallelism: Int? {
        template["parallelism"]?.int.flatMap { $0 > 0 ? Int(clamping: $0) : nil }
    }

    /// The kind of node that it becomes.
    var nodeType: NodeType {
        if retry != nil { return .retry }
        switch kind {
        case .container, .script, .containerSet, .resource, .data: return .pod
        case .steps: return .steps
        case .dag: return .dag
        case .suspend: return .suspend
        case .http, .plugin, .unknown: return .skipped
        }
    }
}
