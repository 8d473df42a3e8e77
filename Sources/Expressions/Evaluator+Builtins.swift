import Encodings
import ExpressionValues
internal import SystemSupport

extension Evaluator {
    /// The result of one of the language's functions.
    func apply(_ builtin: Builtin, _ arguments: [Value]) throws(Fault) -> Value {
        let call = Arguments(name: builtin.rawValue, values: arguments)
        switch builtin {
        case .len, .type, .abs, .ceil, .floor, .round, .int, .float, .string: return try convert(builtin, arguments[0])
        case .trim, .trimPrefix, .trimSuffix, .upper, .lower, .split, .splitAfter, .replace, .repeat, .join, .indexOf,
            .lastIndexOf,
            .hasPrefix, .hasSuffix, .toBase64, .fromBase64, .fromJSON:
            return try applyToText(builtin, call)
        case .toJSON:
            let text = try arguments[0].jsonText(isIndented: true)
            try spend(on: text)
            return .string(text)
        case .max, .min: return try extreme(builtin, arguments)
        case .mean, .median: return try average(builtin, arguments)
        case .now, .duration, .date, .timezone: return try applyToTime(builtin, call)
        case .bitand, .bitor, .bitxor, .bitnand, .bitshl, .bitshr, .bitushr, .bitnot: return try bits(builtin, arguments)
        case .get: return try get(arguments[0], arguments[1])
        case .keys, .values, .toPairs, .fromPairs: return try applyToMap(builtin, arguments[0])
        default: return try applyToList(builtin, arguments)
        }
    }

    private func convert(_ builtin: Builtin, _ value: Value) throws(Fault) -> Value {
        switch builtin {
        case .len:
            switch value {
            case .list(let list): return .int(list.elements.count)
            case .map(let map): return .int(map.count)
            case .bytes(let bytes): return .int(bytes.count)
            case .string(let text):
                try spend(on: text)
                return .int(text.unicodeScalars.count)
            default: break
            }
        case .type: return .string(typeWord(value))
        case .int: return .int(try Conversions.int(value))
        case .float: return .float(try Conversions.float(value))
        case .string:
            let text = GoText.shown(value)
            try spend(on: text)
            return .string(text)
        case .abs:
            if case .int(let number) = value { return .int(number < 0 ? 0 &- number : number) }
            if case .float(let number) = value { return .float(number < 0 ? -number : number) }
        default:
            if case .int(let number) = value { return .float(Double(number)) }
            if case .float(let number) = value {
                let rule: FloatingPointRoundingRule =
                    builtin == .ceil ? .up : builtin == .floor ? .down : .toNearestOrAwayFromZero
                return .float(number.rounded(rule))
            }
        }
        throw Fault("invalid argument for \(builtin.rawValue) (type \(value.typeName))")
    }

    private func typeWord(_ value: Value) -> String {
        switch value {
        case .null: "nil"
        case .float: "float"
        case .bytes, .list: "array"
        case .map, .function(.sprigGroup): "map"
        case .zone: "time.Location"
        default: value.typeName
        }
    }

