import ExpressionValues

/// Makes the syntax tree of an expression (the grammar of expr-lang 1.17, https://expr-lang.org/docs/language-definition).
struct Parser {
    /// Expressions may be nested this deep: reading and evaluating recurse, and this fits a stack of 512 KiB twice. An unoptimised
    /// build needs several times as much for each level.
    #if DEBUG
        static let maximumDepth = 28
    #else
        static let maximumDepth = 96
    #endif
    /// As many nodes as the reference takes.
    static let maximumNodes = 10_000

    private let tokens: [Token]
    private let lexerFault: SyntaxFault?
    private var at = 0
    private var depth = 0
    private var predicateDepth = 0
    private var tree = SyntaxTree()

    typealias Index = SyntaxTree.Index

    private init(_ text: String) { (tokens, lexerFault) = Lexer.tokens(of: text) }

    static func parse(_ text: String) throws(SyntaxFault) -> SyntaxTree {
        var parser = Parser(text)
        if parser.tokens.isEmpty, let fault = parser.lexerFault { throw fault }
        parser.tree.root = try parser.sequence()
        if parser.current.kind != .end { throw parser.unexpected() }
        return parser.tree
    }

    private var current: Token { tokens[at] }

    private func fault(_ reason: String) -> SyntaxFault { SyntaxFault(reason: reason, offset: current.offset) }
    @inline(never)
    private func unexpected() -> SyntaxFault { fault("unexpected token \(current.shown)") }

    @inline(never)
    private mutating func advance() throws(SyntaxFault) {
        if at + 1 < tokens.count {
            at += 1
        } else if let lexerFault {
            throw lexerFault
        } else {
            throw fault("unexpected end of expression")
        }
    }

    @inline(never)
    private mutating func expectSymbol(_ symbol: String) throws(SyntaxFault) {
        guard current.isSymbol(symbol) else { throw unexpected() }
        try advance()
    }

    @inline(never)
    private mutating func expectBracket(_ bracket: String) throws(SyntaxFault) {
        guard current.isBracket(bracket) else { throw unexpected() }
        try advance()
    }

    /// - Parameters:
    ///   - children: what its evaluation nests.
    ///   - spine: a child whose depth is its own: chains of one operator are evaluated in a loop.
    @inline(never)
    private mutating func add(
        _ kind: SyntaxTree.Kind, at offset: Int, over children: [Index] = [], spine: Index? = nil
    ) throws(SyntaxFault) -> Index {
        var deepest = 0
        for child in children { deepest = max(deepest, tree[child].depth) }
        let depth = max(deepest + 1, spine.map { tree[$0].depth } ?? 0)
        if depth > Self.maximumDepth { throw tooDeep() }
        if tree.nodes.count >= Self.maximumNodes { throw fault("compilation failed: expression exceeds maximum allowed nodes") }
        tree.nodes.append(SyntaxTree.Node(kind: kind, offset: offset, depth: depth))
        return tree.nodes.count - 1
    }

    private func tooDeep() -> SyntaxFault { fault("nested deeper than \(Self.maximumDepth) levels") }

    private mutating func sequence() throws(SyntaxFault) -> Index {
        let first = try expression(0)
        guard current.isSymbol(";") else { return first }
        var nodes = [first]
        while current.isSymbol(";") {
            try advance()
            if current.kind == .end { break }
            nodes.append(try expression(0))
        }
        return nodes.count == 1 ? first : try add(.sequence(nodes), at: tree[first].offset, over: nodes)
    }

    private mutating func expression(_ precedence: Int) throws(SyntaxFault) -> Index {
        depth += 1
        defer { depth -= 1 }
        if depth > Self.maximumDepth { throw tooDeep() }
        if precedence == 0, current.isSymbol("let") { return try declaration() }
        if precedence == 0, current.isSymbol("if") { return try conditionalBlock() }
        let left = try operators(behind: try primary(), precedence)
        return precedence == 0 ? try ternary(left) : left
    }

