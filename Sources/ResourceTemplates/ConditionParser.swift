import SystemSupport

/// Reads conditions, which are written as Kubernetes' label selectors: `a = b`, `a != b`, `a in (x, y)`, `a notin (x)`, `a > 5`,
/// `a < 5`, `a`, `!a`, joined by commas (contract 02 §7).
struct ConditionParser {
    private enum Token: Equatable {
        case word(String)
        /// `(`, `)`, `,`, `!`, `=`, `==`, `!=`, `<` or `>`.
        case symbol(String)
        case end

        var text: String {
            switch self {
            case .word(let text), .symbol(let text): text
            case .end: "the end"
            }
        }
    }

    private struct Fault: Error {
        let reason: String
    }

    private var tokens: ArraySlice<Token>

    /// The requirements in the order of their paths, in which the reference goes through them.
    ///
    /// - Parameter name: what the condition is called in messages.
    /// - Throws: `ExecutorError`.
    static func requirements(of text: String, _ name: String) throws -> [Requirement] {
        do {
            var parser = ConditionParser(tokens: try tokens(of: text)[...])
            let found = try parser.requirements()
            // The order of equal paths is kept.
            return found.enumerated().sorted {
                if $0.element.path == $1.element.path { return $0.offset < $1.offset }
                return $0.element.path.text.utf8.lexicographicallyPrecedes($1.element.path.text.utf8)
            }.map(\.element)
        } catch let fault as Fault {
            throw ExecutorError.badRequest("\(name) '\(text)' failed to parse: \(fault.reason)")
        }
    }

    private static func tokens(of text: String) throws -> [Token] {
        let symbols: [UInt8] = Array("()!,=<>".utf8)
        let blanks: [UInt8] = Array(" \t\r\n".utf8)
        var tokens: [Token] = []
        var rest = Array(text.utf8)[...]
        while let first = rest.first {
            if blanks.contains(first) {
                rest = rest.dropFirst()
            } else if symbols.contains(first) {
                let isDouble = first == UInt8(ascii: "=") || first == UInt8(ascii: "!")
                let length = isDouble && rest.dropFirst().first == UInt8(ascii: "=") ? 2 : 1
                tokens.append(.symbol(String(decoding: rest.prefix(length), as: UTF8.self)))
                rest = rest.dropFirst(length)
            } else {
                let word = rest.prefix { !symbols.contains($0) && !blanks.contains($0) }
                tokens.append(.word(String(decoding: word, as: UTF8.self)))
                rest = rest.dropFirst(word.count)
            }
        }
        return tokens
    }

    private var next: Token { tokens.first ?? .end }

    private mutating func take() -> Token { tokens.popFirst() ?? .end }

    private mutating func requirements() throws -> [Requirement] {
        var found: [Requirement] = []
        while next != .end {
            found.append(try requirement())
            switch take() {
            case .end: return found
            case .symbol(","):
                if next == .end { throw Fault(reason: "found the end, expected: a path after ','") }
            case let other: throw Fault(reason: "found '\(other.text)', expected: ',' or the end")
            }
        }
        return found
    }

    private mutating func requirement() throws -> Requirement {
        var first = take()
        let isNegated = first == .symbol("!")
        if isNegated { first = take() }
        guard case .word(let path) = first else {
            throw Fault(reason: "found '\(first.text)', expected: \(isNegated ? "a path" : "a path or '!'")")
        }
        try Self.check(path: path)
        if isNegated {
            return Requirement(path: ObjectPath(path), comparison: .doesNotExist, values: [])
        }
        if next == .end || next == .symbol(",") {
            return Requirement(path: ObjectPath(path), comparison: .exists, values: [])
        }
        let comparison = try comparison()
        var values: Set<String>
        if comparison == .isIn || comparison == .isNotIn { values = try list() } else { values = [try value()] }
        for value in values { try Self.check(value: value, of: path) }
        if comparison == .greaterThan || comparison == .lessThan {
            guard values.allSatisfy({ Requirement.integer($0) != nil }) else {
                throw Fault(reason: "'\(path)' is compared with '\(values.first ?? "")', which is not an integer")
            }
        }
        let sorted = values.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return Requirement(path: ObjectPath(path), comparison: comparison, values: sorted)
    }

    private mutating func comparison() throws -> Requirement.Operator {
        let token = take()
        switch token {
        case .symbol("="): return .equals
        case .symbol("=="): return .doubleEquals
        case .symbol("!="): return .notEquals
        case .symbol(">"): return .greaterThan
        case .symbol("<"): return .lessThan
        case .word("in"): return .isIn
        case .word("notin"): return .isNotIn
        default: throw Fault(reason: "found '\(token.text)', expected: in, notin, =, ==, !=, > or <")
        }
    }

    /// A single value; none at all is the empty text.
    private mutating func value() throws -> String {
        if next == .end || next == .symbol(",") { return "" }
        let token = take()
        guard case .word(let text) = token else { throw Fault(reason: "found '\(token.text)', expected: a value") }
        return text
    }

    /// Values in brackets, each of which may be empty.
    private mutating func list() throws -> Set<String> {
        let first = take()
        guard first == .symbol("(") else { throw Fault(reason: "found '\(first.text)', expected: '('") }
        var values: Set<String> = []
        while true {
            if case .word(let text) = next {
                _ = take()
                values.insert(text)
            } else {
                values.insert("")
            }
            switch take() {
            case .symbol(")"): return values
            case .symbol(","): continue
            case let other: throw Fault(reason: "found '\(other.text)', expected: ',' or ')'")
            }
        }
    }

    /// A path must be a label's key: a name, with a domain and a slash before it or not.
    private static func check(path: String) throws {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let isDomain = { (text: Substring) in
            text.utf8.count <= 253
                && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                    isName(label) { ($0 | 0x20) == $0 && isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
                }
        }
        guard parts.count <= 2, parts.count == 1 || isDomain(parts[0]), let name = parts.last, isLabel(name) else {
            throw Fault(
                reason:
                    "'\(path)' is not a path that a condition may have: at most 63 letters, digits, '-', '_' and '.', a letter or "
                    + "digit at either end, and before a '/' a name of a domain in small letters")
        }
    }

    private static func check(value: String, of path: String) throws {
        guard value.isEmpty || isLabel(value[...]) else {
            throw Fault(
                reason:
                    "'\(path)' is compared with '\(value)', which is not a value that a condition may have: at most 63 letters, "
                    + "digits, '-', '_' and '.', a letter or digit at either end")
        }
    }

    private static func isLabel(_ text: Substring) -> Bool {
        text.utf8.count <= 63 && isName(text) { isAlphanumeric($0) || "-_.".utf8.contains($0) }
    }

    /// Whether a text has only such letters, and a letter or digit at either end.
    private static func isName(_ text: Substring, _ isAllowed: (UInt8) -> Bool) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        return isAlphanumeric(first) && isAlphanumeric(last) && text.utf8.allSatisfy(isAllowed)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
