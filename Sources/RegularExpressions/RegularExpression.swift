import CRE2

/// A regular expression in RE2's syntax, matched in linear time.
@safe
package final class RegularExpression: @unchecked Sendable {
    // A compiled expression never changes: any number of threads may match with it at once.
    private let pattern: OpaquePointer
    private let groupCount: Int

    package struct Invalid: Error {
        /// RE2's own text.
        package let reason: String
    }

    /// - Throws: `Invalid` where the expression is not one, or is too large.
    package init(_ expression: String) throws(Invalid) {
        var error = [CChar](repeating: 0, count: 256)
        let capacity = error.count
        guard let pattern = unsafe cre2_compile(expression, expression.utf8.count, &error, capacity) else {
            let text = error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            throw Invalid(reason: "error parsing regexp: \(String(decoding: text, as: UTF8.self))")
        }
        unsafe self.pattern = pattern
        groupCount = unsafe Int(cre2_group_count(pattern))
    }

    deinit { unsafe cre2_free(pattern) }

    /// Whether it matches anywhere.
    package func matches(_ text: String) -> Bool { unsafe cre2_matches(pattern, text, text.utf8.count) }

    package func matches(_ bytes: [UInt8]) -> Bool { matches(String(decoding: bytes, as: UTF8.self)) }

    /// The bytes of the first match at or behind a place: of the whole and of each group, nil for one that took no part.
    package func firstMatch(in text: [UInt8], from start: Int) -> [Range<Int>?]? {
        var bounds = [Int](repeating: -1, count: 2 * (groupCount + 1))
        let groups = groupCount + 1
        let isFound = unsafe text.withUnsafeBytes { bytes in
            unsafe cre2_find(
                pattern, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, start, &bounds, groups)
        }
        guard isFound else { return nil }
        return (0..<groups).map { bounds[2 * $0] < 0 ? nil : bounds[2 * $0]..<bounds[2 * $0 + 1] }
    }

    /// All matches that do not overlap, as Go's package `regexp` finds them; at most so many.
    package func allMatches(in text: [UInt8], atMost limit: Int = .max) -> [[Range<Int>?]] {
        var matches: [[Range<Int>?]] = []
        var start = 0
        var previousEnd = -1
        while start <= text.count, matches.count < limit, let match = firstMatch(in: text, from: start), let whole = match[0] {
            // An empty match right behind the previous one is none.
            if !(whole.isEmpty && whole.lowerBound == previousEnd) { matches.append(match) }
            previousEnd = whole.upperBound
            start = whole.upperBound
            if whole.isEmpty {
                start += 1
                while start < text.count, text[start] & 0xC0 == 0x80 { start += 1 }
            }
        }
        return matches
    }

    /// The text with every match replaced: `$1`, `${name}` of a template stand for groups, unless it is literal.
    package func replacingAll(in text: [UInt8], with template: [UInt8], isLiteral: Bool) -> [UInt8] {
        var output: [UInt8] = []
        var done = 0
        for match in allMatches(in: text) {
            guard let whole = match[0] else { continue }
            output += text[done..<whole.lowerBound]
            if isLiteral { output += template } else { expand(template, match, text, into: &output) }
            done = whole.upperBound
        }
        return output + text[done...]
    }

    private func expand(_ template: [UInt8], _ match: [Range<Int>?], _ text: [UInt8], into output: inout [UInt8]) {
        var rest = template[...]
        while let first = rest.popFirst() {
            guard first == UInt8(ascii: "$") else {
                output.append(first)
                continue
            }
            if rest.first == first {
                rest.removeFirst()
                output.append(first)
                continue
            }
            let isBraced = rest.first == UInt8(ascii: "{")
            let name = rest.dropFirst(isBraced ? 1 : 0).prefix {
                $0 == UInt8(ascii: "_") || (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20)
            }
            if name.isEmpty || isBraced && (name.endIndex >= rest.endIndex || rest[name.endIndex] != UInt8(ascii: "}")) {
                output.append(first)
                continue
            }
            rest = rest.dropFirst(name.count + (isBraced ? 2 : 0))
            let group = number(ofGroup: String(decoding: name, as: UTF8.self))
            if match.indices.contains(group), let range = match[group] { output += text[range] }
        }
    }

    private func number(ofGroup name: String) -> Int {
        if let number = Int(name) { return number }
        return unsafe Int(cre2_group_number(pattern, name, name.utf8.count))
    }
}