    /// All operators of at least this precedence that follow a value.
    private mutating func operators(behind first: Index, _ precedence: Int) throws(SyntaxFault) -> Index {
        var left = first
        var isAfterCoalesce = false
        while current.kind == .symbol {
            if current.text == "|" {
                guard precedence == 0 else { break }
                try advance()
                let name = current
                guard name.kind == .identifier else { throw unexpected() }
                try advance()
                left = try call(name, [left])
                isAfterCoalesce = false
                continue
            }
            let start = at
            let isNegated = current.text == "not"
            if isNegated {
                try advance()
                guard SyntaxTree.Binary(symbol: current.text)?.isNegatable == true, current.kind == .symbol else {
                    throw unexpected()
                }
            }
            guard let symbol = SyntaxTree.Binary(symbol: current.text), symbol.precedence >= precedence else {
                at = start
                break
            }
            let token = current
            try advance()
            if isAfterCoalesce, symbol != .coalesce {
                throw SyntaxFault(
                    reason:
                        "Operator (\(token.text)) and coalesce expressions (??) cannot be mixed. Wrap either by parentheses.",
                    offset: token.offset)
            }
            isAfterCoalesce = symbol == .coalesce
            if symbol.isComparison {
                left = try comparisons(left, symbol, token)
                continue
            }
            let right = try expression(symbol == .power ? symbol.precedence : symbol.precedence + 1)
            left = try binary(symbol, left, right, at: token.offset)
            if isNegated { left = try add(.unary(.not, left), at: token.offset, over: [left]) }
        }
        return left
    }

    private mutating func binary(
        _ symbol: SyntaxTree.Binary, _ left: Index, _ right: Index, at offset: Int
    ) throws(SyntaxFault) -> Index {
        try add(.binary(symbol, left, right), at: offset, over: [right], spine: left)
    }

    /// `a < b <= c` means `a < b && b <= c`.
    private mutating func comparisons(
        _ first: Index, _ symbol: SyntaxTree.Binary, _ token: Token
    ) throws(SyntaxFault) -> Index {
        var (left, symbol, token) = (first, symbol, token)
        var root: Index?
        while true {
            let right = try expression(symbol.precedence + 1)
            let comparison = try binary(symbol, left, right, at: token.offset)
            root = if let root { try binary(.and, root, comparison, at: token.offset) } else { comparison }
            left = right
            guard current.kind == .symbol, let next = SyntaxTree.Binary(symbol: current.text), next.isComparison else {
                return root ?? comparison
            }
            (symbol, token) = (next, current)
            try advance()
        }
    }

    private mutating func declaration() throws(SyntaxFault) -> Index {
        try advance()
        let name = current
        guard name.kind == .identifier else { throw unexpected() }
        try advance()
        try expectSymbol("=")
        let value = try expression(0)
        try expectSymbol(";")
        let body = try sequence()
        return try add(.variable(name.text, value: value, body: body), at: name.offset, over: [value, body])
    }

    private mutating func conditionalBlock() throws(SyntaxFault) -> Index {
        depth += 1
        defer { depth -= 1 }
        if depth > Self.maximumDepth { throw tooDeep() }
        let offset = current.offset
        try advance()
        let condition = try expression(0)
        let first = try block()
        guard current.isSymbol("else") else { throw unexpected() }
        try advance()
        let second = current.isSymbol("if") ? try conditionalBlock() : try block()
        return try add(.conditional(condition, first, second), at: offset, over: [condition, first, second])
    }

    private mutating func block() throws(SyntaxFault) -> Index {
        try expectBracket("{")
        let body = try sequence()
        try expectBracket("}")
        return body
    }

    private mutating func ternary(_ value: Index) throws(SyntaxFault) -> Index {
        var value = value
        while current.isSymbol("?") {
            try advance()
            var first = value
            if current.isSymbol(":") {
                try advance()
            } else {
                first = try expression(0)
                try expectSymbol(":")
            }
            let second = try expression(0)
            value = try add(.conditional(value, first, second), at: current.offset, over: [value, first, second])
        }
        return value
    }

    private mutating func primary() throws(SyntaxFault) -> Index {
        let token = current
        if token.kind == .symbol {
            switch token.text {
            case "not", "!": return try unary(.not, 50)
            case "-": return try unary(.minus, 90)
            case "+": return try unary(.plus, 90)
            case "#" where predicateDepth > 0, "." where predicateDepth > 0: return try postfix(try pointer())
            case "::":
                try advance()
                let name = current
                guard name.kind == .identifier else { throw unexpected() }
                try advance()
                return try postfix(try call(name, []))
            default: break
            }
        }
        if token.isBracket("(") {
            try advance()
            let value = try sequence()
            try expectBracket(")")
            return try postfix(value)
        }
        return try secondary()
    }

