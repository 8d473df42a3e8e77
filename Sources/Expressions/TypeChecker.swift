import ExpressionValues
import RegularExpressions

/// Finds faults of names and types before anything is evaluated, as the reference's compiler does.
///
/// What a member of a map or an element of a list is cannot be known: it fits everything.
struct TypeChecker {
    typealias Index = SyntaxTree.Index

    enum Kind: Equatable {
        case unknown, null, bool, int, float, string, bytes, list, map, anyMap, time, duration, month, weekday, zone
        case function(EnvironmentFunction)

        var name: String {
            switch self {
            case .unknown: "interface {}"
            case .null: "unknown"
            case .bool: "bool"
            case .int: "int"
            case .float: "float64"
            case .string: "string"
            case .bytes: "[]uint8"
            case .list: "[]interface {}"
            case .map: "map[string]interface {}"
            case .anyMap: "map[interface {}]interface {}"
            case .time: "time.Time"
            case .duration: "time.Duration"
            case .month: "time.Month"
            case .weekday: "time.Weekday"
            case .zone: "*time.Location"
            case .function: "func"
            }
        }

        /// Months and weekdays count as well.
        var isInteger: Bool { self == .int || self == .month || self == .weekday || self == .duration }
        var isNumber: Bool { self == .int || self == .float || self == .month || self == .weekday }
        var isMap: Bool { self == .map || self == .anyMap }
    }

    /// A type, of a list also that of its elements.
    struct StaticType: Equatable {
        var kind: Kind
        var element = Kind.unknown

        static let unknown = StaticType(kind: .unknown)

        init(kind: Kind, element: Kind = .unknown) { (self.kind, self.element) = (kind, element) }

        init(_ value: ExpressionValue) {
            kind =
                switch value {
                case .null: .null
                case .bool: .bool
                case .int: .int
                case .float: .float
                case .string: .string
                case .bytes: .bytes
                case .list: .list
                case .map(let map): map.takesAnyKey ? .anyMap : .map
                case .time: .time
                case .duration: .duration
                case .month: .month
                case .weekday: .weekday
                case .zone: .zone
                case .function(.sprigGroup): .map
                case .function(let function): .function(function)
                }
            if kind == .bytes { element = .int }
        }
    }

    private let tree: SyntaxTree
    private let environment: ValueMap
    private var variables: [(name: String, type: StaticType)] = []
    /// Of each predicate around: what `#` is, and whether `#index` and `#acc` are there.
    private var predicates: [(element: Kind, hasIndex: Bool, hasAccumulator: Bool)] = []

    init(_ tree: SyntaxTree, _ environment: ValueMap) {
        self.tree = tree
        self.environment = environment
    }

    mutating func check() throws(SyntaxFault) { _ = try visit(tree.root) }

    @inline(never)
    private func fault(_ reason: String, _ index: Index) -> SyntaxFault {
        SyntaxFault(reason: reason, offset: tree[index].offset)
    }

    private mutating func visit(_ index: Index) throws(SyntaxFault) -> StaticType {
        switch tree.kind(index) {
        case .literal(let value): return StaticType(value)
        case .name(let name): return try type(ofName: name, index)
        case .unary(let symbol, let operand): return try unary(symbol, operand, index)
        case .binary: return try chainOfOperators(index)
        case .chain(let node): return try visit(node)
        case .member(let base, let property, let isOptional): return try member(base, property, isOptional, index)
        case .slice(let base, let from, let to): return try slice(base, from, to, index)
        case .call(let callee, let arguments): return try call(callee, arguments, index)
        case .builtin(let builtin, let arguments): return try call(builtin, arguments, index)
        case .pointer(.element):
            guard let element = predicates.last?.element else {
                throw fault("cannot use pointer accessor outside predicate", index)
            }
            return StaticType(kind: element)
        case .pointer(.index):
            guard predicates.last?.hasIndex == true else { throw fault("unknown pointer #index", index) }
            return StaticType(kind: .int)
        case .pointer(.accumulator):
            guard predicates.last?.hasAccumulator == true else { throw fault("unknown pointer #acc", index) }
            return .unknown
        case .variable(let name, let value, let body): return try declare(name, value, body, index)
        case .sequence(let nodes): return try sequence(nodes)
        case .conditional(let condition, let first, let second): return try conditional(condition, first, second)
        case .array(let nodes): return try array(nodes)
        case .map(let pairs):
            for pair in pairs {
                _ = try visit(pair.key)
                _ = try visit(pair.value)
            }
            return StaticType(kind: .map)
        }
    }

