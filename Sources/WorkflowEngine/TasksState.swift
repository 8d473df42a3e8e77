import Documents
import WorkflowFiles
import WorkflowModel

/// How far a node of tasks has come. Tasks go by their place in the template.
struct TasksState: Sendable {
    let boundaryName: String
    let boundary: String
    let documents: [JSONValue]
    let names: [String]
    let dependencies: [[Int]]
    /// The tasks that decide about the whole, in the order in which they are reached.
    let targets: [Int]
    /// All tasks that targets need, each after those it depends on.
    let order: [Int]
    /// How each stands; nil: there is no node yet.
    var phases: [NodePhase?]
    var scope: Scope

    init(_ template: JSONObject, boundaryName: String, boundary: String) {
        self.boundaryName = boundaryName
        self.boundary = boundary
        documents = template["dag"]?["tasks"]?.array ?? []
        names = documents.map { $0["name"]?.string ?? "" }
        let places = Dictionary(zip(names, names.indices)) { first, _ in first }
        dependencies = documents.map { (TemplateCall.dependencies(of: $0) ?? []).compactMap { places[$0] } }
        let target = template["dag"]?["target"]?.string ?? ""
        let depended = Set(dependencies.joined())
        let names = names
        targets =
            target.isEmpty
            ? names.indices.filter { !depended.contains($0) }
                .sorted { names[$0].utf8.lexicographicallyPrecedes(names[$1].utf8) }
            : target.split(separator: " ").compactMap { places[String($0)] }
        order = Self.order(of: targets, dependencies)
        phases = Array(repeating: nil, count: documents.count)
        scope = Scope(template, word: "tasks")
    }

    /// Dependencies first, without recursion: chains may be long.
    private static func order(of targets: [Int], _ dependencies: [[Int]]) -> [Int] {
        var order: [Int] = []
        var isReached = Array(repeating: false, count: dependencies.count)
        for target in targets where !isReached[target] {
            isReached[target] = true
            var way = [(task: target, next: 0)]
            while let (task, next) = way.last {
                if next == dependencies[task].count {
                    order.append(task)
                    way.removeLast()
                    continue
                }
                way[way.count - 1].next += 1
                let dependency = dependencies[task][next]
                if !isReached[dependency] {
                    isReached[dependency] = true
                    way.append((dependency, 0))
                }
            }
        }
        return order
    }

    func nodeName(_ task: Int) -> String { "\(boundaryName).\(names[task])" }

    /// The node of a task that has one.
    func nodeID(_ task: Int) -> String? { scope.members[names[task]] }

    /// How the whole stands: nil while something runs or may still begin.
    ///
    /// - Parameter branches: of nodes that were not run, how the branches stand that they end.
    func verdict(_ branches: [String: NodePhase], failsFast: Bool) -> NodePhase? {
        if order.contains(where: { phases[$0].map { !$0.isFulfilled } ?? false }) { return nil }
        var verdict: NodePhase? = .succeeded
        for target in targets {
            guard let phase = phases[target] else {
                verdict = nil
                if failsFast { continue }
                break
            }
            let branch = phase.isCompleted ? phase : nodeID(target).flatMap { branches[$0] } ?? .succeeded
            if branch.isFailure {
                verdict = branch
                if failsFast { break }
            }
        }
        return verdict
    }
}
