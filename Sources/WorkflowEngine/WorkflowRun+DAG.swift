import Documents
import ExecutorCore
import WorkflowModel

/// Tasks: each as soon as those it depends on have succeeded.
extension WorkflowRun {
    /// The tasks of one walk.
    private struct Tasks {
        let boundaryName: String
        let boundary: String
        let documents: [String: JSONValue]
        let names: [String]
        let dependencies: [String: [String]]
        let targets: [String]
        var visited: Set<String> = []

        init(_ template: JSONObject, boundaryName: String, boundary: String) {
            self.boundaryName = boundaryName
            self.boundary = boundary
            var documents: [String: JSONValue] = [:]
            var names: [String] = []
            var dependencies: [String: [String]] = [:]
            for task in template["dag"]?["tasks"]?.array ?? [] {
                let name = task["name"]?.string ?? ""
                names.append(name)
                documents[name] = task
                dependencies[name] = TemplateCall.dependencies(of: task) ?? []
            }
            self.documents = documents
            self.names = names
            self.dependencies = dependencies
            let target = template["dag"]?["target"]?.string ?? ""
            let depended = Set(dependencies.values.joined())
            targets =
                target.isEmpty
                ? names.filter { !depended.contains($0) }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
                : target.split(separator: " ").map(String.init)
        }

        /// The tasks that a task comes after, those further back first.
        func ancestors(of task: String) -> [String] {
            var found: [String] = []
            func visit(_ name: String) {
                for next in dependencies[name] ?? [] where !found.contains(next) {
                    visit(next)
                    if !found.contains(next) { found.append(next) }
                }
            }
            visit(task)
            return found
        }
    }

    mutating func runDAG(_ execution: Execution, named name: String) throws(StepError) {
        let own = id(of: name)
        var tasks = Tasks(execution.template, boundaryName: name, boundary: own)
        for target in tasks.targets { runTask(target, &tasks, execution) }
        let verdict = assess(tasks, failsFast: execution.template["dag"]?["failFast"]?.bool ?? true)
        guard let verdict else { return }
        let ends = tasks.targets.compactMap { node(named: "\(name).\($0)")?.id }.flatMap { outbound($0) }
        nodes[own]?.outboundNodes = ends
        if verdict != .succeeded { return mark(own, verdict) }
        var scope = Scope(inputsOf: execution.template, workflowOutputs: outputs)
        for task in tasks.names {
            guard let node = node(named: "\(name).\(task)") else { continue }
            scope.add(node, prefix: "tasks.\(task)")
        }
        let outputs = try templateOutputs(execution.template, scope)
        nodes[own]?.outputs = outputs
        raiseOutputs(of: own)
        mark(own, .succeeded)
    }

    /// Runs what a task depends on, then itself, where that may be.
    private mutating func runTask(_ task: String, _ tasks: inout Tasks, _ parent: Execution) {
        guard tasks.visited.insert(task).inserted, let document = tasks.documents[task] else { return }
        let name = "\(tasks.boundaryName).\(task)"
        if let node = node(named: name) {
            if !node.phase.isFulfilled { goOn(with: TemplateCall(document), named: name, parent, tasks) }
            return
        }
        let dependencies = tasks.dependencies[task] ?? []
        for dependency in dependencies { runTask(dependency, &tasks, parent) }
        let before = dependencies.map { node(named: "\(tasks.boundaryName).\($0)") }
        if before.contains(where: { $0?.phase.isFulfilled != true }) { return }
        let parents = before.compactMap { $0?.id }
        if before.contains(where: { $0?.phase != .succeeded && $0?.phase != .skipped }) {
            make(
                name, .skipped, TemplateCall(document), in: parent.space, boundary: tasks.boundary, phase: .omitted,
                message: "omitted: depends condition not met")
            return connectTask(name, parents, tasks)
        }
        var scope = Scope(inputsOf: parent.template, workflowOutputs: outputs)
        for ancestor in tasks.ancestors(of: task) {
            if let node = node(named: "\(tasks.boundaryName).\(ancestor)") { scope.add(node, prefix: "tasks.\(ancestor)") }
        }
        substituteVolumes(scope)
        do throws(StepError) {
            let call = TemplateCall(try resolved(document, scope))
            connectTask(name, parents, tasks)
            goOn(with: call, named: name, parent, tasks)
        } catch {
            make(
                name, .skipped, TemplateCall(document), in: parent.space, boundary: tasks.boundary, phase: .error,
                message: error.message)
            connectTask(name, parents, tasks)
        }
    }

    private mutating func goOn(with call: TemplateCall, named name: String, _ parent: Execution, _ tasks: Tasks) {
        do throws(StepError) {
            _ = try execute(call, named: name, in: parent.space, boundary: tasks.boundary, stepVariable: "tasks.name")
        } catch {
            mark(id(of: name), .error, "task '\(name)' errored: \(error.message)")
        }
    }

    /// Puts a task behind those it depends on, a first one behind the dag's own node.
    private mutating func connectTask(_ name: String, _ parents: [String], _ tasks: Tasks) {
        let child = id(of: name)
        if parents.isEmpty { addChild(child, to: tasks.boundary) } else { connect(child, behind: parents) }
    }

    /// How the whole stands: nil while something runs or may still begin.
    private func assess(_ tasks: Tasks, failsFast: Bool) -> NodePhase? {
        if isShuttingDown { return .failed }
        // A task that was omitted stands as what came before it on the same branch.
        var targets: [String: NodePhase?] = [:]
        for target in tasks.targets { targets[id(of: "\(tasks.boundaryName).\(target)")] = .some(nil) }
        var open = (nodes[tasks.boundary]?.children ?? []).map { ($0, NodePhase.succeeded) }[...]
        var seen: Set<String> = []
        while let (id, inherited) = open.popFirst() {
            guard seen.insert("\(id) \(inherited.rawValue)").inserted else { continue }
            guard let node = nodes[id], node.phase.isFulfilled else { return nil }
            let phase = node.phase.isCompleted ? node.phase : inherited
            if let known = targets[id], known?.isFailure != true { targets[id] = phase }
            open += node.children.map { ($0, phase) }
        }
        var verdict: NodePhase? = .succeeded
        for target in tasks.targets {
            guard let phase = targets[id(of: "\(tasks.boundaryName).\(target)")] ?? nil else {
                verdict = nil
                if failsFast { continue }
                break
            }
            if phase.isFailure {
                verdict = phase
                if failsFast { break }
            }
        }
        return verdict
    }
}
