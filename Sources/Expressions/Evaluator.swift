import ExpressionValues
import RegularExpressions

/// Evaluates one syntax tree once.
final class Evaluator {
    typealias Value = ExpressionValue
    typealias Index = SyntaxTree.Index

    /// A predicate under way: which element of which list.
    struct PredicateScope {
        let elements: [Value]
        var index = 0
        var accumulator = Value.null
    }

    private(set) var tree: SyntaxTree
    private(set) var environment: ValueMap
    private let limits: EvaluationLimits
    private var elements = 0
    private var steps = 0
    private var variables: [(name: String, value: Value)] = []
    var scopes: [PredicateScope] = []
    /// Where in the text the evaluation is.
    private(set) var offset = 0
    /// Whether a `?.` met nil: what goes on to the end of its chain is nil.
    private var isCut = false
    private var patterns: [String: RegularExpression] = [:]

    init(_ tree: SyntaxTree, _ environment: ValueMap, _ limits: EvaluationLimits) {
        self.tree = tree
        self.environment = environment
        self.limits = limits
    }

    // MARK: What it costs

    /// Counts work; a text or list of a length counts as `count`.
    @inline(never)
    func spend(_ count: Int = 1) throws(Fault) {
        steps += count
        if steps > limits.steps || steps < 0 { throw Fault("work budget exceeded") }
    }

    /// Counts elements that are made.
    @inline(never)
    func grow(_ count: Int) throws(Fault) {
        elements += count
        if elements >= limits.elements { throw Fault("memory budget exceeded") }
        try spend(count)
    }

    /// Counts work on a text.
    @inline(never)
    func spend(on text: String) throws(Fault) { try spend(1 + text.utf8.count / 8) }

    /// A list, of which each element counts.
    @inline(never)
    func list(_ elements: [Value]) throws(Fault) -> Value {
        try grow(elements.count)
        return .list(try ValueList(elements))
    }

    func pattern(_ text: String) throws(Fault) -> RegularExpression {
        if let known = patterns[text] { return known }
        try spend(64 + text.utf8.count)
        let pattern: RegularExpression
        do throws(RegularExpression.Invalid) {
            pattern = try RegularExpression(text)
        } catch {
            throw Fault(error.reason)
        }
        if patterns.count < 64 { patterns[text] = pattern }
        return pattern
    }

    /// Whether the budget is used up: then no fault is taken for a result.
    var isExhausted: Bool { steps > limits.steps || steps < 0 || elements >= limits.elements }

    /// Evaluates another tree with other names, at the cost of this evaluation.
    func evaluate(_ other: SyntaxTree, _ names: ValueMap) throws(Fault) -> Value {
        let (outerTree, outerNames, outerScopes, outerVariables) = (tree, environment, scopes, variables)
        let (outerOffset, outerCut) = (offset, isCut)
        defer {
            (tree, environment, scopes, variables) = (outerTree, outerNames, outerScopes, outerVariables)
            (offset, isCut) = (outerOffset, outerCut)
        }
        (tree, environment, scopes, variables, isCut) = (other, names, [], [], false)
        return try evaluate(other.root)
    }

    // MARK: Nodes

    func evaluate(_ index: Index) throws(Fault) -> Value {
        try spend()
        offset = tree[index].offset
        switch tree.kind(index) {
        case .literal(let value): return value
        case .name(let name): return value(ofName: name)
        case .unary(let symbol, let operand): return try unary(symbol, operand, index)
        case .binary: return try chainOfOperators(index)
        case .chain(let node): return try chain(node)
        case .member(let base, let property, let isOptional): return try member(base, property, isOptional, index)
        case .slice(let base, let from, let to): return try slice(base, from, to, index)
        case .call(let callee, let arguments): return try call(callee, arguments, index)
        case .builtin(let builtin, let arguments): return try call(builtin, arguments, index)
        case .pointer(let pointer): return try value(of: pointer)
        case .variable(let name, let value, let body): return try declare(name, value, body)
        case .sequence(let nodes): return try sequence(nodes)
        case .conditional(let condition, let first, let second): return try conditional(condition, first, second)
        case .array(let nodes): return try array(nodes, index)
        case .map(let pairs): return try map(pairs, index)
        }
    }

