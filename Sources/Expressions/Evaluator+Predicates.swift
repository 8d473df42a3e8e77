import ExpressionValues

extension Evaluator {
    /// A function that evaluates its second argument for each element of its first.
    func evaluatePredicate(_ builtin: Builtin, _ arguments: [Index], _ node: Index) throws(Fault) -> Value {
        let collection = try evaluate(arguments[0])
        at(arguments[0])
        guard case .list(let list) = collection else {
            throw Fault("builtin \(builtin.rawValue) takes only array (got \(collection.typeName))")
        }
        var initial: Value?
        if arguments.count == 3 { initial = try evaluate(arguments[2]) }
        scopes.append(PredicateScope(elements: list.elements))
        defer { scopes.removeLast() }
        let predicate = arguments.count > 1 ? arguments[1] : nil
        switch builtin {
        case .all, .none, .any, .one, .count: return try counted(builtin, predicate)
        case .find, .findIndex, .findLast, .findLastIndex: return try found(builtin, predicate)
        case .filter, .map: return try chosen(builtin, predicate, node)
        case .sum: return try summed(predicate)
        case .groupBy: return try grouped(predicate, node)
        case .sortBy: return try sorted(predicate, order: initial, node)
        default: return try reduced(predicate, from: initial)
        }
    }

    private var count: Int { scopes[scopes.count - 1].elements.count }

    /// The predicate's value for one element; the element itself where there is no predicate.
    private func value(_ predicate: Index?, at place: Int) throws(Fault) -> Value {
        scopes[scopes.count - 1].index = place
        guard let predicate else { return scopes[scopes.count - 1].elements[place] }
        return try evaluate(predicate)
    }

    private func counted(_ builtin: Builtin, _ predicate: Index?) throws(Fault) -> Value {
        var hits = 0
        for place in 0..<count {
            let isHit = try truth(try value(predicate, at: place))
            if builtin == .all, !isHit { return .bool(false) }
            if builtin == .none, isHit { return .bool(false) }
            if builtin == .any, isHit { return .bool(true) }
            if isHit { hits += 1 }
        }
        switch builtin {
        case .one: return .bool(hits == 1)
        case .count: return .int(hits)
        default: return .bool(builtin != .any)
        }
    }

    private func found(_ builtin: Builtin, _ predicate: Index?) throws(Fault) -> Value {
        let isLast = builtin == .findLast || builtin == .findLastIndex
        let total = count
        for step in 0..<total {
            let place = isLast ? total - 1 - step : step
            guard try truth(try value(predicate, at: place)) else { continue }
            return builtin == .find || builtin == .findLast ? scopes[scopes.count - 1].elements[place] : .int(place)
        }
        return .null
    }

    private func chosen(_ builtin: Builtin, _ predicate: Index?, _ node: Index) throws(Fault) -> Value {
        var output: [Value] = []
        for place in 0..<count {
            let result = try value(predicate, at: place)
            if builtin == .map {
                output.append(result)
            } else if try truth(result) {
                output.append(scopes[scopes.count - 1].elements[place])
            }
        }
        at(node)
        return try self.list(output)
    }

    private func summed(_ predicate: Index?) throws(Fault) -> Value {
        var sum = Value.int(0)
        for place in 0..<count { sum = try add(try value(predicate, at: place), sum) }
        return sum
    }

    private func grouped(_ predicate: Index?, _ node: Index) throws(Fault) -> Value {
        var groups: [MapKey: Int] = [:]
        var keys: [Value] = []
        var members: [[Value]] = []
        for place in 0..<count {
            let key = try value(predicate, at: place)
            guard let mapKey = MapKey(key) else { throw Fault("runtime error: hash of unhashable type \(key.typeName)") }
            let element = scopes[scopes.count - 1].elements[place]
            if let group = groups[mapKey] {
                members[group].append(element)
            } else {
                groups[mapKey] = keys.count
                keys.append(key)
                members.append([element])
            }
        }
        at(node)
        var map = ValueMap(takesAnyKey: true)
        for (key, elements) in zip(keys, members) { map.set(key, try self.list(elements)) }
        return try checked(map)
    }

    private func sorted(_ predicate: Index?, order: Value?, _ node: Index) throws(Fault) -> Value {
        let isDescending = try isDescending(order)
        var keys: [Value] = []
        for place in 0..<count { keys.append(try value(predicate, at: place)) }
        at(node)
        let elements = scopes[scopes.count - 1].elements
        return try self.list(try self.order(keys, isDescending: isDescending).map { elements[$0] })
    }

    private func reduced(_ predicate: Index?, from initial: Value?) throws(Fault) -> Value {
        let top = scopes.count - 1
        var first = 0
        if let initial {
            scopes[top].accumulator = initial
        } else {
            guard let element = scopes[top].elements.first else { throw Fault("reduce of empty array with no initial value") }
            scopes[top].accumulator = element
            first = 1
        }
        for place in first..<max(first, count) { scopes[top].accumulator = try value(predicate, at: place) }
        return scopes[top].accumulator
    }

    func isDescending(_ order: Value?) throws(Fault) -> Bool {
        guard let order else { return false }
        guard case .string(let text) = order else {
            throw Fault("sort order argument must be a string (got \(order.typeName))")
        }
        switch text {
        case "asc": return false
        case "desc": return true
        default: throw Fault("invalid order \(text), expected asc or desc")
        }
    }

    /// The places of keys in their order; equal ones keep theirs.
    func order(_ keys: [Value], isDescending: Bool) throws(Fault) -> [Int] {
        var places = Array(keys.indices)
        var width = 1
        while width < places.count {
            var merged: [Int] = []
            merged.reserveCapacity(places.count)
            var start = 0
            while start < places.count {
                let middle = min(start + width, places.count)
                let end = min(start + 2 * width, places.count)
                var (left, right) = (start, middle)
                while left < middle, right < end {
                    let (a, b) = (keys[places[left]], keys[places[right]])
                    let goesFirst = isDescending ? try isOrdered(a, b, .less) : try isOrdered(b, a, .less)
                    merged.append(goesFirst ? places[right] : places[left])
                    if goesFirst { right += 1 } else { left += 1 }
                }
                merged += places[left..<middle]
                merged += places[right..<end]
                start = end
            }
            places = merged
            width *= 2
        }
        return places
    }
}
