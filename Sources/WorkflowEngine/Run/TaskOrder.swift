import Documents
import ExpressionValues
import Expressions
import WorkflowFiles
import WorkflowPlanning

/// Which task of a dag comes after which. Tasks go by their place in the template.
struct TaskOrder: Sendable {
    let depends: [Depends]
    /// The tasks that each depends on.
    let dependencies: [[Int]]
    /// The tasks that depend on each.
    let dependents: [[Int]]
    /// The tasks that decide about the whole, in the order in which they are reached.
    let targets: [Int]
    /// All tasks that targets need, each after those it depends on.
    let order: [Int]
    /// The place of each task in that order; nil for those that no target needs.
    let ranks: [Int?]
    /// Whether the dag ends with the first failure of a target.
    let failsFast: Bool

    init(_ template: JSONObject) throws(StepError) {
        let documents = template["dag"]?["tasks"]?.array ?? []
        let names = documents.map { $0["name"]?.string ?? "" }
        let places = Dictionary(zip(names, names.indices)) { first, _ in first }
        var depends: [Depends] = []
        for document in documents {
            do throws(ExpressionError) {
                depends.append(
                    try Depends(document) { name in Depends.endsWell(places[name].map { documents[$0] }) })
            } catch {
                throw .text("task '\(document["name"]?.string ?? "")': depends: \(error.message)")
            }
        }
        let dependencies = depends.map { $0.names.compactMap { places[$0] } }
        self.depends = depends
        self.dependencies = dependencies
        var dependents: [[Int]] = Array(repeating: [], count: names.count)
        for (task, before) in dependencies.enumerated() {
            for other in before { dependents[other].append(task) }
        }
        self.dependents = dependents
        let target = template["dag"]?["target"]?.string ?? ""
        targets =
            target.isEmpty
            ? names.indices.filter { dependents[$0].isEmpty }
                .sorted { names[$0].utf8.lexicographicallyPrecedes(names[$1].utf8) }
            : target.split(separator: " ").compactMap { places[String($0)] }
        order = Self.order(of: targets, dependencies)
        var ranks: [Int?] = Array(repeating: nil, count: names.count)
        for (rank, task) in order.enumerated() { ranks[task] = rank }
        self.ranks = ranks
        failsFast = template["dag"]?["failFast"]?.bool ?? true
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
}
