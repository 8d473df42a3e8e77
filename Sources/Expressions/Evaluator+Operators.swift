import ExpressionValues
internal import Glibc
import RegularExpressions
internal import SystemSupport

extension Evaluator {
    /// The result of an operator both of whose sides are evaluated.
    func apply(_ symbol: SyntaxTree.Binary, _ left: Value, _ right: Value) throws(Fault) -> Value {
        switch symbol {
        case .equal: return .bool(try isEqual(left, right))
        case .notEqual: return .bool(!(try isEqual(left, right)))
        case .less, .more, .lessOrEqual, .moreOrEqual: return .bool(try isOrdered(left, right, symbol))
        case .isIn: return .bool(try contains(left, in: right))
        case .matches: return .bool(try matches(left, right))
        case .contains, .startsWith, .endsWith: return .bool(try textTest(symbol, left, right))
        case .range: return try range(left, right)
        case .add: return try add(left, right)
        case .subtract: return try subtract(left, right)
        case .multiply: return try multiply(left, right)
        case .divide:
            guard let a = number(left), let b = number(right) else { throw mismatch(left, "/", right) }
            return .float(a / b)
        case .modulo:
            guard case .int(let a) = left, case .int(let b) = right else { throw mismatch(left, "%", right) }
            if b == 0 { throw Fault("integer divide by zero") }
            return .int(a.remainderReportingOverflow(dividingBy: b).partialValue)
        case .power:
            guard let a = number(left), let b = number(right) else {
                throw Fault("invalid operation: float(\((number(left) == nil ? left : right).typeName))")
            }
            return .float(pow(a, b))
        // Evaluated where the right side may be left out.
        case .and, .or, .coalesce: return right
        }
    }

    private func mismatch(_ left: Value, _ symbol: String, _ right: Value) -> Fault {
        Fault("invalid operation: \(left.typeName) \(symbol) \(right.typeName)")
    }

    private func number(_ value: Value) -> Double? {
        switch value {
        case .int(let number): Double(number)
        case .float(let number): number
        default: nil
        }
    }

    /// Whether two values are equal: numbers by their value, lists and maps by their parts.
    func isEqual(_ left: Value, _ right: Value) throws(Fault) -> Bool {
        try spend()
        switch (left, right) {
        case (.int(let a), .int(let b)): return a == b
        case (.int, .float), (.float, .int), (.float, .float): return number(left) == number(right)
        case (.string(let a), .string(let b)):
            try spend(on: a)
            return hasEqualBytes(a, b)
        case (.bool(let a), .bool(let b)): return a == b
        case (.time(let a), .time(let b)): return a.isEqual(to: b)
        case (.duration(let a), .duration(let b)): return a == b
        case (.month(let a), .month(let b)), (.weekday(let a), .weekday(let b)): return a == b
        case (.bytes(let a), .bytes(let b)): return a == b
        case (.zone(let a), .zone(let b)): return a.isSame(as: b)
        case (.list(let a), .list(let b)):
            guard a.elements.count == b.elements.count else { return false }
            for (x, y) in zip(a.elements, b.elements) where !(try isEqual(x, y)) { return false }
            return true
        case (.map(let a), .map(let b)):
            guard a.count == b.count, a.takesAnyKey == b.takesAnyKey else { return false }
            for (key, value) in zip(a.keys, a.values) {
                guard let other = b.value(of: key), try isIdentical(value, other) else { return false }
            }
            return true
        default: return left.isNil && right.isNil
        }
    }

    /// Whether two values are equal and of the same types.
    func isIdentical(_ left: Value, _ right: Value) throws(Fault) -> Bool {
        switch (left, right) {
        case (.int, .float), (.float, .int): return false
        case (.list(let a), .list(let b)):
            guard a.elements.count == b.elements.count else { return false }
            for (x, y) in zip(a.elements, b.elements) where !(try isIdentical(x, y)) { return false }
            return true
        default: return try isEqual(left, right)
        }
    }

    /// Whether two numbers, texts, times or durations stand as the operator says.
    func isOrdered(_ left: Value, _ right: Value, _ symbol: SyntaxTree.Binary) throws(Fault) -> Bool {
        guard let order = try order(left, right, symbol) else { return false }
        switch symbol {
        case .less: return order < 0
        case .more: return order > 0
        case .lessOrEqual: return order <= 0
        default: return order >= 0
        }
    }