    private func type(ofName name: String, _ index: Index) throws(SyntaxFault) -> StaticType {
        for variable in variables.reversed() where hasEqualBytes(variable.name, name) { return variable.type }
        if name == "$env" || Builtin(rawValue: name) != nil && environment[name] == nil { return .unknown }
        guard let value = environment[name] else { throw fault("unknown name \(name)", index) }
        return StaticType(value)
    }

    private mutating func unary(_ symbol: SyntaxTree.Unary, _ operand: Index, _ index: Index) throws(SyntaxFault) -> StaticType
    {
        let type = try visit(operand)
        if symbol == .not {
            if type.kind == .bool || type.kind == .unknown { return StaticType(kind: .bool) }
            throw fault("invalid operation: ! (mismatched type \(type.kind.name))", index)
        }
        if type.kind.isNumber || type.kind == .duration || type.kind == .unknown { return type }
        throw fault("invalid operation: \(symbol == .minus ? "-" : "+") (mismatched type \(type.kind.name))", index)
    }

    private mutating func chainOfOperators(_ index: Index) throws(SyntaxFault) -> StaticType {
        var spine: [Index] = []
        var node = index
        while case .binary(_, let left, _) = tree.kind(node) {
            spine.append(node)
            node = left
        }
        var type = try visit(node)
        for node in spine.reversed() {
            guard case .binary(let symbol, _, let right) = tree.kind(node) else { continue }
            type = try result(symbol, type, try visit(right), right, node)
        }
        return type
    }

    /// The type of an operator's result.
    private func result(
        _ symbol: SyntaxTree.Binary, _ left: StaticType, _ right: StaticType, _ rightNode: Index, _ index: Index
    ) throws(SyntaxFault) -> StaticType {
        if symbol == .matches, let text = tree.text(rightNode) {
            do throws(RegularExpression.Invalid) {
                _ = try RegularExpression(text)
            } catch {
                throw fault(error.reason, index)
            }
        }
        if symbol == .coalesce { return left.kind == .null ? right : right.kind == .null || left == right ? left : .unknown }
        if symbol == .isIn { return try membership(left, right, index) }
        guard let kind = Self.result(symbol, left.kind, right.kind) else {
            throw fault(
                "invalid operation: \(symbol.rawValue) (mismatched types \(left.kind.name) and \(right.kind.name))", index)
        }
        return StaticType(kind: kind, element: symbol == .range ? .int : .unknown)
    }

    private func membership(_ left: StaticType, _ right: StaticType, _ index: Index) throws(SyntaxFault) -> StaticType {
        let bool = StaticType(kind: .bool)
        switch right.kind {
        case .anyMap, .unknown: return bool
        case .map:
            if left.kind != .unknown, left.kind != .string {
                throw fault("cannot use \(left.kind.name) as type string in map key", index)
            }
            return bool
        case .list, .bytes:
            if Self.areComparable(left.kind, right.element) { return bool }
            throw fault("cannot use \(left.kind.name) as type \(right.element.name) in array", index)
        case .string where left.kind == .unknown: return bool
        default:
            throw fault("invalid operation: in (mismatched types \(left.kind.name) and \(right.kind.name))", index)
        }
    }

    static func areComparable(_ left: Kind, _ right: Kind) -> Bool {
        left == .unknown || right == .unknown || left == .null || right == .null || left == right
            || left.isNumber && right.isNumber && ![.month, .weekday].contains(left) && ![.month, .weekday].contains(right)
            || [.list, .bytes].contains(left) && [.list, .bytes].contains(right)
    }

