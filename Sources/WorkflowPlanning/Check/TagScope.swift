package import Documents
import ExpressionValues
import Expressions
import SystemSupport
import WorkflowFiles
package import WorkflowModel

/// What tags can stand for at one place of a workflow.
package struct TagScope {
    private var names: Set<String> = []
    /// Beginnings of tags whose rest is only known later.
    private var openPrefixes: [String] = []
    /// What the tasks of a dag leave behind, of nested dags the innermost last.
    private var dags: [TaskOutputs] = []

    package mutating func add(_ names: String...) { self.names.formUnion(names) }

    package mutating func add(_ other: TagScope) {
        names.formUnion(other.names)
        openPrefixes += other.openPrefixes
    }

    /// Adds what those tasks leave behind that come before a place.
    package mutating func add(_ tasks: TaskOutputs) { dags.append(tasks) }

    package mutating func open(_ prefix: String) { openPrefixes.append(prefix) }

    package func contains(_ tag: String) -> Bool {
        if names.contains(tag) || openPrefixes.contains(where: { tag.hasPrefix($0) }) { return true }
        guard !dags.isEmpty, tag.hasPrefix("tasks.") else { return false }
        let name = String(tag.dropFirst("tasks.".count).prefix { $0 != "." })
        guard let dag = dags.last(where: { $0.outputs[name] != nil }) else { return false }
        return dag.isReached(name) && dag.outputs[name]?.contains(tag) == true
    }

    /// The scope of a step or task; where it is a loop, with its items.
    package func inside(_ call: JSONValue) -> TagScope {
        var scope = self
        if Self.isLoop(call) { scope.open("item") }
        return scope
    }

    package static func isLoop(_ call: JSONValue) -> Bool {
        ["withItems", "withParam", "withSequence"].contains { call[$0] != nil }
    }

    /// The expression tags of a text that cannot be read, and why.
    package static func faults(in text: String) -> [String] {
        guard text.contains("{{=") else { return [] }
        var faults: [String] = []
        _ = TagText.tags(in: text) { tag in
            guard tag.hasPrefix("=") else { return }
            if let fault = fault(of: String(tag.dropFirst())) { faults.append("{{\(tag)}}: \(fault)") }
        }
        return faults
    }

    /// Why an expression cannot be read; nil where it can.
    package static func fault(of expression: String) -> String? {
        do throws(ExpressionError) {
            _ = try Expression(expression)
            return nil
        } catch { return error.message }
    }

    /// What begins a tag of the workflow language; all others are another language's and stay as they are, also the words alone
    /// (`{{item}}` outside a loop).
    private static let prefixes = ["item.", "steps.", "tasks.", "inputs.", "pod.", "workflow."]
    /// Beginnings below which the controller checks nothing, and leaves what it does not know.
    private static let unchecked = ["steps.name", "tasks.name"]
    /// The same, where it is rather a mistake than another language's.
    private static let suspicious = ["outputs.parameters.", "outputs.artifacts.", "workflow.creationTimestamp."]

    /// A tag that means nothing at its place.
    package struct UnknownTag {
        package let name: String
        /// Whether it stays as it is, where others keep a workflow from running.
        package let isLeft: Bool
        /// A name that was probably meant.
        package let near: String?
    }

    /// The first tag of a text that means nothing here, and the first one of those that are left as they are.
    package func unknown(in text: String) -> [UnknownTag] {
        guard text.contains("{{") else { return [] }
        var found: [UnknownTag] = []
        _ = TagText.tags(in: text) { tag in
            // Of nested tags only the innermost can be told.
            let inner = tag.range(ofLast: "{{").map { String(tag[$0...]) } ?? tag
            let name = inner.trimmed
            let isLeft = Self.suspicious.contains { name.hasPrefix($0) }
            guard isLeft || Self.prefixes.contains(where: { name.hasPrefix($0) }), !contains(name) else { return }
            if Self.unchecked.contains(where: { name.hasPrefix($0) }) || found.contains(where: { $0.isLeft == isLeft }) {
                return
            }
            // Words of one or two letters are near to all others.
            let isShort = name.split(separator: ".").last?.utf8.count ?? 0 < 3
            found.append(UnknownTag(name: name, isLeft: isLeft, near: isShort ? nil : NearName.of(name, among: names)))
        }
        return found
    }

    /// The tag in a text that means nothing and keeps the workflow from running, if there is one.
    package func firstUnknown(in text: String) -> String? { unknown(in: text).first { !$0.isLeft }?.name }
}

