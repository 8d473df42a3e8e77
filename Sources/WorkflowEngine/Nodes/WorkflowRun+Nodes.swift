import Documents
import SystemSupport
import WorkflowFiles
import WorkflowModel
import WorkflowPlanning

/// Making and marking nodes.
extension WorkflowRun {
    func id(of nodeName: String) -> String { NodeNames.nodeID(workflow: identity.name, nodeName: nodeName) }

    /// A new node.
    ///
    /// - Parameters:
    ///   - space: where the call's template is looked up.
    ///   - template: what it runs; nil for those that run nothing.
    mutating func make(
        _ name: String, _ type: NodeType, _ call: TemplateCall?, in space: TemplateSpace, _ entry: Entry, phase: NodePhase,
        template: JSONObject? = nil, message: String = ""
    ) {
        var templateName = ""
        var inlinePath: DocumentPath?
        var reference: JSONValue?
        switch call?.target {
        case .named(let name): templateName = name
        case .reference(let name, let template, let isClusterScoped):
            var object: JSONObject = ["name": .string(name), "template": .string(template)]
            if isClusterScoped { object["clusterScope"] = true }
            reference = .object(object)
        case .inline: inlinePath = entry.site?.member("inline").path
        case .some(TemplateCall.Target.none), nil: break
        }
        var node = Node(
            id: id(of: name), name: name,
            displayName: NodeNames.displayName(name, boundaryName: store[entry.boundary]?.name), type: type,
            templateName: templateName, templateReference: reference,
            templateScope: space.libraryScope
                ?? "local/\(plan.document.spec["workflowTemplateRef"] == nil ? identity.name : "")",
            inlinePath: inlinePath, phase: phase, boundaryID: entry.boundary, startedAt: now)
        node.message = message
        node.flag = entry.flag
        if node.flag == nil, [.skipped, .stepGroup, .taskGroup].contains(type) { node.flag = NodeFlag() }
        if phase.isFulfilled { node.finishedAt = now }
        if let inputs = template?["inputs"]?.object, !inputs.isEmpty { node.inputs = inputs.withoutEmptyLists }
        if let name = template?["annotations"]?["workflows.argoproj.io/display-name"]?.string, !name.isEmpty {
            node.displayName = name
        }
        store.add(node, owner: entry.owner)
    }

    /// The node of what is run: made, or going on where it has waited.
    mutating func ensure(_ execution: Execution, _ type: NodeType, _ phase: NodePhase) {
        let id = id(of: execution.name)
        guard store[id] == nil else { return mark(id, phase, "") }
        make(
            execution.name, type, execution.call, in: execution.callSpace, execution.entry, phase: phase,
            template: execution.template)
    }

    /// How a node stands from now on. What it has held is given back when it has ended.
    mutating func mark(_ id: String, _ phase: NodePhase, _ message: String? = nil) {
        let wasFulfilled = store[id]?.phase.isFulfilled ?? true
        store.mark(id, phase, message, at: now)
        guard phase.isFulfilled, !wasFulfilled else { return }
        alarms[id] = nil
        for waiting in locks.release(id) { store.touch(waiting) }
        for boundary in deferring { store.touch(boundary) }
        if phase == .succeeded { remember(id) }
        if let node = store[id], node.type == .pod, executions[id]?.kind != .containerSet { executions[id] = nil }
    }

    mutating func addChild(_ child: String, to parent: String) { store.addChild(child, to: parent) }

    /// The nodes that what comes after a node is attached to.
    func outbound(_ id: String) -> [String] {
        guard let node = store[id] else { return [] }
        switch node.type {
        case .skipped, .suspend: return [id]
        case .pod where executions[id]?.kind != .containerSet: return [id]
        case .pod, .container, .taskGroup:
            if node.children.isEmpty { return [id] }
            return node.children.flatMap { child in
                // A child beyond the set means that this is its last container.
                node.type == .container && store[child]?.boundaryID != node.boundaryID ? [id] : outbound(child)
            }
        case .retry: return node.children.last.map { [$0] } ?? [id]
        case .stepGroup: return []
        case .steps, .dag:
            // What has ended before anything of it began has nothing else to be attached to.
            let ends = (node.outboundNodes ?? []).flatMap { outbound($0) }
            return ends.isEmpty ? [id] : ends
        }
    }

    /// Attaches a node behind others.
    mutating func connect(_ child: String, behind parents: [String]) {
        for parent in parents {
            for id in outbound(parent) { addChild(child, to: id) }
        }
    }
}

extension Node {
    /// The nodes of a set's containers.
    func containerNodes(in nodes: NodeStore) -> [String] {
        var found: [String] = []
        var open = children
        while let next = open.popLast() {
            guard let node = nodes[next], node.type == .container, node.boundaryID == id, !found.contains(next) else {
                continue
            }
            found.append(next)
            open += node.children
        }
        return found
    }
}

extension JSONObject {
    /// Without members that are empty lists.
    var withoutEmptyLists: JSONObject? {
        let kept = members.filter { $0.value.array?.isEmpty != true }
        return kept.isEmpty ? nil : JSONObject(kept.map { ($0.name, $0.value) })
    }
}
