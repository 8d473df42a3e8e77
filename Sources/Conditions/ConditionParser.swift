internal import Expressions
internal import RegularExpressions

/// The parsed form of a condition: nodes in one array.
struct ConditionTree {
    typealias Index = Int

    enum Node {
        case number(Double)
        case bool(Bool)
        case text(String)
        /// A text behind `=~`.
        case pattern(String)
        case variable(String)
        case accessor(String)
        /// Something in parentheses; nothing where they are empty.
        case group(Index?)
        case prefix(String, Index?)
        /// Operators of one level, which lean to the left.
        case operators(Index?, [(symbol: String, right: Index?)])
    }

    var nodes: [Node] = []
    var root: Index?
}

/// Reads conditions: twelve levels of operators, from lists down to powers.
struct ConditionParser {
    /// Parentheses and operators that bind ever tighter may be nested this deep: reading and evaluating recurse.
    static let maximumDepth = 48

    private let tokens: [ConditionToken]
    private let condition: String
    private var at = 0
    private var depth = 0
    private var tree = ConditionTree()

    typealias Index = ConditionTree.Index

    private init(_ tokens: [ConditionToken], _ condition: String) { (self.tokens, self.condition) = (tokens, condition) }

    static func parse(_ condition: String, _ words: Condition.Words) throws(ConditionError) -> ConditionTree {
        var tokens = try ConditionLexer.tokens(of: condition)
        try checkOrder(tokens, condition, .reading)
        try compilePatterns(&tokens, condition, .reading)
        if words == .texts {
            for place in tokens.indices where tokens[place].kind == .variable { tokens[place].kind = .string }
            // A text may not stand everywhere where a variable may.
            try checkOrder(tokens, condition, .planning)
            try compilePatterns(&tokens, condition, .planning)
        }
        if tokens.isEmpty { throw ConditionError(.reading, condition, "there is nothing in it") }
        var parser = ConditionParser(tokens, condition)
        parser.tree.root = try parser.operators(0)
        return parser.tree
    }

    private static func checkOrder(
        _ tokens: [ConditionToken], _ condition: String, _ stage: ConditionError.Stage
    ) throws(ConditionError) {
        var previous: ConditionToken?
        for token in tokens {
            if !(previous?.kind.followers ?? ConditionToken.Kind.starters).contains(token.kind) {
                if let previous, previous.kind == .variable, token.kind == .open {
                    throw ConditionError(stage, condition, "Undefined function \(previous.text)")
                }
                let before = previous.map { "\($0.kind.name) [\($0.shown)]" } ?? "UNKNOWN [<nil>]"
                throw ConditionError(
                    stage, condition, "Cannot transition token types from \(before) to \(token.kind.name) [\(token.shown)]")
            }
            previous = token
        }
        if let previous, !previous.kind.mayEnd { throw ConditionError(stage, condition, "Unexpected end of expression") }
    }

    /// A text behind `=~` or `!~` is a pattern.
    private static func compilePatterns(
        _ tokens: inout [ConditionToken], _ condition: String, _ stage: ConditionError.Stage
    ) throws(ConditionError) {
        for place in tokens.indices.dropFirst() where tokens[place].kind == .string {
            let before = tokens[place - 1]
            guard before.kind == .comparator, before.text == "=~" || before.text == "!~" else { continue }
            do throws(RegularExpression.Invalid) {
                _ = try RegularExpression(tokens[place].text)
            } catch {
                throw ConditionError(stage, condition, error.reason)
            }
            tokens[place].kind = .pattern
        }
    }

    private mutating func add(_ node: ConditionTree.Node) -> Index {
        tree.nodes.append(node)
        return tree.nodes.count - 1
    }

    /// The operators of each level, from the loosest to the tightest.
    private static let levels: [(kind: ConditionToken.Kind, symbols: Set<String>)] = [
        (.separator, [","]), (.ternary, ["?", ":", "??"]), (.logical, ["||"]), (.logical, ["&&"]),
        (.comparator, ["==", "!=", ">", ">=", "<", "<=", "=~", "!~", "in"]), (.modifier, ["^", "&", "|"]),
        (.modifier, ["<<", ">>"]),
        (.modifier, ["+", "-"]), (.modifier, ["*", "/", "%"]), (.modifier, ["**"]),
    ]

    /// The level of the operator that comes next.
    private var nextLevel: Int? {
        guard at < tokens.count else { return nil }
        let token = tokens[at]
        return Self.levels.firstIndex { $0.kind == token.kind && $0.symbols.contains(token.text) }
    }

    /// A value, and what operators of a level or a tighter one join to it.
    private mutating func operators(_ least: Int) throws(ConditionError) -> Index? {
        depth += 1
        defer { depth -= 1 }
        if depth > Self.maximumDepth {
            throw ConditionError(.reading, condition, "nested deeper than \(Self.maximumDepth) levels")
        }
        var left = try value()
        while let level = nextLevel, level >= least {
            // Operators of one level make one node, however many there are.
            let first = left
            var rest: [(symbol: String, right: Index?)] = []
            repeat {
                let symbol = tokens[at].text
                at += 1
                rest.append((symbol, try operators(level + 1)))
            } while nextLevel == level
            left = add(.operators(first, rest))
        }
        return left
    }

    private mutating func value() throws(ConditionError) -> Index? {
        guard at < tokens.count else { return nil }
        let token = tokens[at]
        at += 1
        switch token.kind {
        case .open:
            let inner = try operators(0)
            // What stands here is taken for the closing one.
            at = min(at + 1, tokens.count)
            return add(.group(inner))
        case .close:
            at -= 1
            return nil
        case .prefix: return add(.prefix(token.text, try value()))
        case .numeric, .time: return add(.number(token.number))
        case .boolean: return add(.bool(token.text == "true"))
        case .string: return add(.text(token.text))
        case .pattern: return add(.pattern(token.text))
        case .variable: return add(.variable(token.text))
        case .accessor:
            if at < tokens.count, tokens[at].kind == .open { _ = try operators(0) }
            return add(.accessor(token.text))
        default:
            throw ConditionError(
                .planning, condition, "Unable to plan token kind: '\(token.kind.name)', value: '\(token.shown)'")
        }
    }
}

extension ConditionToken {
    /// How messages show the value: of parentheses the number of the character, as the reference does.
    var shown: String { kind == .open ? "40" : kind == .close ? "41" : text }
}
