import Documents
import ExecutorCore
import WorkflowModel

/// Templates that call others: order of steps and tasks, arguments, tags.
extension PlanCheck {
    /// Fields of a call whose tags are not looked at here: a template of its own, and what is refused as a whole.
    private static let otherScopes: Set<String> = [
        "inline", "when", "withItems", "withParam", "withSequence", "hooks", "onExit",
    ]

    mutating func checkSteps(_ template: ResolvedTemplate, _ part: DocumentPart, _ own: TagScope) {
        var scope = own
        var seen: Set<String> = []
        if part.member("steps").elements.isEmpty { error(part.member("steps"), "steps are needed", atValue: false) }
        for group in part.member("steps").elements {
            var produced = TagScope()
            for step in group.elements {
                checkName(step, of: "step", &seen)
                let scope = scope.inside(step.value)
                checkTags(step, scope, skipping: Self.otherScopes)
                let called = check(call: step, in: template.space, scope: scope)
                produced.add(.outputs(of: called, prefix: "steps.\(step.name)", call: step.value))
            }
            // Only what earlier groups have brought forth is there.
            scope.add(produced)
        }
        finish(template, part, scope, skipping: ["steps", "metrics"])
    }

    mutating func checkDAG(_ template: ResolvedTemplate, _ part: DocumentPart, _ own: TagScope) {
        let tasks = part.member("dag").member("tasks")
        if tasks.elements.isEmpty { error(part.member("dag"), "tasks are needed", atValue: false) }
        checkTaskNames(tasks)
        checkDependencies(tasks, of: "task")
        var dependencies: [String: [String]] = [:]
        for task in tasks.elements { dependencies[task.name] = TemplateCall.dependencies(of: task.value) ?? [] }
        // What a task calls is needed before those that come after it are looked at.
        var outputs: [String: TagScope] = [:]
        for task in tasks.elements {
            let call = TemplateCall(task.value)
            let resolved = try? plan.resolve(call, in: template.space, at: task)
            outputs[task.name] = .outputs(of: resolved, prefix: "tasks.\(task.name)", call: task.value)
        }
        for task in tasks.elements {
            var scope = own.inside(task.value)
            // What a condition in 'depends' names is not known; it is refused by itself.
            let known =
                TemplateCall.dependencies(of: task.value) == nil ? Set(outputs.keys) : ancestors(of: task.name, dependencies)
            scope.add(tasks: outputs, reached: known)
            checkTags(task, scope, skipping: Self.otherScopes)
            _ = check(call: task, in: template.space, scope: scope)
        }
        let target = part.member("dag").member("target")
        if let text = target.value.string, !text.contains("{{") {
            for name in text.split(separator: " ") where dependencies[String(name)] == nil {
                error(target, "task '\(name)' is not defined")
            }
        }
        var scope = own
        scope.add(tasks: outputs, reached: Set(outputs.keys))
        finish(template, part, scope, skipping: ["dag", "metrics"])
    }

    private mutating func checkTaskNames(_ tasks: DocumentPart) {
        var seen: Set<String> = []
        let usesDepends = tasks.elements.contains { !($0.value["depends"]?.string ?? "").isEmpty }
        for task in tasks.elements {
            checkName(task, of: "task", &seen)
            let depends = task.member("depends")
            if !(depends.value.string ?? "").isEmpty, TemplateCall.dependencies(of: task.value) == nil {
                error(
                    depends, "conditions in 'depends' are not supported in a local run; only task names joined by &&",
                    atValue: false)
            }
            let dependencies = task.value["dependencies"]?.array ?? []
            if usesDepends, !dependencies.isEmpty {
                error(task.member("dependencies"), "'depends' and 'dependencies' cannot be mixed in one dag", atValue: false)
            }
            if usesDepends || !dependencies.isEmpty, let first = task.name.utf8.first, (0x30...0x39).contains(first) {
                error(task.member("name"), "a task that depends on others has a name that begins with no digit")
            }
        }
    }

    private func ancestors(of task: String, _ dependencies: [String: [String]]) -> Set<String> {
        var found: Set<String> = []
        var open = dependencies[task] ?? []
        while let next = open.popLast() {
            if found.insert(next).inserted { open += dependencies[next] ?? [] }
        }
        return found
    }

    /// The outputs of a template that calls others, and all its text outside the calls.
    private mutating func finish(
        _ template: ResolvedTemplate, _ part: DocumentPart, _ scope: TagScope, skipping: Set<String>
    ) {
        checkOutputs(template, part)
        checkTags(part, scope, skipping: skipping)
        let outputs = part.member("outputs")
        for parameter in outputs.member("parameters").elements {
            let source = parameter.part(DocumentPath(members: "valueFrom", "parameter"))
            if let text = source.value.string { checkReference(text, source, scope, kind: "parameter") }
        }
        for artifact in outputs.member("artifacts").elements {
            if let text = artifact.value["from"]?.string {
                checkReference(text, artifact.member("from"), scope, kind: "artifact")
            }
        }
    }

    /// The arguments of a call.
    mutating func checkArguments(_ arguments: DocumentPart, scope: TagScope) {
        checkNames(arguments.member("parameters"), of: "parameter")
        checkNames(arguments.member("artifacts"), of: "artifact")
        for parameter in arguments.member("parameters").elements {
            if let problem = ArgumentRules.problem(with: parameter.value, settings: plan.settings) {
                error(parameter, "parameter '\(parameter.name)' \(problem)", atValue: false)
            }
        }
        for artifact in arguments.member("artifacts").elements {
            if let text = artifact.value["from"]?.string {
                checkReference(text, artifact.member("from"), scope, kind: "artifact")
            } else if !ArgumentRules.hasSource(artifact.value), artifact.value["fromExpression"] == nil {
                error(artifact, "artifact '\(artifact.name)' needs 'from' or a location", atValue: false)
            }
        }
    }

    /// A value that must be one tag alone, with or without its braces.
    private mutating func checkReference(_ text: String, _ part: DocumentPart, _ scope: TagScope, kind: String) {
        var name = text
        if name.hasPrefix("{{") { name.removeFirst(2) }
        if name.hasSuffix("}}") { name.removeLast(2) }
        name = TagText.trim(name)
        // A tag that stands for nothing has been told.
        if name.contains("{{") || name.hasPrefix("=") || scope.firstUnknown(in: text) != nil { return }
        if !scope.contains(name) {
            error(part, "there is no \(kind) '\(name)' here")
        } else if kind == "artifact", !name.contains("artifacts.") {
            error(part, "'\(name)' is no artifact")
        }
    }

    /// All texts in a part.
    mutating func checkTags(_ part: DocumentPart, _ scope: TagScope, skipping: Set<String> = []) {
        switch part.value {
        case .string(let text):
            if let unknown = scope.firstUnknown(in: text) { error(part, "{{\(unknown)}} stands for nothing here") }
        case .array: for element in part.elements { checkTags(element, scope) }
        case .object(let object):
            for member in object.members where !skipping.contains(member.name) { checkTags(part.member(member.name), scope) }
        case .null, .bool, .number: break
        }
    }
}