    private mutating func unary(_ symbol: SyntaxTree.Unary, _ precedence: Int) throws(SyntaxFault) -> Index {
        let offset = current.offset
        try advance()
        let operand = try expression(precedence)
        return try postfix(try add(.unary(symbol, operand), at: offset, over: [operand]))
    }

    /// `#`, `#index`, `#acc`, or nothing before `.field`.
    private mutating func pointer() throws(SyntaxFault) -> Index {
        let token = current
        guard token.text == "#" else { return try add(.pointer(.element), at: token.offset) }
        try advance()
        guard current.kind == .identifier else { return try add(.pointer(.element), at: token.offset) }
        let name = current.text
        let pointer: SyntaxTree.Pointer
        switch name {
        case "index": pointer = .index
        case "acc": pointer = .accumulator
        default: throw SyntaxFault(reason: "unknown pointer #\(name)", offset: token.offset)
        }
        try advance()
        return try add(.pointer(pointer), at: token.offset)
    }

    private mutating func secondary() throws(SyntaxFault) -> Index {
        let token = current
        switch token.kind {
        case .identifier:
            try advance()
            switch token.text {
            case "true": return try add(.literal(.bool(true)), at: token.offset)
            case "false": return try add(.literal(.bool(false)), at: token.offset)
            case "nil": return try add(.literal(.null), at: token.offset)
            default:
                if current.isBracket("(") { return try postfix(try call(token, [])) }
                return try postfix(try add(.name(token.text), at: token.offset))
            }
        case .number:
            try advance()
            return try add(.literal(try number(token)), at: token.offset)
        case .string:
            try advance()
            return try postfix(try add(.literal(.string(token.text)), at: token.offset))
        case .bytes:
            try advance()
            return try postfix(try add(.literal(.bytes(token.bytes)), at: token.offset))
        default:
            if token.isBracket("[") { return try postfix(try array()) }
            if token.isBracket("{") { return try postfix(try map()) }
            throw unexpected()
        }
    }