    private func value(ofName name: String) -> Value {
        for variable in variables.reversed() where hasEqualBytes(variable.name, name) { return variable.value }
        if name == "$env" { return .map(environment) }
        if let value = environment[name] { return value }
        // Names that are checked are known; the arguments of functions that are not known are not checked.
        return .null
    }

    private func value(of pointer: SyntaxTree.Pointer) throws(Fault) -> Value {
        guard let scope = scopes.last else { throw Fault("cannot use pointer accessor outside predicate") }
        switch pointer {
        case .index: return .int(scope.index)
        case .accumulator: return scope.accumulator
        case .element:
            guard scope.index < scope.elements.count else { return .null }
            return scope.elements[scope.index]
        }
    }

    private func unary(_ symbol: SyntaxTree.Unary, _ operand: Index, _ node: Index) throws(Fault) -> Value {
        let value = try evaluate(operand)
        offset = tree[node].offset
        switch (symbol, value) {
        case (.not, _): return .bool(!(try truth(value)))
        case (.plus, _): return value
        case (.minus, .int(let number)): return .int(0 &- number)
        case (.minus, .float(let number)): return .float(-number)
        case (.minus, _): throw Fault("invalid operation: - \(value.typeName)")
        }
    }

    @inline(never)
    func truth(_ value: Value) throws(Fault) -> Bool {
        guard case .bool(let flag) = value else {
            throw Fault("interface conversion: interface {} is \(value.typeName), not bool")
        }
        return flag
    }

    /// Operators that lean to the left are evaluated in a loop: conditions of hundreds of parts nest no deeper than one.
    private func chainOfOperators(_ index: Index) throws(Fault) -> Value {
        var spine: [Index] = []
        var node = index
        while case .binary(_, let left, _) = tree.kind(node) {
            spine.append(node)
            node = left
        }
        var value = try evaluate(node)
        for node in spine.reversed() {
            guard case .binary(let symbol, _, let right) = tree.kind(node) else { continue }
            offset = tree[node].offset
            try spend()
            switch symbol {
            case .and: if try truth(value) { value = try evaluate(right) }
            case .or: if !(try truth(value)) { value = try evaluate(right) }
            case .coalesce: if value.isNil { value = try evaluate(right) }
            default:
                let other = try evaluate(right)
                offset = tree[node].offset
                value = try apply(symbol, value, other)
            }
        }
        return value
    }

    private func chain(_ node: Index) throws(Fault) -> Value {
        let outer = isCut
        isCut = false
        let value = try evaluate(node)
        isCut = outer
        return value.isNil ? .null : value
    }

    private func member(_ base: Index, _ property: Index, _ isOptional: Bool, _ node: Index) throws(Fault) -> Value {
        let value = try evaluate(base)
        if isCut { return .null }
        if isOptional, value.isNil {
            isCut = true
            return .null
        }
        let outer = isCut
        let key = try evaluate(property)
        isCut = outer
        offset = tree[node].offset
        return try fetch(key, from: value)
    }

    private func slice(_ base: Index, _ from: Index?, _ to: Index?, _ node: Index) throws(Fault) -> Value {
        let value = try evaluate(base)
        let end = if let to { try evaluate(to) } else { Value?.none }
        let start = if let from { try evaluate(from) } else { Value?.none }
        offset = tree[node].offset
        return try slice(value, from: start, to: end)
    }

    private func declare(_ name: String, _ value: Index, _ body: Index) throws(Fault) -> Value {
        variables.append((name, try evaluate(value)))
        defer { variables.removeLast() }
        return try evaluate(body)
    }

    private func sequence(_ nodes: [Index]) throws(Fault) -> Value {
        var last = Value.null
        for node in nodes { last = try evaluate(node) }
        return last
    }

    private func conditional(_ condition: Index, _ first: Index, _ second: Index) throws(Fault) -> Value {
        let value = try evaluate(condition)
        return try evaluate(try truth(value) ? first : second)
    }

