package import Documents
import ExpressionValues
import Expressions
import SystemSupport
package import WorkflowFiles
import WorkflowModel

/// Templates that call others: order of steps and tasks, arguments, tags.
extension PlanCheck {
    /// Fields of a call whose tags are not looked at here: a template of its own, and what is run after it.
    private static let otherScopes: Set<String> = ["inline", "hooks", "onExit"]

    package mutating func checkSteps(_ template: ResolvedTemplate, _ part: DocumentPart, _ own: TagScope) {
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
                let outputs = TagScope.outputs(of: called, prefix: "steps.\(step.name)", call: step.value)
                var after = scope
                after.add(outputs)
                checkHooks(step, in: template.space, scope: after)
                checkLoop(step)
                produced.add(outputs)
            }
            // Only what earlier groups have brought forth is there.
            scope.add(produced)
        }
        finish(template, part, scope, skipping: ["steps", "metrics", "inputs"])
    }

    package mutating func checkDAG(_ template: ResolvedTemplate, _ part: DocumentPart, _ own: TagScope) {
        let tasks = part.member("dag").member("tasks")
        if tasks.elements.isEmpty { error(part.member("dag"), "tasks are needed", atValue: false) }
        checkTaskNames(tasks)
        checkDependencies(tasks, of: "task")
        var dependencies: [String: [String]] = [:]
        for task in tasks.elements { dependencies[task.name] = TemplateCall.mentionedTasks(of: task.value) }
        // What a task calls is needed before those that come after it are looked at.
        var outputs: [String: TagScope] = [:]
        for task in tasks.elements {
            let call = TemplateCall(task.value)
            let resolved = try? plan.resolve(call, in: template.space, at: task)
            outputs[task.name] = .outputs(of: resolved, prefix: "tasks.\(task.name)", call: task.value)
        }
        for task in tasks.elements {
            var scope = own.inside(task.value)
            scope.add(TaskOutputs(outputs: outputs, dependencies: dependencies, task: task.name))
            checkTags(task, scope, skipping: Self.otherScopes)
            _ = check(call: task, in: template.space, scope: scope)
            if let outputs = outputs[task.name] { scope.add(outputs) }
            checkHooks(task, in: template.space, scope: scope)
            checkLoop(task)
        }
        let target = part.member("dag").member("target")
        if let text = target.value.string, !text.contains("{{") {
            for name in text.split(separator: " ") where dependencies[String(name)] == nil {
                error(target, "task '\(name)' is not defined")
            }
        }
        var scope = own
        scope.add(TaskOutputs(outputs: outputs, dependencies: dependencies))
        finish(template, part, scope, skipping: ["dag", "metrics", "inputs"])
    }

    private mutating func checkTaskNames(_ tasks: DocumentPart) {
        var seen: Set<String> = []
        let usesDepends = tasks.elements.contains { !($0.value["depends"]?.string ?? "").isEmpty }
        for task in tasks.elements {
            checkName(task, of: "task", &seen)
            checkDepends(task)
            let dependencies = task.value["dependencies"]?.array ?? []
            if usesDepends, !dependencies.isEmpty {
                error(task.member("dependencies"), "'depends' and 'dependencies' cannot be mixed in one dag", atValue: false)
            }
            if usesDepends || !dependencies.isEmpty, let first = task.name.utf8.first, (0x30...0x39).contains(first) {
                error(task.member("name"), "a task that depends on others has a name that begins with no digit")
            }
        }
    }

    /// A `depends` that says more than names.
    private mutating func checkDepends(_ task: DocumentPart) {
        let field = task.member("depends")
        guard !(field.value.string ?? "").isEmpty, TemplateCall.dependencies(of: task.value) == nil else { return }
        do throws(ExpressionError) {
            let depends = try Depends(task.value) { _ in ["Succeeded"] }
            for (name, result) in depends.unknownResults {
                let near = NearName.hint(result, among: Depends.results)
                error(
                    field,
                    "'\(result)' of task '\(name)' is no result; there are: \(Depends.results.joined(separator: ", "))\(near)")
            }
        } catch { self.error(field, "depends cannot be read: \(error.message)") }
    }

    /// What is run when a step, a task or the workflow comes to stand in some way.
    package mutating func checkHooks(_ site: DocumentPart, in space: TemplateSpace, scope: TagScope) {
        let onExit = site.member("onExit")
        if let name = onExit.value.string, !name.isEmpty {
            let call: JSONValue = ["template": .string(name), "arguments": plan.spec["arguments"] ?? [:]]
            _ = check(
                call: DocumentPart(owner: onExit.owner, path: onExit.path, value: call), in: space, scope: scope,
                isImplied: true)
        }
        let hooks = site.member("hooks")
        for member in hooks.value.object?.members ?? [] {
            let part = hooks.member(member.name)
            let expression = member.value["expression"]?.string ?? ""
            if !expression.isEmpty {
                if let fault = TagScope.fault(of: expression) { error(part.member("expression"), fault) }
            } else if member.name != "exit" {
                error(part, "hook '\(member.name)' needs an expression", atValue: false)
            }
            var call = member.value
            let isImplied = member.name == "exit" && call["arguments"] == nil
            if isImplied { call["arguments"] = plan.spec["arguments"] }
            let site = DocumentPart(owner: part.owner, path: part.path, value: call)
            if !isImplied { checkTags(part.member("arguments"), scope) }
            _ = check(call: site, in: space, scope: scope, isImplied: isImplied)
        }
    }

    /// The items of a loop.
    private mutating func checkLoop(_ call: DocumentPart) {
        let kinds = ["withItems", "withParam", "withSequence"].filter { name in
            call.value[name].map { !$0.isNull && $0.string != "" && $0.array?.isEmpty != true } ?? false
        }
        if kinds.count > 1 {
            error(call.member(kinds[1]), "only one of \(kinds.joined(separator: ", ")) can be given", atValue: false)
        }
        let sequence = call.member("withSequence")
        guard !sequence.value.isNull else { return }
        if sequence.value["count"] != nil, sequence.value["end"] != nil {
            error(sequence.member("end"), "either count or end, not both", atValue: false)
        } else if sequence.value["count"] == nil, sequence.value["end"] == nil {
            error(sequence, "count or end is needed", atValue: false)
        }
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
            checkExpression(parameter.part(DocumentPath(members: "valueFrom", "expression")))
        }
        for artifact in outputs.member("artifacts").elements {
            if let text = artifact.value["from"]?.string {
                checkReference(text, artifact.member("from"), scope, kind: "artifact")
            }
            checkExpression(artifact.member("fromExpression"))
        }
    }

    /// A field that is an expression as a whole.
    private mutating func checkExpression(_ part: DocumentPart) {
        guard let text = part.value.string, !text.isEmpty, !text.contains("{{") else { return }
        if let fault = TagScope.fault(of: text) { error(part, fault) }
    }

    /// The arguments of a call.
    package mutating func checkArguments(_ arguments: DocumentPart, scope: TagScope) {
        checkNames(arguments.member("parameters"), of: "parameter")
        checkNames(arguments.member("artifacts"), of: "artifact")
        for parameter in arguments.member("parameters").elements {
            if let problem = ArgumentRules.problem(with: parameter.value, settings: plan.settings) {
                error(parameter, "parameter '\(parameter.name)' \(problem)", atValue: false)
            }
        }
        for artifact in arguments.member("artifacts").elements {
            checkLocation(artifact)
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
        name = name.trimmed
        // A tag that stands for nothing has been told.
        if name.contains("{{") || name.hasPrefix("=") || scope.firstUnknown(in: text) != nil { return }
        if !scope.contains(name) {
            error(part, "there is no \(kind) '\(name)' here")
        } else if kind == "artifact", !name.contains("artifacts.") {
            error(part, "'\(name)' is no artifact")
        }
    }

    /// All texts in a part.
    package mutating func checkTags(_ part: DocumentPart, _ scope: TagScope, skipping: Set<String> = []) {
        switch part.value {
        case .string(let text):
            for unknown in scope.unknown(in: text) { report(unknown, part) }
            for fault in TagScope.faults(in: text) { error(part, fault) }
        case .array: for element in part.elements { checkTags(element, scope) }
        case .object(let object):
            for member in object.members where !skipping.contains(member.name) { checkTags(part.member(member.name), scope) }
        case .null, .bool, .number: break
        }
    }

    private mutating func report(_ tag: TagScope.UnknownTag, _ part: DocumentPart) {
        var text = "unknown variable {{\(tag.name)}}"
        if let near = tag.near {
            text += "; did you mean {{\(near)}}?"
        } else if tag.name.hasPrefix("workflow.parameters."), !tag.name.hasSuffix(".json") {
            text += "; declare the parameter, or give it with -p \(tag.name.dropFirst("workflow.parameters.".count))=VALUE"
        }
        if tag.isLeft {
            add(part.finding(.warning, text + " (it is left as it is)", atValue: true))
        } else {
            error(part, text)
        }
    }

    /// The values that inputs have by themselves, where a call gives no others: its arguments replace them before anything looks at
    /// the tags in them.
    package mutating func checkInputValues(_ template: ResolvedTemplate, given arguments: JSONValue, around outer: TagScope?) {
        guard let inputs = template.entry?.member("inputs") else { return }
        var scope = outer ?? global
        scope.add(.own(template))
        let given = { (kind: String) in Set((arguments[kind]?.array ?? []).compactMap { $0["name"]?.string }) }
        let parameters = given("parameters")
        let left = inputs.member("parameters").elements.filter { !parameters.contains($0.name) }
        for parameter in left {
            for field in ["value", "default", "valueFrom"] { checkTags(parameter.member(field), scope) }
            guard parameter.value["value"] == nil, parameter.value["default"] == nil else { continue }
            guard let selector = parameter.value["valueFrom"]?["configMapKeyRef"], !selector.isNull else { continue }
            let source: JSONValue = ["valueFrom": parameter.value["valueFrom"] ?? .null]
            if let problem = ArgumentRules.problem(with: source, settings: plan.settings) {
                error(parameter, "parameter '\(parameter.name)' \(problem)", atValue: false)
            }
        }
        checkRing(left, prefix: "inputs.parameters.")
        let artifacts = given("artifacts")
        for artifact in inputs.member("artifacts").elements where !artifacts.contains(artifact.name) {
            checkTags(artifact, scope)
        }
    }

    /// Parameters whose values refer to each other in a ring have none.
    package mutating func checkRing(_ parameters: [DocumentPart], prefix: String) {
        var references: [String: [String]] = [:]
        for parameter in parameters {
            let value = parameter.value["value"] ?? parameter.value["default"]
            references[parameter.name] = Self.references(in: value?.string ?? "", prefix)
        }
        guard let ring = ReferenceCycle.find(in: references), let first = parameters.first(where: { $0.name == ring[0] }) else {
            return
        }
        let field = first.value["value"] == nil ? "default" : "value"
        error(first.member(field), "parameters refer to each other in a ring: \(ReferenceCycle.text(ring))")
    }

    private static func references(in text: String, _ prefix: String) -> [String] {
        guard text.contains("{{") else { return [] }
        var names: [String] = []
        _ = TagText.tags(in: text) { tag in
            let name = tag.trimmed
            if name.hasPrefix(prefix) { names.append(String(name.dropFirst(prefix.count))) }
        }
        return names
    }
}