    /// Below 0 where the left one comes first; nil for what is no number.
    private func order(_ left: Value, _ right: Value, _ symbol: SyntaxTree.Binary) throws(Fault) -> Int? {
        try spend()
        switch (left, right) {
        case (.int(let a), .int(let b)): return a < b ? -1 : a == b ? 0 : 1
        case (.int, .float), (.float, .int), (.float, .float):
            let (a, b) = (number(left) ?? .nan, number(right) ?? .nan)
            if a.isNaN || b.isNaN { return nil }
            return a < b ? -1 : a == b ? 0 : 1
        case (.string(let a), .string(let b)):
            try spend(on: a)
            if hasEqualBytes(a, b) { return 0 }
            return a.utf8.lexicographicallyPrecedes(b.utf8) ? -1 : 1
        case (.time(let a), .time(let b)): return a.isBefore(b) ? -1 : a.isEqual(to: b) ? 0 : 1
        case (.duration(let a), .duration(let b)): return a < b ? -1 : a == b ? 0 : 1
        default: throw mismatch(left, symbol.rawValue, right)
        }
    }

    func contains(_ needle: Value, in container: Value) throws(Fault) -> Bool {
        switch container {
        case .null: return false
        case .list(let list):
            for element in list.elements where try isEqual(element, needle) { return true }
            return false
        case .map(let map):
            if !map.takesAnyKey, !needle.isNil {
                guard case .string = needle else {
                    throw Fault("cannot use \(needle.typeName) as type string in map key")
                }
            }
            return map.value(of: !map.takesAnyKey && needle.isNil ? .string("") : needle) != nil
        case .bytes(let bytes):
            guard let wanted = number(needle) else { return false }
            return bytes.contains { Double($0) == wanted }
        case .function(.sprigGroup):
            guard case .string(let name) = needle else { return false }
            return SprigFunction(rawValue: name) != nil || Sprig.refused.contains(name)
        default: throw Fault("operator \"in\" not defined on \(container.typeName)")
        }
    }

    private func matches(_ left: Value, _ right: Value) throws(Fault) -> Bool {
        if left.isNil || right.isNil { return false }
        guard case .string(let text) = right else { throw notText(right) }
        let pattern = try pattern(text)
        switch left {
        case .string(let subject):
            try spend(on: subject)
            return pattern.matches(subject)
        case .bytes(let bytes):
            try spend(1 + bytes.count / 8)
            return pattern.matches(bytes)
        default: throw notText(left)
        }
    }

    private func notText(_ value: Value) -> Fault {
        Fault("interface conversion: interface {} is \(value.typeName), not string")
    }

    private func textTest(_ symbol: SyntaxTree.Binary, _ left: Value, _ right: Value) throws(Fault) -> Bool {
        if left.isNil || right.isNil { return false }
        guard case .string(let text) = left else { throw notText(left) }
        guard case .string(let part) = right else { throw notText(right) }
        try spend(on: text)
        switch symbol {
        case .startsWith: return text.utf8.starts(with: part.utf8)
        case .endsWith: return text.utf8.count >= part.utf8.count && text.utf8.suffix(part.utf8.count).elementsEqual(part.utf8)
        default: return Bytes.index(of: Array(part.utf8), in: Array(text.utf8)[...]) != nil
        }
    }

    private func range(_ left: Value, _ right: Value) throws(Fault) -> Value {
        let first = try Conversions.index(left)
        let last = try Conversions.index(right)
        guard last >= first else { return .list(ValueList(flat: [])) }
        let (count, overflows) = last.subtractingReportingOverflow(first)
        if overflows || count >= 1 << 40 { throw Fault("memory budget exceeded") }
        try grow(count + 1)
        return .list(ValueList(flat: (first...last).map { .int($0) }))
    }

