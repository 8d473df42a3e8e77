import ExpressionValues

extension SprigCall {
    func lists() throws(Fault) -> Value? {
        switch function {
        case .list, .tuple: return try evaluator.list(values)
        case .append, .push, .mustAppend, .mustPush: return try evaluator.list(try list(0, "push") + [values[1]])
        case .prepend, .mustPrepend: return try evaluator.list([values[1]] + (try list(0, "prepend")))
        case .first, .mustFirst: return try list(0, "find first").first ?? .null
        case .last, .mustLast: return try list(0, "find last").last ?? .null
        case .rest, .mustRest, .initial, .mustInitial:
            let isRest = function == .rest || function == .mustRest
            let elements = try list(0, isRest ? "find rest" : "find initial")
            if elements.isEmpty { return .list(.none) }
            return try evaluator.list(isRest ? Array(elements.dropFirst()) : Array(elements.dropLast()))
        case .reverse, .mustReverse: return try evaluator.list(try list(0, "find reverse").reversed())
        case .compact, .mustCompact: return try evaluator.list(try list(0, "compact").filter { !isEmpty($0) })
        case .uniq, .mustUniq:
            var kept: [Value] = []
            for element in try list(0, "find uniq") where !(try isAmong(element, kept)) { kept.append(element) }
            return try evaluator.list(kept)
        case .without, .mustWithout:
            var kept: [Value] = []
            for element in try list(0, "find without") where !(try isAmong(element, Array(rest))) { kept.append(element) }
            return try evaluator.list(kept)
        case .has, .mustHas:
            if case .null = values[1] { return .bool(false) }
            return .bool(try isAmong(values[0], try list(1, "find has")))
        case .slice, .mustSlice:
            let elements = try list(0, "slice")
            if elements.isEmpty { return .null }
            let start = count > 1 ? whole(values[1]) : 0
            let end = count > 2 ? whole(values[2]) : elements.count
            guard 0 <= start, start <= end, end <= elements.count else {
                throw Fault("reflect.Value.Slice: slice index out of bounds")
            }
            return try evaluator.list(Array(elements[start..<end]))
        case .concat:
            var output: [Value] = []
            for place in values.indices { output += try list(place, "concat") }
            return output.isEmpty ? .list(.none) : try evaluator.list(output)
        case .chunk, .mustChunk: return try chunks()
        default: return nil
        }
    }

    private func isAmong(_ value: Value, _ elements: [Value]) throws(Fault) -> Bool {
        for element in elements where try evaluator.isIdentical(value, element) { return true }
        return false
    }

    private func chunks() throws(Fault) -> Value {
        let elements = try list(1, "chunk")
        let size = integer(0)
        guard size > 0 else { throw Fault("sprig.\(function.rawValue): the size must be positive") }
        var chunks: [Value] = []
        for start in stride(from: 0, to: elements.count, by: size) {
            chunks.append(try evaluator.list(Array(elements[start..<min(start + size, elements.count)])))
        }
        return try evaluator.list(chunks)
    }

    func maps() throws(Fault) -> Value? {
        switch function {
        case .dict:
            var map = ValueMap()
            for place in stride(from: 0, to: count, by: 2) {
                map.set(.string(shown(values[place])), place + 1 < count ? values[place + 1] : .string(""))
            }
            return try evaluator.checked(map)
        case .get: return map(0)[text(1)] ?? .string("")
        case .set, .unset:
            var map = map(0)
            try evaluator.grow(map.count)
            if function == .set { map.set(.string(text(1)), values[2]) } else { map.remove(text(1)) }
            return try evaluator.checked(map)
        case .hasKey: return .bool(map(0)[text(1)] != nil)
        case .pluck:
            return try evaluator.list(rest.compactMap { if case .map(let map) = $0 { map[text(0)] } else { nil } })
        case .keys:
            var keys: [Value] = []
            for place in values.indices { keys += map(place).keys }
            return try evaluator.list(keys)
        case .values: return try evaluator.list(map(0).values)
        case .pick, .omit:
            let names = Set(rest.compactMap { if case .string(let text) = $0 { MapKey.Text(text: text) } else { nil } })
            let source = map(0)
            var map = ValueMap()
            for (key, value) in zip(source.keys, source.values) {
                if case .string(let name) = key, names.contains(MapKey.Text(text: name)) == (function == .pick) {
                    map.set(key, value)
                }
            }
            return try evaluator.checked(map)
        case .merge, .mustMerge, .mergeOverwrite, .mustMergeOverwrite:
            let overwrites = function == .mergeOverwrite || function == .mustMergeOverwrite
            var merged = map(0)
            for place in values.indices.dropFirst() { merged = try merge(map(place), into: merged, overwrites) }
            return try evaluator.checked(merged)
        case .dig: return try dug()
        default: return nil
        }
    }

    /// Members that the one lacks, or that are empty in it, come from the other; maps in both are merged in turn.
    private func merge(_ source: ValueMap, into target: ValueMap, _ overwrites: Bool) throws(Fault) -> ValueMap {
        var merged = target
        try evaluator.grow(source.count)
        for (key, value) in zip(source.keys, source.values) {
            guard let old = merged.value(of: key) else {
                merged.set(key, value)
                continue
            }
            if case .map(let inner) = old, case .map(let other) = value {
                merged.set(key, .map(try merge(other, into: inner, overwrites)))
            } else if isEmpty(old) || overwrites && !isEmpty(value) {
                merged.set(key, value)
            }
        }
        return merged
    }

    private func dug() throws(Fault) -> Value {
        guard count >= 3 else { throw Fault("dig needs at least three arguments") }
        var current = values[count - 1]
        for place in 0..<count - 2 {
            guard case .string(let key) = values[place], case .map(let map) = current else {
                throw Fault("interface conversion: dig takes names, a default and a map")
            }
            guard let next = map[key] else { return values[count - 2] }
            current = next
        }
        return current
    }
}