    private func applyToText(_ builtin: Builtin, _ call: Arguments) throws(Fault) -> Value {
        if builtin == .join { return try join(call) }
        let text = try call.text(0)
        try spend(on: text)
        switch builtin {
        case .trim:
            if call.count == 1 { return .string(Bytes.trim(text) { Characters.isSpace($0) }) }
            return .string(Bytes.trim(text, try call.text(1)))
        case .trimPrefix: return .string(Bytes.trimPrefix(text, call.count == 1 ? " " : try call.text(1)))
        case .trimSuffix: return .string(Bytes.trimSuffix(text, call.count == 1 ? " " : try call.text(1)))
        case .upper: return .string(Bytes.upper(text))
        case .lower: return .string(Bytes.lower(text))
        case .split, .splitAfter:
            let limit = call.count == 3 ? try call.integer(2) : -1
            guard let parts = Bytes.split(text, by: try call.text(1), limit: limit, keepsSeparator: builtin == .splitAfter)
            else {
                return .list(.none)
            }
            try spend(parts.count)
            return .strings(parts)
        case .replace:
            let limit = call.count == 4 ? try call.integer(3) : -1
            let (old, new) = (try call.text(1), try call.text(2))
            try checkGrowth(of: text, by: new)
            return .string(Bytes.replace(text, old, by: new, limit: limit))
        case .repeat: return .string(try repeated(text, try call.integer(1)))
        case .indexOf: return .int(Bytes.index(of: Array(try call.text(1).utf8), in: Array(text.utf8)[...]) ?? -1)
        case .lastIndexOf: return .int(Bytes.lastIndex(of: Array(try call.text(1).utf8), in: Array(text.utf8)) ?? -1)
        case .hasPrefix: return .bool(text.utf8.starts(with: try call.text(1).utf8))
        case .hasSuffix:
            let suffix = Array(try call.text(1).utf8)
            return .bool(text.utf8.count >= suffix.count && text.utf8.suffix(suffix.count).elementsEqual(suffix))
        case .toBase64: return .string(BaseText.encode64(Array(text.utf8)))
        case .fromBase64: return .string(Bytes.text(try Fault.decodingBase64(text)))
        default: return try Value.parsed(text)
        }
    }

    /// The most that replacing can make of a text counts as work, so that no text grows without bound.
    func checkGrowth(of text: String, by part: String) throws(Fault) {
        let (product, overflows) = (text.utf8.count + 1).multipliedReportingOverflow(by: part.utf8.count)
        try spend(overflows ? Int.max / 2 : product / 8)
    }

    func repeated(_ text: String, _ count: Int) throws(Fault) -> String {
        if count < 0 { throw Fault("invalid argument for repeat (expected positive integer, got \(count))") }
        if count > 1_000_000 { throw Fault("memory budget exceeded") }
        try grow(text.utf8.count.multipliedReportingOverflow(by: count).partialValue)
        return String(repeating: text, count: count)
    }

    private func join(_ call: Arguments) throws(Fault) -> Value {
        guard case .list(let list) = call.values[0] else {
            throw Fault("invalid argument for join (type \(call.values[0].typeName))")
        }
        let glue = call.count == 2 ? try call.text(1) : ""
        var output = ""
        for (place, element) in list.elements.enumerated() {
            guard case .string(let text) = element else {
                throw Fault("interface conversion: interface {} is \(element.typeName), not string")
            }
            try spend(1 + (text.utf8.count + glue.utf8.count) / 8)
            if place > 0 { output += glue }
            output += text
        }
        return .string(output)
    }

    // MARK: Numbers

    private func extreme(_ builtin: Builtin, _ arguments: [Value]) throws(Fault) -> Value {
        var best = Value.null
        func take(_ value: Value, isOnly: Bool) throws(Fault) {
            switch value {
            case .int, .float:
                if best.isNil {
                    best = value
                } else if builtin == .max
                    ? try isOrdered(best, value, .less) : try isOrdered(best, value, .more)
                {
                    best = value
                }
            case .list(let list): for element in list.elements { try take(element, isOnly: false) }
            default:
                if !isOnly { throw Fault("invalid argument for \(builtin.rawValue) (type \(value.typeName))") }
                best = value
            }
        }
        for value in arguments { try take(value, isOnly: arguments.count == 1) }
        return best
    }

    private func average(_ builtin: Builtin, _ arguments: [Value]) throws(Fault) -> Value {
        var numbers: [Double] = []
        func take(_ value: Value) throws(Fault) {
            try spend()
            switch value {
            case .int(let number): numbers.append(Double(number))
            case .float(let number): numbers.append(number)
            case .list(let list): for element in list.elements { try take(element) }
            default: throw Fault("invalid argument for \(builtin.rawValue) (type \(value.typeName))")
            }
        }
        for value in arguments { try take(value) }
        if numbers.isEmpty { return .float(0) }
        if builtin == .mean {
            var total = 0.0
            for number in numbers { total += number }
            return .float(total / Double(numbers.count))
        }
        // What is no number comes first.
        numbers.sort { $0 < $1 || $0.isNaN && !$1.isNaN }
        let middle = numbers.count / 2
        return .float(numbers.count % 2 == 1 ? numbers[middle] : (numbers[middle - 1] + numbers[middle]) / 2)
    }