    func add(_ left: Value, _ right: Value) throws(Fault) -> Value {
        switch (left, right) {
        case (.int(let a), .int(let b)): return .int(a &+ b)
        case (.int, .float), (.float, .int), (.float, .float): return .float((number(left) ?? 0) + (number(right) ?? 0))
        case (.string(let a), .string(let b)):
            try spend(1 + (a.utf8.count + b.utf8.count) / 8)
            return .string(a + b)
        case (.time(let moment), .duration(let duration)), (.duration(let duration), .time(let moment)):
            return .time(try moment.adding(duration))
        case (.duration(let a), .duration(let b)): return .duration(a &+ b)
        default: throw mismatch(left, "+", right)
        }
    }

    private func subtract(_ left: Value, _ right: Value) throws(Fault) -> Value {
        switch (left, right) {
        case (.int(let a), .int(let b)): return .int(a &- b)
        case (.int, .float), (.float, .int), (.float, .float): return .float((number(left) ?? 0) - (number(right) ?? 0))
        case (.time(let a), .time(let b)): return .duration(a.since(b))
        case (.time(let moment), .duration(let duration)): return .time(try moment.adding(0 &- duration))
        case (.duration(let a), .duration(let b)): return .duration(a &- b)
        default: throw mismatch(left, "-", right)
        }
    }

    private func multiply(_ left: Value, _ right: Value) throws(Fault) -> Value {
        switch (left, right) {
        case (.int(let a), .int(let b)): return .int(a &* b)
        case (.int, .float), (.float, .int), (.float, .float): return .float((number(left) ?? 0) * (number(right) ?? 0))
        case (.duration(let a), .duration(let b)): return .duration(a &* b)
        case (.duration(let a), .int(let b)), (.int(let b), .duration(let a)): return .duration(a &* Int64(b))
        case (.duration(let a), .float(let b)), (.float(let b), .duration(let a)): return .float(Double(a) * b)
        default: throw mismatch(left, "*", right)
        }
    }

    // MARK: Parts of values

    func fetch(_ key: Value, from base: Value) throws(Fault) -> Value {
        switch base {
        case .list(let list): return list.elements[try place(key, list.elements.count)]
        case .string(let text):
            let place = try place(key, text.utf8.count)
            return .int(Int(text.utf8[text.utf8.index(text.utf8.startIndex, offsetBy: place)]))
        case .bytes(let bytes): return .int(Int(bytes[try place(key, bytes.count)]))
        case .map(let map):
            if map.takesAnyKey { return map.value(of: key) ?? .null }
            switch key {
            case .string(let name): return map[name] ?? .null
            case .null: return map[""] ?? .null
            default: throw Fault("cannot use \(key.typeName) to get an element from \(base.typeName)")
            }
        case .function(.sprigGroup):
            guard case .string(let name) = key else { throw Fault("cannot use \(key.typeName) to get an element from sprig") }
            if let function = SprigFunction(rawValue: name) { return .function(.sprig(function)) }
            if Sprig.refused.contains(name) { throw Fault("sprig.\(name) is not supported") }
            return .null
        default: throw Fault("cannot fetch \(GoText.shown(key)) from \(base.typeName)")
        }
    }

    private func place(_ key: Value, _ count: Int) throws(Fault) -> Int {
        let index = try Conversions.index(key)
        let place = index < 0 ? count + index : index
        guard (0..<count).contains(place) else { throw Fault("index out of range: \(place) (array length is \(count))") }
        return place
    }

    func slice(_ value: Value, from start: Value?, to end: Value?) throws(Fault) -> Value {
        func bounds(_ count: Int) throws(Fault) -> Range<Int> {
            var from = if let start { try Conversions.index(start) } else { 0 }
            var to = if let end { try Conversions.index(end) } else { count }
            if from < 0 { from = max(0, count + from) }
            if to < 0 { to = max(0, count + to) }
            to = min(to, count)
            return min(from, to)..<to
        }
        switch value {
        case .list(let list):
            let range = try bounds(list.elements.count)
            if range.count == list.elements.count { return value }
            try spend(2 * range.count)
            return .list(try ValueList(Array(list.elements[range])))
        case .string(let text):
            try spend(on: text)
            return .string(Bytes.text(Array(text.utf8)[try bounds(text.utf8.count)]))
        case .bytes(let bytes): return .bytes(Array(bytes[try bounds(bytes.count)]))
        default: throw Fault("cannot slice \(value.typeName)")
        }
    }
}
