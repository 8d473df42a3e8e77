import ExpressionValues

/// The functions that the language itself has (expr-lang 1.17).
enum Builtin: String, Sendable {
    case all, none, any, one, filter, map, count, sum, find, findIndex, findLast, findLastIndex, groupBy, sortBy, reduce
    case len, type, abs, ceil, floor, round, int, float, string
    case trim, trimPrefix, trimSuffix, upper, lower, split, splitAfter, replace, `repeat`, join, indexOf, lastIndexOf,
        hasPrefix, hasSuffix
    case max, min, mean, median, toJSON, fromJSON, toBase64, fromBase64, now, duration, date, timezone
    case first, last, get, take, keys, values, toPairs, fromPairs, reverse, uniq, concat, flatten, sort
    case bitand, bitor, bitxor, bitnand, bitshl, bitshr, bitushr, bitnot

    /// Whether the second argument is evaluated for each element of the first.
    var takesPredicate: Bool {
        switch self {
        case .all, .none, .any, .one, .filter, .map, .count, .sum, .find, .findIndex, .findLast, .findLastIndex, .groupBy,
            .sortBy,
            .reduce:
            true
        default: false
        }
    }

    /// How many arguments it takes.
    var arity: ClosedRange<Int> {
        switch self {
        case .count, .sum: 1...2
        case .sortBy, .reduce: 2...3
        case _ where takesPredicate: 2...2
        case .now: 0...1
        case .trim, .trimPrefix, .trimSuffix, .join, .sort: 1...2
        case .split, .splitAfter: 2...3
        case .replace: 3...4
        case .date: 1...4
        case .max, .min, .mean, .median, .concat: 1...Int.max
        case .repeat, .indexOf, .lastIndexOf, .hasPrefix, .hasSuffix, .get, .take, .bitand, .bitor, .bitxor, .bitnand, .bitshl,
            .bitshr,
            .bitushr:
            2...2
        default: 1...1
        }
    }

    /// What is wrong with this number of arguments.
    func arityFault(_ count: Int) -> String? {
        if arity.contains(count) { return nil }
        switch self {
        case .len, .abs, .ceil, .floor, .round, .int, .float, .first, .last, .take, .keys, .values, .toPairs, .fromPairs,
            .reverse, .uniq,
            .flatten, .get:
            return "invalid number of arguments (expected \(arity.lowerBound), got \(count))"
        case .concat: return "invalid number of arguments (expected at least 1, got 0)"
        case .now: return "invalid number of arguments (expected 0, got \(count))"
        case .date where count < 1: return "invalid number of arguments (expected at least 1, got 0)"
        case .date: return "invalid number of arguments (expected at most 3, got \(count))"
        default: return "\(count < arity.lowerBound ? "not enough" : "too many") arguments to call \(rawValue)"
        }
    }
}
