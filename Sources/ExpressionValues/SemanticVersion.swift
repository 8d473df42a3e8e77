/// A version by semver.org, read as leniently as the reference does: `v1.2` is 1.2.0.
package struct SemanticVersion {
    package var numbers: [Int]
    package var prerelease: [String] = []
    package var metadata = ""
    /// How many numbers were written.
    package let precision: Int

    /// The text alone: it is what JSON shows of a version.
    package var value: ExpressionValue { .string(text) }

    package var text: String {
        let core = GoText.joined(numbers.map { String($0) }, by: ".")
        return core + (prerelease.isEmpty ? "" : "-" + GoText.joined(prerelease, by: "."))
            + (metadata.isEmpty ? "" : "+" + metadata)
    }

    package init(_ text: String) throws(Fault) {
        var rest = Array(text.utf8)[...]
        if rest.first == UInt8(ascii: "v") { rest.removeFirst() }
        if let plus = rest.firstIndex(of: UInt8(ascii: "+")) {
            metadata = Bytes.text(rest[(plus + 1)...])
            rest = rest[..<plus]
        }
        if let dash = rest.firstIndex(of: UInt8(ascii: "-")) {
            prerelease = rest[(dash + 1)...].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map {
                Bytes.text($0)
            }
            rest = rest[..<dash]
        }
        let parts = rest.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { Int(Bytes.text($0)) }
        let isValid =
            (1...3).contains(parts.count) && !parts.contains { $0 == nil || ($0 ?? 0) < 0 } && !prerelease.contains("")
        if !isValid || rest.contains(UInt8(ascii: "+")) { throw Fault("invalid semantic version") }
        precision = parts.count
        numbers = parts.compactMap(\.self) + Array(repeating: 0, count: 3 - parts.count)
    }

    /// Below 0 where this is the older one.
    package func compared(to other: SemanticVersion) -> Int {
        for (a, b) in zip(numbers, other.numbers) where a != b { return a < b ? -1 : 1 }
        if prerelease.isEmpty || other.prerelease.isEmpty {
            return (prerelease.isEmpty ? 1 : 0) - (other.prerelease.isEmpty ? 1 : 0)
        }
        for (a, b) in zip(prerelease, other.prerelease) where !hasEqualBytes(a, b) {
            switch (Int(a), Int(b)) {
            case (let x?, let y?): return x < y ? -1 : 1
            case (_?, nil): return -1
            case (nil, _?): return 1
            default: return a.utf8.lexicographicallyPrecedes(b.utf8) ? -1 : 1
            }
        }
        return prerelease.count - other.prerelease.count
    }
}

/// Which versions are wanted: `>=1.2, <2 || ~3.1`.
package struct VersionRange {
    private struct Bound {
        let symbol: String
        let version: SemanticVersion
        /// How many numbers were written before one that may be any.
        let precision: Int
    }

    private var alternatives: [[Bound]] = []

    package init(_ text: String) throws(Fault) {
        for alternative in Bytes.split(text, by: "||") ?? [] {
            var bounds: [Bound] = []
            for part in try Self.parts(alternative) { bounds += try Self.bounds(part) }
            if bounds.isEmpty { throw Fault("improper constraint: \(text)") }
            alternatives.append(bounds)
        }
    }

    package func contains(_ version: SemanticVersion) -> Bool {
        alternatives.contains { bounds in bounds.allSatisfy { Self.fits(version, $0) } }
    }

    /// Bounds that are joined by commas or blanks; `1 - 2` is one.
    private static func parts(_ text: String) throws(Fault) -> [String] {
        var parts: [String] = []
        let words = Bytes.replace(Bytes.replace(text, ",", by: " "), "\t", by: " ").utf8.split(separator: 0x20).map {
            Bytes.text($0)
        }
        var symbol = ""
        var place = 0
        while place < words.count {
            if place + 2 < words.count, words[place + 1] == "-" {
                parts += [">=" + words[place], "<=" + words[place + 2]]
                place += 3
                continue
            }
            if words[place].utf8.allSatisfy({ "=!<>~^".utf8.contains($0) }) {
                symbol += words[place]
            } else {
                parts.append(symbol + words[place])
                symbol = ""
            }
            place += 1
        }
        if !symbol.isEmpty { throw Fault("improper constraint: \(text)") }
        return parts
    }

    private static func bounds(_ text: String) throws(Fault) -> [Bound] {
        let symbol = Bytes.text(text.utf8.prefix { "=!<>~^".utf8.contains($0) })
        guard ["", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^"].contains(symbol) else {
            throw Fault("improper constraint: \(text)")
        }
        var core = Bytes.text(text.utf8.dropFirst(symbol.utf8.count))
        var precision = 3
        let dash = core.utf8.firstIndex { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") } ?? core.utf8.endIndex
        let numbers = core.utf8[..<dash].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        precision = min(precision, numbers.count)
        if let wild = numbers.firstIndex(where: { ["x", "X", "*"].contains(Bytes.text($0)) }) {
            precision = wild
            core = GoText.joined(numbers[..<wild].map { Bytes.text($0) } + ["0"], by: ".")
        }
        return [Bound(symbol: symbol, version: try SemanticVersion(core), precision: precision)]
    }

    private static func fits(_ version: SemanticVersion, _ bound: Bound) -> Bool {
        // A version before a release is wanted only where the bound names one.
        if !version.prerelease.isEmpty, bound.version.prerelease.isEmpty { return bound.symbol == "!=" }
        let order = version.compared(to: bound.version)
        func agrees(_ count: Int) -> Bool { version.numbers.prefix(count).elementsEqual(bound.version.numbers.prefix(count)) }
        let isPartial = bound.precision < 3
        switch bound.symbol {
        case "", "=": return isPartial ? agrees(bound.precision) : order == 0
        case "!=": return isPartial ? !agrees(bound.precision) : order != 0
        case ">": return isPartial ? order > 0 && !agrees(bound.precision) : order > 0
        case "<": return order < 0
        case ">=", "=>": return order >= 0
        case "<=", "=<": return isPartial ? order <= 0 || agrees(bound.precision) : order <= 0
        case "~", "~>": return order >= 0 && agrees(min(2, bound.precision))
        default:
            // `^`: the first number that is not 0 must stay.
            let kept = (bound.version.numbers.firstIndex { $0 != 0 } ?? bound.precision - 1) + 1
            return order >= 0 && agrees(min(kept, max(bound.precision, 1), 3))
        }
    }
}
