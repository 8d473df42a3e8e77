import ExpressionValues

/// Queries of JSON documents as the controller's `jsonpath` takes them: `$.a[0].b`, `$..b`, `$.a[?(@.b > 1)]`.
struct JSONPath {
    typealias Value = ExpressionValue

    private indirect enum Step {
        case key(String)
        case index(Int)
        case wildcard
        case descendants
        case length
        case range(from: Int?, to: Int?, step: Int?)
        case indexes([Int])
        case keys([String])
        case filter(Condition)
        case computed(Condition)
    }

    /// An expression over the current value, with the paths that stand in it.
    private struct Condition {
        let tree: SyntaxTree
        let paths: [JSONPath]
    }

    private static let maximumSteps = 64
    private static let maximumDepth = 128

    private let startsAtRoot: Bool
    private let steps: [Step]

    /// - Throws: where the path is none, or leads nowhere.
    static func query(_ path: String, _ document: Value, _ evaluator: Evaluator) throws(Fault) -> Value {
        let selector = try JSONPath(Array(path.utf8), nesting: 0)
        return try selector.apply(selector.steps[...], document, document, evaluator, depth: 0)
    }

    // MARK: Reading

    private init(_ path: [UInt8], nesting: Int) throws(Fault) {
        guard let first = path.first, first == UInt8(ascii: "$") || first == UInt8(ascii: "@"), nesting < 4 else {
            throw Fault("invalid JSONPath selector '\(Bytes.text(path))'")
        }
        startsAtRoot = first == UInt8(ascii: "$")
        var rest = path.dropFirst()
        var steps: [Step] = []
        while let byte = rest.first {
            guard steps.count < Self.maximumSteps else { throw Fault("a JSONPath has more than \(Self.maximumSteps) steps") }
            if byte == UInt8(ascii: "[") {
                let end = try Self.closing(rest, path)
                steps.append(try Self.step(rest[(rest.startIndex + 1)..<end], nesting))
                rest = rest[(end + 1)...]
                continue
            }
            guard byte == UInt8(ascii: ".") else { throw Fault("invalid JSONPath selector '\(Bytes.text(path))'") }
            rest.removeFirst()
            if rest.first == UInt8(ascii: ".") {
                steps.append(.descendants)
                rest.removeFirst()
            }
            if rest.first == UInt8(ascii: "[") { continue }
            let name = rest.prefix { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "[") }
            rest = rest.dropFirst(name.count)
            let text = Bytes.trim(Bytes.text(name)) { $0 == " " }
            guard !text.isEmpty else { throw Fault("invalid JSONPath selector '\(Bytes.text(path))'") }
            steps.append(text == "*" ? .wildcard : text == "length" ? .length : .key(text))
        }
        self.steps = steps
    }

    /// Where the bracket at the start is closed.
    private static func closing(_ text: ArraySlice<UInt8>, _ path: [UInt8]) throws(Fault) -> Int {
        var depth = 0
        var quote: UInt8?
        var at = text.startIndex
        while at < text.endIndex {
            let byte = text[at]
            if let open = quote {
                if byte == UInt8(ascii: "\\") { at += 1 } else if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                quote = byte
            } else if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "(") {
                depth += 1
            } else if byte == UInt8(ascii: "]") || byte == UInt8(ascii: ")") {
                depth -= 1
                if depth == 0 { return at }
            }
            at += 1
        }
        throw Fault("invalid JSONPath selector '\(Bytes.text(path))'")
    }

    private static func step(_ text: ArraySlice<UInt8>, _ nesting: Int) throws(Fault) -> Step {
        let subscriptText = Bytes.trim(Bytes.text(text)) { $0 == " " }
        let fault = Fault("invalid token. '[\(Bytes.text(text))]' does not match any token format")
        if subscriptText == "*" { return .wildcard }
        let bytes = Array(subscriptText.utf8)
        if bytes.first == UInt8(ascii: "?") {
            guard bytes.count > 3, bytes[1] == UInt8(ascii: "("), bytes.last == UInt8(ascii: ")") else { throw fault }
            return .filter(try condition(Array(bytes[2..<(bytes.count - 1)]), nesting))
        }
        if bytes.first == UInt8(ascii: "("), bytes.last == UInt8(ascii: ")") {
            return .computed(try condition(Array(bytes[1..<(bytes.count - 1)]), nesting))
        }
        let parts = try self.parts(bytes, by: UInt8(ascii: ","), fault)
        if parts.count > 1 {
            let keys = parts.compactMap { unquoted($0) }
            if keys.count == parts.count { return .keys(keys) }
            let indexes = parts.compactMap { Int($0) }
            guard indexes.count == parts.count else { throw fault }
            return .indexes(indexes)
        }
        if let key = unquoted(subscriptText) { return .key(key) }
        if let index = Int(subscriptText) { return .index(index) }
        let bounds = try self.parts(bytes, by: UInt8(ascii: ":"), fault)
        guard (2...3).contains(bounds.count), bounds.allSatisfy({ $0.isEmpty || Int($0) != nil }) else { throw fault }
        return .range(from: Int(bounds[0]), to: Int(bounds[1]), step: bounds.count > 2 ? Int(bounds[2]) : nil)
    }

    /// Parts between separators outside of quotes.
    private static func parts(_ text: [UInt8], by separator: UInt8, _ fault: Fault) throws(Fault) -> [String] {
        var parts: [[UInt8]] = [[]]
        var quote: UInt8?
        var isEscaped = false
        for byte in text {
            if quote == nil, byte == separator {
                parts.append([])
                continue
            }
            parts[parts.count - 1].append(byte)
            if isEscaped {
                isEscaped = false
            } else if let open = quote {
                if byte == UInt8(ascii: "\\") { isEscaped = true } else if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                quote = byte
            }
        }
        if quote != nil { throw fault }
        return parts.map { Bytes.trim(Bytes.text($0)) { $0 == " " } }
    }

    private static func unquoted(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        guard bytes.count > 1, let quote = bytes.first, quote == bytes[bytes.count - 1],
            quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"")
        else { return nil }
        return Bytes.replace(
            Bytes.text(bytes[1..<(bytes.count - 1)]), "\\" + String(UnicodeScalar(quote)), by: String(UnicodeScalar(quote)))
    }

    /// The condition as an expression in which names stand for its paths.
    private static func condition(_ text: [UInt8], _ nesting: Int) throws(Fault) -> Condition {
        var paths: [JSONPath] = []
        var output: [UInt8] = []
        var at = 0
        while at < text.count {
            let byte = text[at]
            if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                var end = at + 1
                while end < text.count, text[end] != byte { end += text[end] == UInt8(ascii: "\\") ? 2 : 1 }
                output += text[at..<min(end + 1, text.count)]
                at = end + 1
            } else if byte == UInt8(ascii: "@") || byte == UInt8(ascii: "$") {
                let end = try pathEnd(text, at)
                output += " __path\(paths.count) ".utf8
                paths.append(try JSONPath(Array(text[at..<end]), nesting: nesting + 1))
                at = end
            } else if byte == UInt8(ascii: "="), at + 1 < text.count, text[at + 1] == UInt8(ascii: "~") {
                output += " matches ".utf8
                at += 2
            } else if text[at...].starts(with: "null".utf8) {
                output += "nil".utf8
                at += 4
            } else {
                output.append(byte)
                at += 1
            }
        }
        do throws(SyntaxFault) {
            return Condition(tree: try Parser.parse(Bytes.text(output)), paths: paths)
        } catch {
            throw Fault("invalid expression. \(error.reason)")
        }
    }

    private static func pathEnd(_ text: [UInt8], _ start: Int) throws(Fault) -> Int {
        var at = start + 1
        while at < text.count {
            let byte = text[at]
            if byte == UInt8(ascii: "[") {
                at = try closing(text[at...], text) + 1
            } else if byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: "*") && text[at - 1] == UInt8(ascii: ".")
                || (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte > 0x7F
                || byte == UInt8(ascii: "-") && at + 1 < text.count && (0x61...0x7A).contains(text[at + 1] | 0x20)
            {
                at += 1
            } else {
                break
            }
        }
        return at
    }

    // MARK: Applying

    private func apply(
        _ steps: ArraySlice<Step>, _ value: Value, _ root: Value, _ evaluator: Evaluator, depth: Int
    ) throws(Fault) -> Value {
        try evaluator.spend()
        if depth > Self.maximumDepth { throw Fault("a JSONPath goes deeper than \(Self.maximumDepth) levels") }
        guard let step = steps.first else { return value }
        let rest = steps.dropFirst()
        func go(_ value: Value, _ rest: ArraySlice<Step>) throws(Fault) -> Value {
            try apply(rest, value, root, evaluator, depth: depth + 1)
        }
        switch step {
        case .key(let name):
            guard case .map(let map) = value else { throw target("key", "map", value) }
            guard let member = map[name] else { throw Fault("key: invalid token key '\(name)' not found") }
            return try go(member, rest)
        case .index(let index):
            guard case .list(let list) = value else { throw target("index", "array slice", value) }
            let place = index < 0 ? list.elements.count + index : index
            guard list.elements.indices.contains(place) else { throw Fault("index: invalid token out of range") }
            return try go(list.elements[place], rest)
        case .length: return try go(try length(value), rest)
        case .computed(let condition):
            switch try evaluate(condition, value, root, evaluator) {
            case .string(let name): return try go(value, [.key(name)] + rest)
            case let key: return try go(value, [.index(try Conversions.index(key))] + rest)
            }
        case .descendants: return try evaluator.list(try descendants(value, rest, root, evaluator, depth: depth))
        case .wildcard: return try each(try children(value, "wildcard"), rest, root, evaluator, depth: depth, isWildcard: true)
        case .range, .indexes, .keys, .filter:
            return try each(try chosen(step, value, root, evaluator), rest, root, evaluator, depth: depth, isWildcard: false)
        }
    }

    private func target(_ token: String, _ expected: String, _ value: Value) -> Fault {
        let kind: String =
            switch value {
            case .null: "nil"
            case .bool: "bool"
            case .string: "string"
            case .list: "slice"
            case .map: "map"
            default: "float64"
            }
        return Fault("\(token): invalid token target. expected [\(expected)] got [\(kind)]")
    }

    private func children(_ value: Value, _ token: String) throws(Fault) -> [Value] {
        switch value {
        case .list(let list): return list.elements
        case .map(let map): return map.sortedPlaces.map { map.values[$0] }
        default: throw target(token, "array map slice", value)
        }
    }

    private func length(_ value: Value) throws(Fault) -> Value {
        switch value {
        case .list(let list): return .int(list.elements.count)
        case .map(let map): return map["length"] ?? .int(map.count)
        case .string(let text): return .int(text.utf8.count)
        default: throw target("length", "array map slice string", value)
        }
    }

    /// What follows applied to each element; what it does not fit is left out. An index counts among the elements themselves.
    private func each(
        _ elements: [Value], _ rest: ArraySlice<Step>, _ root: Value, _ evaluator: Evaluator, depth: Int, isWildcard: Bool
    ) throws(Fault) -> Value {
        guard let next = rest.first else { return try evaluator.list(elements) }
        if !isWildcard, case .index = next {
            return try apply(rest, try evaluator.list(elements), root, evaluator, depth: depth + 1)
        }
        var output: [Value] = []
        for element in elements {
            if let value = try attempt(rest, element, root, evaluator, depth: depth) { output.append(value) }
        }
        return try evaluator.list(output)
    }

    /// The result where there is one; only an exhausted budget ends the query.
    private func attempt(
        _ steps: ArraySlice<Step>, _ value: Value, _ root: Value, _ evaluator: Evaluator, depth: Int
    ) throws(Fault) -> Value? {
        do throws(Fault) {
            let result = try apply(steps, value, root, evaluator, depth: depth + 1)
            if case .null = result { return nil }
            return result
        } catch {
            if evaluator.isExhausted { throw error }
            return nil
        }
    }

    private func descendants(
        _ value: Value, _ rest: ArraySlice<Step>, _ root: Value, _ evaluator: Evaluator, depth: Int
    ) throws(Fault) -> [Value] {
        try evaluator.spend()
        if depth > Self.maximumDepth { throw Fault("a JSONPath goes deeper than \(Self.maximumDepth) levels") }
        if case .null = value { return [] }
        var output: [Value] = []
        if rest.isEmpty {
            output.append(value)
        } else if let found = try attempt(rest, value, root, evaluator, depth: depth) {
            if case .list(let list) = found { output += list.elements } else { output.append(found) }
        }
        for child in (try? children(value, "recursive")) ?? [] {
            output += try descendants(child, rest, root, evaluator, depth: depth + 1)
        }
        try evaluator.spend(output.count)
        return output
    }

    private func chosen(_ step: Step, _ value: Value, _ root: Value, _ evaluator: Evaluator) throws(Fault) -> [Value] {
        switch step {
        case .keys(let names):
            guard case .map(let map) = value else { throw target("union", "map", value) }
            return names.compactMap { map[$0] }
        case .indexes(let indexes):
            guard case .list(let list) = value else { throw target("union", "array slice", value) }
            let elements = list.elements
            return indexes.map { $0 < 0 ? elements.count + $0 : $0 }.filter { elements.indices.contains($0) }.map {
                elements[$0]
            }
        case .range(let from, let to, let step):
            guard case .list(let list) = value else { throw target("range", "array slice", value) }
            return try ranged(list.elements, from, to, step ?? 1)
        case .filter(let condition):
            var output: [Value] = []
            for child in try children(value, "filter") {
                do throws(Fault) {
                    if isTrue(try evaluate(condition, child, root, evaluator)) { output.append(child) }
                } catch {
                    if evaluator.isExhausted { throw error }
                }
            }
            return output
        default: return []
        }
    }

    private func ranged(_ elements: [Value], _ from: Int?, _ to: Int?, _ step: Int) throws(Fault) -> [Value] {
        if step == 0 { throw Fault("range: invalid token out of range") }
        func place(_ index: Int) -> Int { min(max(index < 0 ? elements.count + index : index, 0), elements.count) }
        let (first, end) = (place(from ?? 0), place(to ?? elements.count))
        if first >= end { return [] }
        let places = step > 0 ? stride(from: first, to: end, by: step) : stride(from: end - 1, to: first - 1, by: step)
        return places.map { elements[$0] }
    }

    private func isTrue(_ value: Value) -> Bool {
        switch value {
        case .null: false
        case .bool(let flag): flag
        case .int(let number): number != 0
        case .float(let number): number != 0
        case .string(let text): !text.isEmpty
        case .list(let list): !list.elements.isEmpty
        case .map(let map): map.count > 0
        default: true
        }
    }

    private func evaluate(_ condition: Condition, _ current: Value, _ root: Value, _ evaluator: Evaluator) throws(Fault)
        -> Value
    {
        var environment = ValueMap()
        for (place, path) in condition.paths.enumerated() {
            let start = path.startsAtRoot ? root : current
            environment.set(.string("__path\(place)"), try path.apply(path.steps[...], start, root, evaluator, depth: 0))
        }
        return try evaluator.evaluate(condition.tree, environment)
    }
}
