import ExpressionValues
internal import Expressions
internal import Glibc
internal import RegularExpressions

/// A value of a condition.
enum ConditionValue {
    case none
    case number(Double)
    case bool(Bool)
    case text(String)
    case pattern(String)
    case list([ConditionValue])

    var shown: String {
        switch self {
        case .none: return "<nil>"
        case .number(let number): return GoText.float(number)
        case .bool(let flag): return flag ? "true" : "false"
        case .text(let text), .pattern(let text): return text
        case .list(let elements):
            var text = "["
            for (place, element) in elements.enumerated() { text += (place > 0 ? " " : "") + element.shown }
            return text + "]"
        }
    }
}

/// Evaluates one condition.
struct ConditionEvaluation {
    let tree: ConditionTree
    let condition: String

    mutating func value() throws(ConditionError) -> ConditionValue {
        guard let root = tree.root else { return .none }
        return try value(root)
    }

    private func fault(_ reason: String) -> ConditionError { ConditionError(.evaluation, condition, reason) }

    private func value(_ index: ConditionTree.Index?) throws(ConditionError) -> ConditionValue {
        guard let index else { return .none }
        switch tree.nodes[index] {
        case .number(let number): return .number(number)
        case .bool(let flag): return .bool(flag)
        case .text(let text): return .text(text)
        case .pattern(let text): return .pattern(text)
        case .variable(let name), .accessor(let name):
            let first = name.utf8.prefix { $0 != UInt8(ascii: ".") }
            throw fault("No parameter '\(String(decoding: first, as: UTF8.self))' found.")
        case .group(let inner): return try value(inner)
        case .prefix(let symbol, let operand): return try prefixed(symbol, try value(operand))
        case .operators(let first, let rest):
            var result = try value(first)
            for (symbol, right) in rest { result = try joined(symbol, result, right) }
            return result
        }
    }

    private func prefixed(_ symbol: String, _ value: ConditionValue) throws(ConditionError) -> ConditionValue {
        switch (symbol, value) {
        case ("-", .number(let number)): return .number(-number)
        case ("!", .bool(let flag)): return .bool(!flag)
        case ("~", .number(let number)): return .number(Double(~Self.whole(number)))
        default: throw fault("Value '\(value.shown)' cannot be used with the prefix '\(symbol)'")
        }
    }

    private static func whole(_ number: Double) -> Int64 { Int64(exactly: number.rounded(.towardZero)) ?? .min }

    private func joined(_ symbol: String, _ left: ConditionValue, _ right: ConditionTree.Index?) throws(ConditionError)
        -> ConditionValue
    {
        switch symbol {
        case "&&", "||":
            if case .bool(let flag) = left, flag == (symbol == "||") { return left }
            let other = try value(right)
            for side in [left, other] {
                guard case .bool = side else {
                    throw fault("Value '\(side.shown)' cannot be used with the logical operator '\(symbol)', it is not a bool")
                }
            }
            return other
        case "?":
            if case .bool(false) = left { return .none }
            let other = try value(right)
            guard case .bool = left else {
                throw fault("Value '\(left.shown)' cannot be used with the ternary operator '?', it is not a bool")
            }
            return other
        case ":", "??":
            if case .none = left { return try value(right) }
            return left
        default: return try joined(symbol, left, try value(right))
        }
    }

    private func joined(_ symbol: String, _ left: ConditionValue, _ right: ConditionValue) throws(ConditionError)
        -> ConditionValue
    {
        switch symbol {
        case "==": return .bool(Self.isEqual(left, right))
        case "!=": return .bool(!Self.isEqual(left, right))
        case ">", ">=", "<", "<=": return .bool(try compared(symbol, left, right))
        case "=~", "!~": return .bool(try matches(symbol, left, right) == (symbol == "=~"))
        case "in":
            guard case .list(let elements) = right else { throw notNumber(right, "comparator", symbol) }
            if case .list = left { throw fault("lists cannot be looked for in a list") }
            return .bool(elements.contains { Self.isEqual($0, left) })
        case ",":
            if case .list(let elements) = left { return .list(elements + [right]) }
            return .list([left, right])
        case "+":
            if case .number(let a) = left, case .number(let b) = right { return .number(a + b) }
            if Self.isText(left) || Self.isText(right) { return .text(left.shown + right.shown) }
            throw notNumber(left, "modifier", symbol)
        default: return .number(try calculated(symbol, left, right))
        }
    }

    private static func isText(_ value: ConditionValue) -> Bool { if case .text = value { true } else { false } }

    private func notNumber(_ value: ConditionValue, _ what: String, _ symbol: String) -> ConditionError {
        fault("Value '\(value.shown)' cannot be used with the \(what) '\(symbol)', it is not a number")
    }

    private static func isEqual(_ left: ConditionValue, _ right: ConditionValue) -> Bool {
        switch (left, right) {
        case (.none, .none): return true
        case (.number(let a), .number(let b)): return a == b
        case (.bool(let a), .bool(let b)): return a == b
        case (.text(let a), .text(let b)): return a.utf8.elementsEqual(b.utf8)
        case (.list(let a), .list(let b)): return a.count == b.count && zip(a, b).allSatisfy { isEqual($0, $1) }
        default: return false
        }
    }

    private func compared(_ symbol: String, _ left: ConditionValue, _ right: ConditionValue) throws(ConditionError) -> Bool {
        let order: Int
        switch (left, right) {
        case (.number(let a), .number(let b)):
            if a.isNaN || b.isNaN { return false }
            order = a < b ? -1 : a == b ? 0 : 1
        case (.text(let a), .text(let b)):
            order = a.utf8.elementsEqual(b.utf8) ? 0 : a.utf8.lexicographicallyPrecedes(b.utf8) ? -1 : 1
        default: throw notNumber(left, "comparator", symbol)
        }
        switch symbol {
        case ">": return order > 0
        case ">=": return order >= 0
        case "<": return order < 0
        default: return order <= 0
        }
    }

    private func matches(_ symbol: String, _ left: ConditionValue, _ right: ConditionValue) throws(ConditionError) -> Bool {
        guard case .text(let text) = left else { throw notNumber(left, "comparator", symbol) }
        let expression: String
        switch right {
        case .text(let text), .pattern(let text): expression = text
        default: throw notNumber(right, "comparator", symbol)
        }
        do throws(RegularExpression.Invalid) {
            return try RegularExpression(expression).matches(text)
        } catch {
            throw fault("Unable to compile regexp pattern '\(expression)': \(error.reason)")
        }
    }

    private func calculated(_ symbol: String, _ left: ConditionValue, _ right: ConditionValue) throws(ConditionError) -> Double
    {
        guard case .number(let a) = left else { throw notNumber(left, "modifier", symbol) }
        guard case .number(let b) = right else { throw notNumber(right, "modifier", symbol) }
        let (x, y) = (Self.whole(a), Self.whole(b))
        switch symbol {
        case "-": return a - b
        case "*": return a * b
        case "/": return a / b
        case "%": return fmod(a, b)
        case "**": return pow(a, b)
        case "&": return Double(x & y)
        case "|": return Double(x | y)
        case "^": return Double(x ^ y)
        case "<<": return y < 0 || y > 63 ? 0 : Double(UInt64(bitPattern: x) << UInt64(y))
        default: return y < 0 || y > 63 ? 0 : Double(UInt64(bitPattern: x) >> UInt64(y))
        }
    }
}
