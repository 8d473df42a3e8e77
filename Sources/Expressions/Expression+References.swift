import ExpressionValues

extension Expression {
    /// The variables that the expression cannot do without, by dotted names: of `a.b.c + d` they are `a`, `a.b`, `a.b.c` and `d`.
    ///
    /// Members that may be absent are left out: those before `?.` and those on the left of `??`. So are names of `let`.
    package var references: [String] {
        var guarded: Set<SyntaxTree.Index> = []
        var declared: Set<String> = []
        for node in tree.nodes {
            switch node.kind {
            case .binary(.coalesce, let left, _): markMembers(below: left, &guarded)
            case .member(let base, _, isOptional: true): if case .member = tree.kind(base) { guarded.insert(base) }
            case .variable(let name, _, _): declared.insert(name)
            default: break
            }
        }
        var found: [String] = []
        var seen: Set<String> = []
        for (index, node) in tree.nodes.enumerated() where !guarded.contains(index) {
            var path: String?
            if case .name(let name) = node.kind { path = name }
            if case .member = node.kind { path = dottedName(index) }
            guard let path, path != "$env", !declared.contains(String(path.prefix { $0 != "." })), seen.insert(path).inserted
            else { continue }
            found.append(path)
        }
        return found
    }

    /// `a.b.c` of a member that is reached by names alone.
    private func dottedName(_ index: SyntaxTree.Index) -> String? {
        var parts: [String] = []
        var current = index
        while case .member(let base, let property, isOptional: false) = tree.kind(current) {
            guard let name = tree.text(property) else { return nil }
            parts.append(name)
            current = base
        }
        guard case .name(let name) = tree.kind(current) else { return nil }
        return GoText.joined([name] + parts.reversed(), by: ".")
    }

    /// Marks every member in a part of the tree.
    private func markMembers(below root: SyntaxTree.Index, _ marked: inout Set<SyntaxTree.Index>) {
        var open = [root]
        while let index = open.popLast() {
            if case .member = tree.kind(index) { marked.insert(index) }
            open += tree.children(of: index)
        }
    }
}

extension SyntaxTree {
    func children(of index: Index) -> [Index] {
        switch kind(index) {
        case .literal, .name, .pointer: []
        case .unary(_, let node), .chain(let node): [node]
        case .binary(_, let a, let b), .member(let a, let b, _), .variable(_, let a, let b): [a, b]
        case .slice(let base, let from, let to): [base, from, to].compactMap(\.self)
        case .call(let callee, let arguments): [callee] + arguments
        case .builtin(_, let arguments): arguments
        case .sequence(let nodes), .array(let nodes): nodes
        case .conditional(let a, let b, let c): [a, b, c]
        case .map(let pairs): pairs.flatMap { [$0.key, $0.value] }
        }
    }
}