    private func array(_ nodes: [Index], _ node: Index) throws(Fault) -> Value {
        var elements: [Value] = []
        elements.reserveCapacity(nodes.count)
        for node in nodes { elements.append(try evaluate(node)) }
        offset = tree[node].offset
        return try list(elements)
    }

    private func map(_ pairs: [(key: Index, value: Index)], _ node: Index) throws(Fault) -> Value {
        var map = ValueMap()
        for pair in pairs {
            let key = try evaluate(pair.key)
            let value = try evaluate(pair.value)
            guard case .string = key else {
                throw Fault("interface conversion: interface {} is \(key.typeName), not string")
            }
            map.set(key, value)
        }
        offset = tree[node].offset
        try grow(pairs.count)
        return try checked(map)
    }

    func checked(_ map: ValueMap) throws(Fault) -> Value {
        if map.depth > Value.maximumDepth { throw Fault("a value is nested deeper than \(Value.maximumDepth) levels") }
        return .map(map)
    }

    // MARK: Calls

    private func call(_ callee: Index, _ arguments: [Index], _ node: Index) throws(Fault) -> Value {
        if case .member(let base, let property, let isOptional) = tree.kind(callee), let name = tree.text(property) {
            let receiver = try evaluate(base)
            if isCut { return .null }
            if isOptional, receiver.isNil {
                isCut = true
                return .null
            }
            switch receiver {
            case .time, .duration, .month, .weekday, .zone:
                let values = try evaluated(arguments)
                offset = tree[callee].offset
                return try TimeMethods.call(name, on: receiver, values)
            default:
                offset = tree[callee].offset
                let function = try fetch(.string(name), from: receiver)
                return try call(function, try evaluated(arguments), tree[node].offset)
            }
        }
        let function = try evaluate(callee)
        return try call(function, try evaluated(arguments), tree[node].offset)
    }

    private func evaluated(_ arguments: [Index]) throws(Fault) -> [Value] {
        let outer = isCut
        defer { isCut = outer }
        var values: [Value] = []
        for argument in arguments { values.append(try evaluate(argument)) }
        return values
    }

    private func call(_ function: Value, _ arguments: [Value], _ offset: Int) throws(Fault) -> Value {
        self.offset = offset
        guard case .function(let function) = function else {
            if case .null = function { throw Fault("invalid operation: cannot call nil") }
            throw Fault("invalid operation: cannot call non-function of type \(function.typeName)")
        }
        switch function {
        case .asInt: return try .int(Conversions.int(try only(arguments, "asInt")))
        case .asFloat: return try .float(Conversions.float(try only(arguments, "asFloat")))
        case .toJson:
            let value = try only(arguments, "toJson")
            let text = try value.jsonText()
            try spend(on: text)
            return .string(text)
        case .jsonpath:
            guard arguments.count == 2, case .string(let document) = arguments[0], case .string(let path) = arguments[1] else {
                throw Fault("jsonpath takes a document and a path, both strings")
            }
            try spend(on: document)
            return try JSONPath.query(path, try Value.parsed(document), self)
        case .sprigGroup: throw Fault("invalid operation: cannot call non-function of type map[string]interface {}")
        case .sprig(let function): return try Sprig.call(function, arguments, self)
        }
    }

    private func only(_ arguments: [Value], _ name: String) throws(Fault) -> Value {
        guard arguments.count == 1 else {
            throw Fault("\(arguments.isEmpty ? "not enough" : "too many") arguments to call \(name)")
        }
        return arguments[0]
    }

    private func call(_ builtin: Builtin, _ arguments: [Index], _ node: Index) throws(Fault) -> Value {
        if let fault = builtin.arityFault(arguments.count) { throw Fault(fault) }
        let outer = isCut
        defer { isCut = outer }
        isCut = false
        if builtin.takesPredicate { return try evaluatePredicate(builtin, arguments, node) }
        var values: [Value] = []
        for argument in arguments { values.append(try evaluate(argument)) }
        offset = tree[node].offset
        return try apply(builtin, values)
    }

    func at(_ node: Index) { offset = tree[node].offset }
}
