import Documents
import SystemSupport
import WorkflowFiles
import WorkflowModel

/// Making and marking nodes.
extension WorkflowRun {
    func id(of nodeName: String) -> String { NodeNames.nodeID(workflow: identity.name, nodeName: nodeName) }

    /// A new node.
    ///
    /// - Parameters:
    ///   - template: what it runs; nil for those that run nothing.
    ///   - site: where the call is written, as far as that is known.
    @discardableResult
    mutating func make(
        _ name: String, _ type: NodeType, _ call: TemplateCall?, in space: TemplateSpace, boundary: String, phase: NodePhase,
        template: JSONObject? = nil, message: String = "", site: DocumentPart? = nil
    ) -> Node {
        var templateName = ""
        var inlinePath: DocumentPath?
        var reference: JSONValue?
        switch call?.target {
        case .named(let name): templateName = name
        case .reference(let name, let template, let isClusterScoped):
            var object: JSONObject = ["name": .string(name), "template": .string(template)]
            if isClusterScoped { object["clusterScope"] = true }
            reference = .object(object)
        case .inline: inlinePath = site?.member("inline").path
        case .some(TemplateCall.Target.none), nil: break
        }
        var node = Node(
            id: id(of: name), name: name,
            displayName: NodeNames.displayName(name, boundaryName: nodes[boundary]?.name), type: type,
            templateName: templateName, templateReference: reference,
            templateScope: space.libraryScope
                ?? "local/\(plan.document.spec["workflowTemplateRef"] == nil ? identity.name : "")",
            inlinePath: inlinePath, phase: phase, boundaryID: boundary, startedAt: now)
        node.message = message
        if phase.isFulfilled { node.finishedAt = now }
        if let inputs = template?["inputs"]?.object, !inputs.isEmpty { node.inputs = inputs.withoutEmptyLists }
        if let name = template?["annotations"]?["workflows.argoproj.io/display-name"]?.string, !name.isEmpty {
            node.displayName = name
        }
        nodes[node.id] = node
        order.append(node.id)
        return node
    }

    mutating func mark(_ id: String, _ phase: NodePhase, _ message: String? = nil) {
        nodes[id]?.phase = phase
        if let message { nodes[id]?.message = message }
        if phase.isFulfilled, nodes[id]?.finishedAt == nil { nodes[id]?.finishedAt = now }
    }

    mutating func addChild(_ child: String, to parent: String) {
        if nodes[parent]?.children.contains(child) == false { nodes[parent]?.children.append(child) }
    }

    /// The nodes that what comes after a node is attached to.
    func outbound(_ id: String) -> [String] {
        guard let node = nodes[id] else { return [] }
        switch node.type {
        case .skipped, .suspend: return [id]
        case .pod where executions[id]?.kind != .containerSet: return [id]
        case .pod, .container, .taskGroup:
            if node.children.isEmpty { return [id] }
            return node.children.flatMap { child in
                // A child beyond the set means that this is its last container.
                node.type == .container && nodes[child]?.boundaryID != node.boundaryID ? [id] : outbound(child)
            }
        case .retry: return node.children.last.map { [$0] } ?? []
        case .steps, .dag, .stepGroup: return (node.outboundNodes ?? []).flatMap { outbound($0) }
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
    func containerNodes(in nodes: [String: Node]) -> [String] {
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