    /// Nil where the types do not fit.
    private static func result(_ symbol: SyntaxTree.Binary, _ left: Kind, _ right: Kind) -> Kind? {
        /// Both of one of these kinds, or at least one unknown and the other of these.
        func both(_ test: (Kind) -> Bool) -> Bool { (left == .unknown || test(left)) && (right == .unknown || test(right)) }
        let isUnknown = left == .unknown || right == .unknown
        let isNumeric = both { $0.isNumber }
        switch symbol {
        case .equal, .notEqual: return areComparable(left, right) ? .bool : nil
        case .and, .or: return both { $0 == .bool } ? .bool : nil
        case .less, .more, .lessOrEqual, .moreOrEqual:
            return isNumeric || both { $0 == .string } || both { $0 == .time } || both { $0 == .duration } ? .bool : nil
        case .divide, .power: return isNumeric ? .float : nil
        case .modulo: return both { $0.isInteger && $0 != .duration } ? .int : nil
        case .matches: return both { $0 == .string } || left == .bytes && (right == .string || right == .unknown) ? .bool : nil
        case .contains, .startsWith, .endsWith: return both { $0 == .string } ? .bool : nil
        case .range: return both { $0.isInteger } ? .list : nil
        case .add, .subtract, .multiply: break
        case .isIn, .coalesce: return .unknown
        }
        if isUnknown {
            let fits = both {
                switch symbol {
                case .add: $0.isNumber || $0 == .string || $0 == .time || $0 == .duration
                case .subtract: $0.isNumber || $0 == .time || $0 == .duration
                default: $0.isNumber || $0 == .duration
                }
            }
            return fits ? .unknown : nil
        }
        if isNumeric { return left == .float || right == .float ? .float : .int }
        switch (symbol, left, right) {
        case (.add, .string, .string): return .string
        case (.add, .time, .duration), (.add, .duration, .time), (.subtract, .time, .duration): return .time
        case (.subtract, .time, .time), (_, .duration, .duration): return .duration
        case (.multiply, .duration, _) where right.isNumber, (.multiply, _, .duration) where left.isNumber: return .duration
        default: return nil
        }
    }

    private mutating func member(
        _ base: Index, _ property: Index, _ isOptional: Bool, _ index: Index
    ) throws(SyntaxFault) -> StaticType {
        if case .name("$env") = tree.kind(base) {
            guard let name = tree.text(property) else { return .unknown }
            if let value = environment[name] { return StaticType(value) }
            if isOptional { return .unknown }
            throw fault("unknown name \(name)", index)
        }
        let type = try visit(base)
        let key = try visit(property)
        let name = tree.text(property)
        switch type.kind {
        case .unknown, .anyMap: return .unknown
        case .null:
            throw fault(name.map { "type nil has no field \($0)" } ?? "type unknown[\(key.kind.name)] is undefined", index)
        case .map:
            if key.kind != .string, key.kind != .unknown, key.kind != .null {
                throw fault("cannot use \(key.kind.name) to get an element from \(type.kind.name)", property)
            }
            return .unknown
        case .list, .bytes:
            if !key.kind.isInteger, key.kind != .unknown {
                throw fault("array elements can only be selected using an integer (got \(key.kind.name))", property)
            }
            return StaticType(kind: type.element)
        default:
            // Times and the like have methods.
            if name != nil, [.time, .duration, .month, .weekday, .zone].contains(type.kind) { return .unknown }
            if let name { throw fault("type \(type.kind.name) has no field \(name)", index) }
            throw fault("type \(type.kind.name)[\(key.kind.name)] is undefined", index)
        }
    }

    private mutating func slice(_ base: Index, _ from: Index?, _ to: Index?, _ index: Index) throws(SyntaxFault) -> StaticType {
        let type = try visit(base)
        if type.kind == .unknown { return .unknown }
        guard [.list, .bytes, .string].contains(type.kind) else { throw fault("cannot slice \(type.kind.name)", index) }
        for bound in [from, to] {
            guard let bound else { continue }
            let kind = try visit(bound).kind
            if !kind.isInteger, kind != .unknown { throw fault("non-integer slice index \(kind.name)", bound) }
        }
        return type
    }

    private mutating func call(_ callee: Index, _ arguments: [Index], _ index: Index) throws(SyntaxFault) -> StaticType {
        let type = try visit(callee)
        // What is called is not known: neither are the arguments looked at.
        if type.kind == .unknown { return .unknown }
        guard case .function(let function) = type.kind else { throw fault("\(type.kind.name) is not callable", index) }
        let name = if case .name(let name) = tree.kind(callee) { name } else { "function" }
        let wanted: [Kind] = function == .jsonpath ? [.string, .string] : [.unknown]
        if arguments.count != wanted.count {
            throw fault("\(arguments.count < wanted.count ? "not enough" : "too many") arguments to call \(name)", index)
        }
        for (argument, kind) in zip(arguments, wanted) { try expect(kind, argument, name) }
        return StaticType(kind: function == .toJson ? .string : .unknown)
    }

    private mutating func expect(_ wanted: Kind, _ argument: Index, _ name: String) throws(SyntaxFault) {
        let kind = try visit(argument).kind
        if wanted == .unknown || kind == .unknown || kind == wanted || wanted == .int && kind.isInteger && kind != .duration {
            return
        }
        if wanted == .list, kind == .bytes { return }
        let given = kind == .null ? "nil" : kind.name
        throw fault("cannot use \(given) as argument (type \(wanted.name)) to call \(name) ", argument)
    }