    private func bits(_ builtin: Builtin, _ arguments: [Value]) throws(Fault) -> Value {
        var numbers: [Int] = []
        for value in arguments {
            guard case .int(let number) = value else {
                throw Fault("cannot use \(value.typeName) as argument (type int) to call \(builtin.rawValue)")
            }
            numbers.append(number)
        }
        let x = numbers[0]
        if builtin == .bitnot { return .int(~x) }
        let y = numbers[1]
        switch builtin {
        case .bitand: return .int(x & y)
        case .bitor: return .int(x | y)
        case .bitxor: return .int(x ^ y)
        case .bitnand: return .int(x & ~y)
        default: break
        }
        if y < 0 { throw Fault("invalid operation: negative shift count \(y) (type int)") }
        switch builtin {
        case .bitshl: return .int(x << y)
        case .bitshr: return .int(x >> y)
        default: return .int(Int(bitPattern: UInt(bitPattern: x) >> UInt(y)))
        }
    }

    // MARK: Times

    private func applyToTime(_ builtin: Builtin, _ call: Arguments) throws(Fault) -> Value {
        switch builtin {
        case .now:
            let now = Timestamp.now
            guard let first = call.values.first else {
                return .time(Moment(seconds: now.seconds, nanoseconds: now.nanoseconds))
            }
            guard case .zone(let zone) = first else { throw Fault("invalid number of arguments (expected 0, got 1)") }
            return .time(Moment(seconds: now.seconds, nanoseconds: now.nanoseconds, zone: zone))
        case .duration:
            let text = try call.text(0)
            guard let nanoseconds = GoDuration.nanoseconds(text) else {
                throw Fault("time: invalid duration \(GoText.quoted(text))")
            }
            return .duration(nanoseconds)
        case .timezone: return .zone(try Zone.named(try call.text(0)))
        default: return .time(try date(call))
        }
    }

    private func date(_ whole: Arguments) throws(Fault) -> Moment {
        var call = whole
        var zone = Zone.utc
        if case .zone(let given) = call.values[0] {
            zone = given
            call = Arguments(name: call.name, values: Array(call.values.dropFirst()))
        }
        let text = try call.text(0)
        if call.count > 3 { throw Fault("invalid number of arguments (expected at most 3, got \(call.count))") }
        if call.count > 1 {
            let layout = try call.text(1)
            if call.count == 3 { zone = try Zone.named(try call.text(2)) }
            guard let moment = GoLayout.read(text, layout, in: zone) else {
                throw Fault("parsing time \(GoText.quoted(text)) as \(GoText.quoted(layout)): the text does not fit")
            }
            return moment
        }
        for layout in GoLayout.dates {
            if let moment = GoLayout.read(text, layout, in: zone) { return moment }
        }
        throw Fault("invalid date \(text)")
    }

    // MARK: Lists and maps

    private func get(_ base: Value, _ key: Value) throws(Fault) -> Value {
        switch base {
        case .list, .string, .bytes:
            guard case .int = key else { break }
            return (try? fetch(key, from: base)) ?? .null
        case .map(let map): return map.value(of: key.isNil && !map.takesAnyKey ? .string("") : key) ?? .null
        case .function(.sprigGroup): return try fetch(key, from: base)
        default: return .null
        }
        return .null
    }

    private func applyToMap(_ builtin: Builtin, _ value: Value) throws(Fault) -> Value {
        if builtin == .fromPairs { return try fromPairs(value) }
        guard case .map(let map) = value else {
            if builtin == .toPairs { throw Fault("cannot transform \(value.typeName) to pairs") }
            throw Fault("cannot get \(builtin.rawValue) from \(value.typeName)")
        }
        switch builtin {
        case .keys: return try list(map.keys)
        case .values: return try list(map.values)
        default:
            var pairs: [Value] = []
            for (key, value) in zip(map.keys, map.values) { pairs.append(try list([key, value])) }
            return try list(pairs)
        }
    }

