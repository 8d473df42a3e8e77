import SystemSupport
import WorkflowPlanning

/// The nodes of a run, and the one place that changes how they stand: it counts them for the limits, and keeps which of them an
/// event concerns, so that a look at the workflow goes only where something is new.
struct NodeStore: Sendable {
    /// How many nodes below a boundary stand in a way that limits ask for.
    struct Tally: Sendable {
        /// Pods, steps and dags that run or wait.
        var active = 0
        /// Pods that run or wait.
        var activePods = 0
        /// Pods, steps and dags that have failed.
        var failed = 0
    }

    private var nodes: [String: Node] = [:]
    /// In the order in which the nodes came to be.
    private(set) var order: [String] = []
    /// Of nodes that hang on another one than their boundary: attempts and hooks.
    private var owners: [String: String] = [:]
    private var tallies: [String: Tally] = [:]
    private var links: Set<String> = []
    /// For the next look: the nodes that are concerned, and below each those that make it so.
    private var touched: Set<String> = []
    private var touchedBelow: [String: [String]] = [:]
    /// The same for the current look.
    private var looked: [String: [String]] = [:]

    subscript(id: String) -> Node? { nodes[id] }

    var all: [Node] { order.compactMap { nodes[$0] } }

    func tally(below boundary: String) -> Tally { tallies[boundary] ?? Tally() }

    // MARK: Changes

    /// - Parameter owner: the node that has to be looked at when this one has changed; nil: its boundary.
    mutating func add(_ node: Node, owner: String? = nil) {
        nodes[node.id] = node
        order.append(node.id)
        if let owner { owners[node.id] = owner }
        count(node, 1)
    }

    mutating func mark(_ id: String, _ phase: NodePhase, _ message: String?, at time: Timestamp) {
        guard var node = nodes[id] else { return }
        let isNew = node.phase != phase
        if isNew { count(node, -1) }
        node.phase = phase
        if isNew { count(node, 1) }
        if let message { node.message = message }
        if phase.isFulfilled, node.finishedAt == nil { node.finishedAt = time }
        if phase.isFulfilled { node.awaitedLock = "" }
        nodes[id] = node
    }

    /// Changes anything of a node but its phase.
    mutating func edit(_ id: String, _ change: (inout Node) -> Void) {
        guard var node = nodes[id] else { return }
        nodes[id] = nil
        let phase = node.phase
        change(&node)
        node.phase = phase
        nodes[id] = node
    }

    mutating func addChild(_ child: String, to parent: String) {
        guard nodes[parent] != nil, links.insert("\(parent) \(child)").inserted else { return }
        nodes[parent]?.children.append(child)
    }

    private mutating func count(_ node: Node, _ step: Int) {
        guard node.type == .pod || node.type == .steps || node.type == .dag else { return }
        var tally = tallies[node.boundaryID] ?? Tally()
        if !node.phase.isFulfilled {
            tally.active += step
            if node.type == .pod { tally.activePods += step }
        }
        if node.phase.isFailure { tally.failed += step }
        tallies[node.boundaryID] = tally
    }

    // MARK: What is new

    /// Whether there is anything to be looked at.
    var hasTouched: Bool { !touched.isEmpty }

    /// Has a node looked at, and all that it is part of.
    mutating func touch(_ id: String) {
        var id = id
        while let node = nodes[id], touched.insert(id).inserted {
            let owner = owners[id] ?? node.boundaryID
            if owner.isEmpty { return }
            touchedBelow[owner, default: []].append(id)
            id = owner
        }
    }

    /// Has everything looked at that is not over.
    mutating func touchAll() { for id in order where nodes[id]?.phase.isFulfilled == false { touch(id) } }

    /// Begins a look at the workflow: what is touched from now on is for the next.
    mutating func beginLook() {
        looked = touchedBelow
        touchedBelow = [:]
        touched = []
    }

    /// Takes the nodes below one that the current look concerns.
    mutating func takeTouched(below id: String) -> [String] { looked.removeValue(forKey: id) ?? [] }
}