    private mutating func declare(_ name: String, _ value: Index, _ body: Index, _ index: Index) throws(SyntaxFault)
        -> StaticType
    {
        if environment[name] != nil { throw fault("cannot redeclare \(name)", index) }
        if Builtin(rawValue: name) != nil { throw fault("cannot redeclare builtin \(name)", index) }
        if variables.contains(where: { hasEqualBytes($0.name, name) }) {
            throw fault("cannot redeclare variable \(name)", index)
        }
        variables.append((name, try visit(value)))
        defer { variables.removeLast() }
        return try visit(body)
    }

    private mutating func sequence(_ nodes: [Index]) throws(SyntaxFault) -> StaticType {
        var last = StaticType.unknown
        for node in nodes { last = try visit(node) }
        return last
    }

    private mutating func conditional(_ condition: Index, _ first: Index, _ second: Index) throws(SyntaxFault) -> StaticType {
        let kind = try visit(condition).kind
        if kind != .bool, kind != .unknown {
            throw fault("non-bool expression (type \(kind.name)) used as condition", condition)
        }
        let (a, b) = (try visit(first), try visit(second))
        if a.kind == .null { return b }
        if b.kind == .null { return a }
        if a.kind == b.kind { return a.element == b.element ? a : StaticType(kind: a.kind) }
        return .unknown
    }

    private mutating func array(_ nodes: [Index]) throws(SyntaxFault) -> StaticType {
        var kinds: [Kind] = []
        for node in nodes { kinds.append(try visit(node).kind) }
        guard let first = kinds.first, kinds.allSatisfy({ $0 == first }) else { return StaticType(kind: .list) }
        return StaticType(kind: .list, element: first)
    }

    // MARK: The language's functions

    private mutating func call(_ builtin: Builtin, _ arguments: [Index], _ index: Index) throws(SyntaxFault) -> StaticType {
        if builtin.takesPredicate { return try predicateCall(builtin, arguments, index) }
        if let reason = builtin.arityFault(arguments.count) { throw fault(reason, index) }
        switch builtin {
        case .trim, .trimPrefix, .trimSuffix, .upper, .lower, .split, .splitAfter, .replace, .repeat, .indexOf, .lastIndexOf,
            .hasPrefix,
            .hasSuffix, .fromJSON, .toBase64, .fromBase64, .duration, .timezone:
            for (place, argument) in arguments.enumerated() {
                let isCount =
                    builtin == .repeat && place == 1 || (builtin == .split || builtin == .splitAfter) && place == 2
                    || builtin == .replace && place == 3
                try expect(isCount ? .int : .string, argument, builtin.rawValue)
            }
        case .join, .sort:
            try expect(.list, arguments[0], builtin.rawValue)
            if arguments.count == 2 { try expect(.string, arguments[1], builtin.rawValue) }
        case .bitand, .bitor, .bitxor, .bitnand, .bitshl, .bitshr, .bitushr, .bitnot:
            for argument in arguments { try expect(.int, argument, builtin.rawValue) }
        case .get: return try get(arguments)
        default: return try validated(builtin, arguments, index)
        }
        switch builtin {
        case .split, .splitAfter: return StaticType(kind: .list, element: .string)
        case .indexOf, .lastIndexOf, .bitand, .bitor, .bitxor, .bitnand, .bitshl, .bitshr, .bitushr, .bitnot:
            return StaticType(kind: .int)
        case .hasPrefix, .hasSuffix: return StaticType(kind: .bool)
        case .fromJSON: return .unknown
        case .duration: return StaticType(kind: .duration)
        case .timezone: return StaticType(kind: .zone)
        case .sort: return StaticType(kind: .list)
        default: return StaticType(kind: .string)
        }
    }