    private func fromPairs(_ value: Value) throws(Fault) -> Value {
        guard case .list(let pairs) = value else { throw Fault("cannot transform \(value.typeName) from pairs") }
        var map = ValueMap(takesAnyKey: true)
        for pair in pairs.elements {
            guard case .list(let parts) = pair else { throw Fault("invalid pair \(GoText.shown(pair))") }
            guard parts.elements.count == 2 else { throw Fault("invalid pair length \(GoText.shown(pair))") }
            guard map.set(parts.elements[0], parts.elements[1]) else {
                throw Fault("runtime error: hash of unhashable type \(parts.elements[0].typeName)")
            }
        }
        try grow(pairs.elements.count)
        return try checked(map)
    }

    private func applyToList(_ builtin: Builtin, _ arguments: [Value]) throws(Fault) -> Value {
        guard case .list(let first) = arguments[0] else {
            switch builtin {
            case .first, .last: return (try? fetch(.int(builtin == .first ? 0 : -1), from: arguments[0])) ?? .null
            case .take: throw Fault("cannot take from \(arguments[0].typeName)")
            case .sort: return try list([])
            default: throw Fault("cannot \(builtin.rawValue) \(arguments[0].typeName)")
            }
        }
        switch builtin {
        case .first: return first.elements.first ?? .null
        case .last: return first.elements.last ?? .null
        case .take:
            guard case .int(let count) = arguments[1] else { throw Fault("cannot take \(arguments[1].typeName) elements") }
            if count < 0 { throw Fault("reflect.Value.Slice: slice index out of bounds") }
            return try slice(arguments[0], from: nil, to: .int(count))
        case .reverse: return try list(first.elements.reversed())
        case .uniq: return try unique(first.elements)
        case .concat:
            var output: [Value] = []
            for value in arguments {
                guard case .list(let part) = value else { throw Fault("cannot concat \(value.typeName)") }
                output += part.elements
                try spend(part.elements.count)
            }
            return output.isEmpty ? .list(.none) : try list(output)
        case .flatten:
            var output: [Value] = []
            try flatten(first, into: &output)
            return try list(output)
        default:
            let isDescending = try isDescending(arguments.count == 2 ? arguments[1] : nil)
            return try list(try order(first.elements, isDescending: isDescending).map { first.elements[$0] })
        }
    }

    private func flatten(_ list: ValueList, into output: inout [Value]) throws(Fault) {
        for element in list.elements {
            try spend()
            if case .list(let inner) = element { try flatten(inner, into: &output) } else { output.append(element) }
        }
    }

    /// Without what is equal to one before; texts are found by their bytes, all else is compared.
    func unique(_ elements: [Value]) throws(Fault) -> Value {
        var output: [Value] = []
        var texts: Set<MapKey.Text> = []
        var others: [Value] = []
        next: for element in elements {
            try spend()
            if case .string(let text) = element {
                if texts.insert(MapKey.Text(text: text)).inserted { output.append(element) }
                continue
            }
            for other in others where try isEqual(element, other) { continue next }
            others.append(element)
            output.append(element)
        }
        return try list(output)
    }
}

/// The arguments of a call.
struct Arguments {
    let name: String
    let values: [ExpressionValue]

    var count: Int { values.count }

    func text(_ place: Int) throws(Fault) -> String {
        guard case .string(let text) = values[place] else { throw fault(place, "string") }
        return text
    }

    func integer(_ place: Int) throws(Fault) -> Int {
        switch values[place] {
        case .int(let number): return number
        case .float(let number): return Conversions.truncated(number)
        default: throw fault(place, "int")
        }
    }

    func fault(_ place: Int, _ type: String) -> Fault {
        let value = values[place]
        let given = value.isNil ? "nil" : value.typeName
        return Fault("cannot use \(given) as argument (type \(type)) to call \(name)")
    }
}
