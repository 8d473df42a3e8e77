internal import Documents

/// A value of an expression.
package enum ExpressionValue: Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case float(Double)
    case string(String)
    case bytes([UInt8])
    case list(ValueList)
    case map(ValueMap)
    case time(Moment)
    /// Nanoseconds.
    case duration(Int64)
    /// From 1.
    case month(Int)
    /// From 0, Sunday.
    case weekday(Int)
    case zone(Zone)
    /// A function of the environment, or the group of all of sprig's.
    case function(EnvironmentFunction)

    package static func strings(_ texts: some Sequence<String>) -> Self {
        .list(ValueList(flat: texts.map { .string($0) }))
    }

    package static func object(_ members: some Sequence<(String, ExpressionValue)>) -> Self {
        var map = ValueMap()
        for (name, value) in members { map.set(.string(name), value) }
        return .map(map)
    }

    /// Values may be nested this deep: comparing, writing and freeing them recurse.
    package static let maximumDepth = JSONValue.maximumDepth

    /// How many levels lie in this value: 0 for all but lists and maps.
    package var depth: Int {
        switch self {
        case .list(let list): list.depth
        case .map(let map): map.depth
        default: 0
        }
    }

    /// Whether `??` and `?.` take it for nothing.
    package var isNil: Bool {
        switch self {
        case .null: true
        case .list(let list): list.isNil
        default: false
        }
    }

    /// The name of its type in messages: the one of the reference's own language.
    package var typeName: String {
        switch self {
        case .null: "<nil>"
        case .bool: "bool"
        case .int: "int"
        case .float: "float64"
        case .string: "string"
        case .bytes: "[]uint8"
        case .list: "[]interface {}"
        case .map(let map): map.takesAnyKey ? "map[interface {}]interface {}" : "map[string]interface {}"
        case .time: "time.Time"
        case .duration: "time.Duration"
        case .month: "time.Month"
        case .weekday: "time.Weekday"
        case .zone: "*time.Location"
        case .function(.sprigGroup): "map[string]interface {}"
        case .function: "func"
        }
    }
}

/// The elements of a list.
package struct ValueList: Sendable {
    package let elements: [ExpressionValue]
    package let depth: Int
    /// Whether it is the list that was never made: JSON `null`, and nothing to `??`; else like an empty one.
    package let isNil: Bool

    /// A list without elements that JSON writes as `null`.
    package static let none = ValueList(elements: [], depth: 1, isNil: true)

    private init(elements: [ExpressionValue], depth: Int, isNil: Bool) {
        self.elements = elements
        self.depth = depth
        self.isNil = isNil
    }

    /// - Parameter elements: neither lists nor maps.
    package init(flat elements: [ExpressionValue]) { self.init(elements: elements, depth: 1, isNil: false) }

    package init(_ elements: [ExpressionValue]) throws(Fault) {
        var deepest = 0
        for element in elements { deepest = max(deepest, element.depth) }
        if deepest >= ExpressionValue.maximumDepth {
            throw Fault("a value is nested deeper than \(ExpressionValue.maximumDepth) levels")
        }
        self.init(elements: elements, depth: deepest + 1, isNil: false)
    }
}

/// The members of a map, in the order in which they were made, each found quickly by its key.
package struct ValueMap: Sendable {
    package private(set) var keys: [ExpressionValue] = []
    package private(set) var values: [ExpressionValue] = []
    private var index: [MapKey: Int] = [:]
    package private(set) var depth = 1
    /// Whether keys need not be strings: such maps come of `groupBy` and `fromPairs`, and have no JSON.
    package let takesAnyKey: Bool

    package init() { takesAnyKey = false }

    package init(takesAnyKey: Bool) { self.takesAnyKey = takesAnyKey }

    package var count: Int { keys.count }

    package subscript(name: String) -> ExpressionValue? { MapKey(.string(name)).flatMap { index[$0] }.map { values[$0] } }

    package func value(of key: ExpressionValue) -> ExpressionValue? { MapKey(key).flatMap { index[$0] }.map { values[$0] } }

    /// - Parameter key: neither a list nor a map; else nothing is set, and the answer is false.
    @discardableResult
    package mutating func set(_ key: ExpressionValue, _ value: ExpressionValue) -> Bool {
        guard let mapKey = MapKey(key) else { return false }
        depth = max(depth, value.depth + 1)
        if let place = index[mapKey] {
            values[place] = value
        } else {
            index[mapKey] = keys.count
            keys.append(key)
            values.append(value)
        }
        return true
    }

    package mutating func remove(_ name: String) {
        var rest = ValueMap(takesAnyKey: takesAnyKey)
        for (key, value) in zip(keys, values) {
            if case .string(let text) = key, hasEqualBytes(text, name) { continue }
            rest.set(key, value)
        }
        self = rest
    }

    /// The places of the members in the order of their keys' texts.
    package var sortedPlaces: [Int] {
        let texts = keys.map { GoText.shown($0) }
        return keys.indices.sorted { texts[$0].utf8.lexicographicallyPrecedes(texts[$1].utf8) }
    }
}

/// A key of a map: equal only to one of the same type, texts by their bytes.
package enum MapKey: Hashable {
    case null
    case bool(Bool)
    case int(Int)
    case float(Double)
    case string(Text)
    case duration(Int64)
    case time(Int64, Int32)
    case calendar(Int)

    package struct Text: Hashable {
        package let text: String

        package init(text: String) { self.text = text }

        package static func == (left: Text, right: Text) -> Bool { hasEqualBytes(left.text, right.text) }
        package func hash(into hasher: inout Hasher) { text.hash(into: &hasher) }
    }

    /// Nil for what cannot be a key.
    package init?(_ value: ExpressionValue) {
        switch value {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .int(let number): self = .int(number)
        case .float(let number): self = .float(number)
        case .string(let text): self = .string(Text(text: text))
        case .duration(let duration): self = .duration(duration)
        case .time(let moment): self = .time(moment.seconds, moment.nanoseconds)
        case .month(let month): self = .calendar(month)
        case .weekday(let day): self = .calendar(-1 - day)
        case .bytes, .list, .map, .zone, .function: return nil
        }
    }
}

/// Whether both are the same bytes; `==` would take canonical equivalents for the same as well.
@inline(never)
package func hasEqualBytes(_ left: String, _ right: String) -> Bool { left == right && left.utf8.elementsEqual(right.utf8) }