    private func number(_ token: Token) throws(SyntaxFault) -> ExpressionValue {
        let digits = token.text.filter { $0 != "_" }.lowercased()
        let (prefix, radix) = (digits.prefix(2), digits.hasPrefix("0x") ? 16 : digits.hasPrefix("0b") ? 2 : 8)
        if prefix == "0x" || !digits.utf8.contains(UInt8(ascii: ".")) && (prefix == "0b" || prefix == "0o") {
            guard let value = Int(digits.dropFirst(2), radix: radix) else {
                let kind = radix == 16 ? "hex" : radix == 2 ? "binary" : "octal"
                throw fault("invalid \(kind) literal: \(token.text)")
            }
            return .int(value)
        }
        if digits.utf8.contains(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "e") }) {
            guard let value = GoText.double(digits), value.isFinite else { throw fault("invalid float literal: \(token.text)") }
            return .float(value)
        }
        guard let value = Int(digits) else { throw fault("invalid integer literal: \(token.text)") }
        return .int(value)
    }

    private mutating func call(_ name: Token, _ piped: [Index]) throws(SyntaxFault) -> Index {
        var arguments = piped
        if let builtin = Builtin(rawValue: name.text) {
            if builtin.takesPredicate {
                try predicateArguments(builtin, &arguments)
            } else {
                try self.arguments(&arguments)
            }
            return try add(.builtin(builtin, arguments), at: name.offset, over: arguments)
        }
        let callee = try add(.name(name.text), at: name.offset)
        try self.arguments(&arguments)
        return try add(.call(callee, arguments), at: name.offset, over: [callee] + arguments)
    }

    private mutating func arguments(_ arguments: inout [Index]) throws(SyntaxFault) {
        try expectBracket("(")
        var isFirst = true
        while !current.isBracket(")") {
            if !isFirst { try expectSymbol(",") }
            if current.isBracket(")") { break }
            arguments.append(try expression(0))
            isFirst = false
        }
        try advance()
    }

    /// The arguments of a function of which the second is evaluated for each element: `filter(list, # > 1)`.
    private mutating func predicateArguments(_ builtin: Builtin, _ arguments: inout [Index]) throws(SyntaxFault) {
        try expectBracket("(")
        let most = builtin == .sortBy || builtin == .reduce ? 3 : 2
        let least = builtin == .count || builtin == .sum ? 1 : 2
        var isFirst = true
        for place in arguments.count..<most {
            if current.isBracket(")") {
                if place >= least { break }
                throw fault("expected at least \(least) arguments")
            }
            if !isFirst { try expectSymbol(",") }
            // A comma may stand at the end.
            if !isFirst, place >= least, current.isBracket(")") { break }
            arguments.append(place == 1 ? try predicate() : try expression(0))
            isFirst = false
        }
        if current.isSymbol(",") { try advance() }
        try expectBracket(")")
    }

    private mutating func predicate() throws(SyntaxFault) -> Index {
        predicateDepth += 1
        defer { predicateDepth -= 1 }
        if current.isBracket("{") { return try block() }
        let body = try expression(0)
        if current.isSymbol(";") { throw fault("wrap predicate with brackets { and }") }
        return body
    }

    private mutating func array() throws(SyntaxFault) -> Index {
        let offset = current.offset
        try advance()
        var elements: [Index] = []
        while !current.isBracket("]") {
            if !elements.isEmpty {
                try expectSymbol(",")
                if current.isBracket("]") { break }
            }
            elements.append(try expression(0))
        }
        try advance()
        return try add(.array(elements), at: offset, over: elements)
    }

    private mutating func map() throws(SyntaxFault) -> Index {
        let offset = current.offset
        try advance()
        var pairs: [(key: Index, value: Index)] = []
        var children: [Index] = []
        while !current.isBracket("}") {
            if !pairs.isEmpty {
                try expectSymbol(",")
                if current.isBracket("}") { break }
            }
            let key: Index
            switch current.kind {
            case .number, .string, .identifier:
                key = try add(.literal(.string(current.text)), at: current.offset)
                try advance()
            case _ where current.isBracket("("): key = try expression(0)
            default:
                throw fault(
                    "a map key must be a quoted string, a number, a identifier, or an expression enclosed in parentheses"
                        + " (unexpected token \(current.shown))")
            }
            try expectSymbol(":")
            let value = try expression(0)
            pairs.append((key, value))
            children += [key, value]
        }
        try advance()
        return try add(.map(pairs), at: offset, over: children)
    }

    /// What follows a value: `.name`, `?.name`, `.name(…)`, `[index]`, `[from:to]`.
    private mutating func postfix(_ first: Index) throws(SyntaxFault) -> Index {
        var node = first
        while true {
            if current.isSymbol(".") || current.isSymbol("?.") {
                let isOptional = current.text == "?."
                try advance()
                if isOptional, current.isBracket("[") {
                    node = try subscripted(node, isOptional: true)
                } else {
                    node = try member(node, isOptional: isOptional)
                }
            } else if current.isBracket("[") {
                node = try subscripted(node, isOptional: false)
            } else {
                return node
            }
        }
    }

    private mutating func member(_ base: Index, isOptional: Bool) throws(SyntaxFault) -> Index {
        let token = current
        let isWord = token.text.unicodeScalars.first.map { Characters.isWord($0) && !Characters.isDigit($0) } ?? false
        try advance()
        guard token.kind == .identifier || token.kind == .symbol && isWord else { throw fault("expected name") }
        var base = base
        var isChain = false
        if case .chain(let inner) = tree.kind(base) { (base, isChain) = (inner, true) }
        let name = try add(.literal(.string(token.text)), at: token.offset)
        var node = try add(.member(base, name, isOptional: isOptional), at: token.offset, over: [base, name])
        if current.isBracket("(") {
            var arguments: [Index] = []
            try self.arguments(&arguments)
            node = try add(.call(node, arguments), at: token.offset, over: [node] + arguments)
        }
        return isChain || isOptional ? try add(.chain(node), at: token.offset, over: [node]) : node
    }

    private mutating func subscripted(_ base: Index, isOptional: Bool) throws(SyntaxFault) -> Index {
        let offset = current.offset
        try advance()
        var from: Index?
        if !current.isSymbol(":") {
            let index = try expression(0)
            if current.isBracket("]") {
                try advance()
                let node = try add(.member(base, index, isOptional: isOptional), at: offset, over: [base, index])
                return isOptional ? try add(.chain(node), at: offset, over: [node]) : node
            }
            from = index
        }
        try expectSymbol(":")
        let to = current.isBracket("]") ? nil : try expression(0)
        try expectBracket("]")
        return try add(.slice(base, from: from, to: to), at: offset, over: [base, from, to].compactMap(\.self))
    }
}
