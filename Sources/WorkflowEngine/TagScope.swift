import Documents
import ExecutorCore
import WorkflowModel

/// What tags can stand for at one place of a workflow.
struct TagScope {
    private var names: Set<String> = []
    /// Beginnings of tags whose rest is only known later.
    private var openPrefixes: [String] = []
    /// What tasks leave behind, by their names, and which of them come before this place.
    private var tasks: [String: TagScope] = [:]
    private var reachedTasks: Set<String> = []

    mutating func add(_ names: String...) { self.names.formUnion(names) }

    mutating func add(_ other: TagScope) {
        names.formUnion(other.names)
        openPrefixes += other.openPrefixes
    }

    /// Adds what those tasks leave behind that come before.
    mutating func add(tasks: [String: TagScope], reached: Set<String>) {
        if self.tasks.isEmpty { self.tasks = tasks } else { self.tasks.merge(tasks) { $1 } }
        reachedTasks.formUnion(reached)
    }

    mutating func open(_ prefix: String) { openPrefixes.append(prefix) }

    func contains(_ tag: String) -> Bool {
        if names.contains(tag) || openPrefixes.contains(where: { tag.hasPrefix($0) }) { return true }
        guard !tasks.isEmpty, tag.hasPrefix("tasks.") else { return false }
        let name = String(tag.dropFirst("tasks.".count).prefix { $0 != "." })
        return reachedTasks.contains(name) && tasks[name]?.contains(tag) == true
    }

    /// The scope of a step or task; where it is a loop, which is refused by itself, its items are not told once more.
    func inside(_ call: JSONValue) -> TagScope {
        var scope = self
        if Self.isLoop(call) { scope.open("item") }
        return scope
    }

    static func isLoop(_ call: JSONValue) -> Bool {
        ["withItems", "withParam", "withSequence"].contains { call[$0] != nil }
    }

    /// The first words of tags that are the workflow language's own; others are left alone.
    private static let words: Set<String> = ["item", "steps", "tasks", "inputs", "outputs", "pod", "workflow", "node"]

    /// The tag in a text that stands for nothing, if there is one.
    func firstUnknown(in text: String) -> String? {
        var unknown: String?
        _ = TagText.tags(in: text) { tag in
            // Of nested tags only the innermost can be told.
            let inner = tag.range(ofLast: "{{").map { String(tag[$0...]) } ?? tag
            let name = TagText.trim(inner)
            guard unknown == nil, Self.words.contains(String(name.prefix { $0 != "." })), !contains(name) else { return }
            unknown = name
        }
        return unknown
    }
}

extension String {
    /// Where the text behind the last occurrence of another begins.
    fileprivate func range(ofLast part: String) -> Index? {
        var found: Index?
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(part) { found = self.index(index, offsetBy: part.count) }
            index = self.index(after: index)
        }
        return found
    }
}

extension TagScope {
    /// What every template of a workflow can use.
    static func global(_ plan: WorkflowPlan, labels: JSONObject, annotations: JSONObject) -> TagScope {
        var scope = TagScope()
        scope.add(
            "workflow.name", "workflow.namespace", "workflow.uid", "workflow.mainEntrypoint", "workflow.serviceAccountName",
            "workflow.status", "workflow.duration", "workflow.labels", "workflow.labels.json", "workflow.annotations",
            "workflow.annotations.json", "node.name", "steps.name", "tasks.name", "workflow.scheduledTime")
        for name in WorkflowVariables.creationTimestampNames { scope.add(name) }
        if plan.spec["priority"] != nil { scope.add("workflow.priority") }
        let parameters = plan.spec["arguments"]?["parameters"]?.array ?? []
        if !parameters.isEmpty { scope.add("workflow.parameters", "workflow.parameters.json") }
        for parameter in parameters { scope.add("workflow.parameters.\(parameter["name"]?.string ?? "")") }
        let metadata = plan.spec["workflowMetadata"]
        for object in [labels, metadata?["labels"]?.object ?? [:]] {
            for member in object.members { scope.add("workflow.labels.\(member.name)") }
        }
        for object in [annotations, metadata?["annotations"]?.object ?? [:]] {
            for member in object.members { scope.add("workflow.annotations.\(member.name)") }
        }
        return scope
    }

    /// What a template can use of its own.
    static func own(_ template: ResolvedTemplate) -> TagScope {
        var scope = TagScope()
        let inputs = template.template["inputs"]
        let parameters = inputs?["parameters"]?.array ?? []
        if !parameters.isEmpty { scope.add("inputs.parameters") }
        for parameter in parameters { scope.add("inputs.parameters.\(parameter["name"]?.string ?? "")") }
        for artifact in inputs?["artifacts"]?.array ?? [] {
            let name = "inputs.artifacts.\(artifact["name"]?.string ?? "")"
            scope.add(name)
            if template.kind.isPod { scope.add(name + ".path") }
        }
        guard template.kind.isPod else { return scope }
        scope.add("pod.name")
        let outputs = template.template["outputs"]
        for artifact in outputs?["artifacts"]?.array ?? [] where !(artifact["path"]?.string ?? "").isEmpty {
            scope.add("outputs.artifacts.\(artifact["name"]?.string ?? "").path")
        }
        for parameter in outputs?["parameters"]?.array ?? [] where !(parameter["valueFrom"]?["path"]?.string ?? "").isEmpty {
            scope.add("outputs.parameters.\(parameter["name"]?.string ?? "").path")
        }
        return scope
    }

    /// What a finished step or task leaves behind.
    ///
    /// - Parameters:
    ///   - prefix: `steps.NAME` or `tasks.NAME`.
    ///   - template: nil where it is only known later.
    ///   - call: the step or task; what a loop or a daemon leaves behind is of another kind, and they are refused by themselves.
    static func outputs(of template: ResolvedTemplate?, prefix: String, call: JSONValue) -> TagScope {
        var scope = TagScope()
        guard let template, !isLoop(call), template.template["daemon"]?.bool != true else {
            scope.open(prefix + ".")
            return scope
        }
        for field in ["id", "status", "startedAt", "finishedAt", "hostNodeName"] { scope.add("\(prefix).\(field)") }
        let hasResult =
            switch template.kind {
            case .container, .script: true
            case .containerSet:
                (template.template["containerSet"]?["containers"]?.array ?? []).contains { $0["name"]?.string == "main" }
            default: false
            }
        if hasResult { scope.add("\(prefix).outputs.result", "\(prefix).exitCode") }
        let outputs = template.template["outputs"]
        for kind in ["parameters", "artifacts"] {
            for output in outputs?[kind]?.array ?? [] {
                let name = output["name"]?.string ?? ""
                if name.contains("{{") {
                    scope.open("\(prefix).outputs.\(kind).")
                } else {
                    scope.add("\(prefix).outputs.\(kind).\(name)")
                }
            }
        }
        return scope
    }

    /// The outputs that a template gives the whole workflow.
    static func globalOutputs(of template: JSONObject) -> TagScope {
        var scope = TagScope()
        for kind in ["parameters", "artifacts"] {
            for output in template["outputs"]?[kind]?.array ?? [] {
                guard let name = output["globalName"]?.string, !name.isEmpty else { continue }
                if name.contains("{{") {
                    scope.open("workflow.outputs.\(kind).")
                } else {
                    scope.add("workflow.outputs.\(kind).\(name)")
                }
            }
        }
        return scope
    }
}
