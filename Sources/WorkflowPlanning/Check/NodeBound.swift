import Documents
import WorkflowFiles
import WorkflowModel

/// How many nodes a run will have at most, counted in the file: each template once, whatever the number of its calls.
package struct NodeBound {
    /// Nodes of a template and all below it, and how many templates lie on the longest way down.
    private struct Size {
        var nodes = 1
        var height = 1

        /// Adds what a call makes.
        mutating func add(_ other: Size, count: Int = 1) {
            let (product, overflow) = other.nodes.multipliedReportingOverflow(by: count)
            nodes = overflow ? NodeBound.most : min(nodes.addingReportingOverflow(product).partialValue, NodeBound.most)
            height = max(height, other.height + 1)
        }
    }

    /// Beyond this nothing is counted any more.
    private static let most = 1 << 40

    private let plan: WorkflowPlan
    private var known: [String: Size] = [:]
    /// The first template, from below, that is too large or whose calls are too deep, and why.
    private(set) var finding: Finding?

    /// - Parameter plan: without cycles and with all templates defined.
    package init(_ plan: WorkflowPlan) {
        self.plan = plan
        let call = TemplateCall(entrypoint: plan.entrypoint, arguments: [:])
        if let entry = try? plan.resolve(call, in: plan.local) { _ = size(of: entry) }
    }

    private mutating func size(of template: ResolvedTemplate) -> Size {
        let key = template.entry.map { "\($0.owner.file) \($0.owner.source.place(of: .root)) \($0.path)" } ?? ""
        if !key.isEmpty, let size = known[key] { return size }
        // A ring, which is refused elsewhere, ends here.
        known[key] = Size()
        var size = Size()
        switch template.kind {
        case .steps:
            for group in template.entry?.member("steps").elements ?? [] {
                size.nodes += 1
                for step in group.elements { size.add(self.size(of: step, in: template), count: Self.count(of: step)) }
            }
        case .dag:
            for task in template.entry?.member("dag").member("tasks").elements ?? [] {
                size.add(self.size(of: task, in: template), count: Self.count(of: task))
                if TagScope.isLoop(task.value) { size.nodes += 1 }
            }
        case .containerSet: size.nodes += template.template["containerSet"]?["containers"]?.array?.count ?? 0
        default: break
        }
        known[key] = size
        check(size, template)
        return size
    }

    /// How often a step or task calls its template, as far as the file says so.
    private static func count(of call: DocumentPart) -> Int { max(1, call.value["withItems"]?.array?.count ?? 1) }

    /// What a step or task makes. Which template it calls may only be known later: then the run itself counts.
    private mutating func size(of call: DocumentPart, in template: ResolvedTemplate) -> Size {
        guard let resolved = try? plan.resolve(TemplateCall(call.value), in: template.space, at: call) else { return Size() }
        return size(of: resolved)
    }

    private mutating func check(_ size: Size, _ template: ResolvedTemplate) {
        guard finding == nil, let entry = template.entry else { return }
        let name = "template '\(template.name)'"
        if size.nodes > plan.settings.maximumNodes {
            let count = size.nodes >= Self.most ? "at least 2^40" : "\(size.nodes)"
            finding = entry.finding(
                .error,
                "\(name) makes \(count) nodes with all that it calls; a run may have \(plan.settings.maximumNodes) "
                    + "(--max-nodes N sets the limit)", atValue: true)
        } else if size.height >= WorkflowPlan.maximumDepth {
            finding = entry.finding(
                .error, "\(name) calls templates \(size.height) levels deep; at most \(WorkflowPlan.maximumDepth - 1) can run",
                atValue: true)
        }
    }
}