/// What the tasks of a dag leave behind, seen from one of them or from the dag's end.
package struct TaskOutputs {
    /// By the tasks' names.
    package let outputs: [String: TagScope]
    /// The names that each depends on.
    package let dependencies: [String: [String]]
    /// The task from which they are seen; nil: the end, where all are over.
    package var task: String?

    /// Whether a task is over where these are seen.
    package func isReached(_ name: String) -> Bool {
        guard let task else { return true }
        var open = dependencies[task] ?? []
        if open.contains(name) { return true }
        var seen = Set(open)
        while let next = open.popLast() {
            for other in dependencies[next] ?? [] where seen.insert(other).inserted {
                if other == name { return true }
                open.append(other)
            }
        }
        return false
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
    package static func global(_ plan: WorkflowPlan) -> TagScope {
        var scope = TagScope()
        scope.add(
            "workflow.name", "workflow.namespace", "workflow.uid", "workflow.mainEntrypoint", "workflow.serviceAccountName",
            "workflow.status", "workflow.duration", "workflow.labels", "workflow.labels.json", "workflow.annotations",
            "workflow.annotations.json", "node.name", "steps.name", "tasks.name", "workflow.scheduledTime",
            "workflow.failures")
        for name in WorkflowVariables.creationTimestampNames { scope.add(name) }
        if plan.spec["priority"] != nil { scope.add("workflow.priority") }
        let parameters = plan.spec["arguments"]?["parameters"]?.array ?? []
        scope.add("workflow.parameters", "workflow.parameters.json")
        for parameter in parameters { scope.add("workflow.parameters.\(parameter["name"]?.string ?? "")") }
        let metadata = WorkflowMetadata(of: plan.document, spec: plan.spec, at: .zero)
        for member in metadata.labels.members { scope.add("workflow.labels.\(member.name)") }
        for member in plan.spec["workflowMetadata"]?["labelsFrom"]?.object?.members ?? [] {
            scope.add("workflow.labels.\(member.name)")
        }
        for member in metadata.annotations.members { scope.add("workflow.annotations.\(member.name)") }
        return scope
    }

    /// What a template can use of its own.
    package static func own(_ template: ResolvedTemplate) -> TagScope {
        var scope = TagScope()
        let inputs = template.template["inputs"]
        let parameters = inputs?["parameters"]?.array ?? []
        scope.add("inputs.parameters")
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
    ///   - call: the step or task; what a loop or a daemon leaves behind is of another kind, and is only known later.
    package static func outputs(of template: ResolvedTemplate?, prefix: String, call: JSONValue) -> TagScope {
        var scope = TagScope()
        guard let template, !isLoop(call), template.template["daemon"]?.bool != true, template.kind.isSupported else {
            scope.open(prefix + ".")
            return scope
        }
        for field in NodeField.general { scope.add("\(prefix).\(field.rawValue)") }
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
    package static func globalOutputs(of template: JSONObject) -> TagScope {
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

extension TemplateKind {
    /// Whether a local run can run templates of this type; the others are refused by their fields.
    package var isSupported: Bool {
        switch self {
        case .container, .script, .containerSet, .steps, .dag, .suspend: true
        case .resource, .data, .http, .plugin, .unknown: false
        }
    }
}
