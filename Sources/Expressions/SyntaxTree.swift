import ExpressionValues

/// The parsed form of an expression: nodes in one array, which refer to each other by number, so that none of any depth is freed by recursion.
struct SyntaxTree: Sendable {
    typealias Index = Int

    struct Node: Sendable {
        let kind: Kind
        /// Where it stands in the text, in Unicode scalars.
        let offset: Int
        /// How deep the evaluation of this node nests.
        let depth: Int
    }

    enum Kind: Sendable {
        case literal(ExpressionValue)
        case name(String)
        case unary(Unary, Index)
        case binary(Binary, Index, Index)
        /// The end of a chain of `?.`: where one of its links found nil, the whole is nil.
        case chain(Index)
        case member(Index, Index, isOptional: Bool)
        case slice(Index, from: Index?, to: Index?)
        case call(Index, [Index])
        case builtin(Builtin, [Index])
        case pointer(Pointer)
        case variable(String, value: Index, body: Index)
        case sequence([Index])
        case conditional(Index, Index, Index)
        case array([Index])
        case map([(key: Index, value: Index)])
    }

    enum Unary: Sendable { case not, minus, plus }

    enum Pointer: Sendable { case element, index, accumulator }

    enum Binary: String, Sendable {
        case or = "||"
        case and = "&&"
        case equal = "=="
        case notEqual = "!="
        case less = "<"
        case more = ">"
        case lessOrEqual = "<="
        case moreOrEqual = ">="
        case isIn = "in"
        case matches
        case contains
        case startsWith
        case endsWith
        case range = ".."
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case modulo = "%"
        case power = "**"
        case coalesce = "??"

        init?(symbol: String) {
            switch symbol {
            case "or": self = .or
            case "and": self = .and
            case "^": self = .power
            default: self.init(rawValue: symbol)
            }
        }

        var precedence: Int {
            switch self {
            case .or: 10
            case .and: 15
            case .equal, .notEqual, .less, .more, .lessOrEqual, .moreOrEqual, .isIn, .matches, .contains, .startsWith,
                .endsWith:
                20
            case .range: 25
            case .add, .subtract: 30
            case .multiply, .divide, .modulo: 60
            case .power: 100
            case .coalesce: 500
            }
        }

        var isComparison: Bool {
            switch self {
            case .less, .more, .lessOrEqual, .moreOrEqual: true
            default: false
            }
        }

        /// Whether `not` may stand before it.
        var isNegatable: Bool {
            switch self {
            case .isIn, .matches, .contains, .startsWith, .endsWith: true
            default: false
            }
        }
    }

    var nodes: [Node] = []
    var root: Index = 0

    subscript(index: Index) -> Node { nodes[index] }

    func kind(_ index: Index) -> Kind { nodes[index].kind }

    /// The text of a literal string.
    func text(_ index: Index) -> String? {
        if case .literal(.string(let text)) = nodes[index].kind { text } else { nil }
    }
}