    /// Functions that look at their arguments themselves.
    private mutating func validated(_ builtin: Builtin, _ arguments: [Index], _ index: Index) throws(SyntaxFault) -> StaticType
    {
        var types: [StaticType] = []
        for argument in arguments { types.append(try visit(argument)) }
        let first = types.first ?? .unknown
        let isList = [.list, .bytes, .unknown].contains(first.kind)
        func check(_ fits: Bool, _ reason: String) throws(SyntaxFault) { if !fits { throw fault(reason, index) } }
        let shown = first.kind == .null ? "<nil>" : first.kind.name
        switch builtin {
        case .len:
            try check(isList || first.kind.isMap || first.kind == .string, "invalid argument for len (type \(shown))")
            return StaticType(kind: .int)
        case .type, .string, .toJSON: return StaticType(kind: .string)
        case .abs, .ceil, .floor, .round:
            let fits = first.kind.isNumber || first.kind == .duration || first.kind == .unknown
            try check(fits, "invalid argument for \(builtin.rawValue) (type \(shown))")
            return builtin == .abs ? first : StaticType(kind: .float)
        case .int, .float:
            let fits = first.kind.isNumber || [.string, .unknown, .duration].contains(first.kind)
            try check(fits, "invalid argument for \(builtin.rawValue) (type \(shown))")
            return StaticType(kind: builtin == .int ? .int : .float)
        case .max, .min, .mean, .median:
            for type in types {
                if [.list, .bytes, .unknown].contains(type.kind) { return .unknown }
                let fits = type.kind.isNumber || type.kind == .duration
                try check(fits, "invalid argument for \(builtin.rawValue) (type \(type.kind.name))")
            }
            return builtin == .max || builtin == .min ? .unknown : StaticType(kind: .float)
        case .now, .date: return StaticType(kind: .time)
        case .first, .last:
            try check(isList, "cannot get \(builtin.rawValue) element from \(shown)")
            return StaticType(kind: first.element)
        case .keys, .values:
            try check(first.kind.isMap || first.kind == .unknown, "cannot get \(builtin.rawValue) from \(shown)")
            return StaticType(kind: .list)
        case .toPairs:
            try check(first.kind.isMap || first.kind == .unknown, "cannot transform \(shown) to pairs")
            return StaticType(kind: .list)
        case .fromPairs:
            try check(isList, "cannot transform \(shown) from pairs")
            return StaticType(kind: .anyMap)
        case .take:
            try check(isList, "cannot take from \(shown)")
            let count = types[1].kind
            try check(count.isInteger || count == .unknown, "cannot take \(count.name) elements")
            return first
        default:
            for type in types where ![.list, .bytes, .unknown].contains(type.kind) {
                throw fault("cannot \(builtin.rawValue) \(type.kind.name)", index)
            }
            return StaticType(kind: .list)
        }
    }

    private mutating func get(_ arguments: [Index]) throws(SyntaxFault) -> StaticType {
        let (base, key) = (try visit(arguments[0]), try visit(arguments[1]))
        switch base.kind {
        case .unknown, .anyMap: return .unknown
        case .list, .bytes:
            if !key.kind.isInteger, key.kind != .unknown {
                throw fault("non-integer slice index \(key.kind.name)", arguments[1])
            }
            return StaticType(kind: base.element)
        case .map:
            if key.kind != .string, key.kind != .unknown {
                throw fault("cannot use \(key.kind.name) to get an element from \(base.kind.name)", arguments[1])
            }
            return .unknown
        default: throw fault("type \(base.kind.name) does not support indexing", arguments[0])
        }
    }

    private mutating func predicateCall(_ builtin: Builtin, _ arguments: [Index], _ index: Index) throws(SyntaxFault)
        -> StaticType
    {
        let collection = try visit(arguments[0])
        guard [.list, .bytes, .unknown].contains(collection.kind) else {
            throw fault("builtin \(builtin.rawValue) takes only array (got \(collection.kind.name))", arguments[0])
        }
        var predicate = StaticType.unknown
        if arguments.count > 1 {
            predicates.append((collection.element, builtin == .map || builtin == .reduce, builtin == .reduce))
            defer { predicates.removeLast() }
            predicate = try visit(arguments[1])
        }
        if arguments.count > 2 {
            let order = try visit(arguments[2]).kind
            if builtin == .sortBy, order != .string, order != .unknown {
                throw fault("sortBy order argument must be a string (got \(order.name))", arguments[2])
            }
        }
        switch builtin {
        case .map: return StaticType(kind: .list, element: predicate.kind)
        case .sum: return arguments.count > 1 ? predicate : StaticType(kind: collection.element)
        case .groupBy: return StaticType(kind: .anyMap)
        case .sortBy: return collection
        case .reduce: return predicate
        default: break
        }
        if arguments.count > 1, predicate.kind != .bool, predicate.kind != .unknown {
            throw fault("predicate should return boolean (got \(predicate.kind.name))", arguments[1])
        }
        switch builtin {
        case .filter: return StaticType(kind: .list, element: collection.element)
        case .find, .findLast: return StaticType(kind: collection.element)
        case .count, .findIndex, .findLastIndex: return StaticType(kind: .int)
        default: return StaticType(kind: .bool)
        }
    }
}
