import Encodings
import ExpressionValues
internal import SystemSupport

/// Calls of sprig's functions.
enum Sprig {
    typealias Value = ExpressionValue

    /// Functions of the reference that are not here: cryptography, random identifiers, the network and the environment.
    static let refused: Set<String> = [
        "sha1sum", "sha256sum", "sha512sum", "adler32sum", "getHostByName", "bcrypt", "htpasswd", "genPrivateKey",
        "derivePassword",
        "buildCustomCert", "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert",
        "genSignedCertWithKey", "encryptAES", "decryptAES", "randBytes", "uuidv4", "env", "expandenv",
    ]

    static func call(_ function: SprigFunction, _ arguments: [Value], _ evaluator: Evaluator) throws(Fault) -> Value {
        let call = SprigCall(
            function: function, values: try checked(function, arguments), evaluator: evaluator)
        for value in call.values { if case .string(let text) = value { try evaluator.spend(on: text) } }
        if let result = try call.dates() { return result }
        if let result = try call.texts() { return result }
        if let result = try call.casesAndWords() { return result }
        if let result = try call.numbers() { return result }
        if let result = try call.defaults() { return result }
        if let result = try call.types() { return result }
        if let result = try call.lists() { return result }
        if let result = try call.maps() { return result }
        if let result = try call.patterns() { return result }
        if let result = try call.others() { return result }
        throw Fault("sprig.\(function.rawValue) is not supported")
    }

    /// The arguments, nil made the zero value of a type that has no nil.
    private static func checked(_ function: SprigFunction, _ arguments: [Value]) throws(Fault) -> [Value] {
        let types = Array(function.signature.utf8)
        let isVariadic = types.last.map { (0x41...0x5A).contains($0) } ?? false
        let least = isVariadic ? types.count - 1 : types.count
        guard arguments.count >= least, isVariadic || arguments.count == least else {
            let expected = isVariadic ? "at least \(least)" : "\(least)"
            throw Fault("invalid number of arguments: expected \(expected), got \(arguments.count)")
        }
        var values: [Value] = []
        for (place, value) in arguments.enumerated() {
            let type = (place < types.count ? types[place] : types[types.count - 1]) | 0x20
            guard let fitting = fitting(value, type) else {
                throw Fault(
                    "cannot use \(value.typeName) as argument (type \(name(of: type))) to call sprig.\(function.rawValue)")
            }
            values.append(fitting)
        }
        return values
    }

    private static func fitting(_ value: Value, _ type: UInt8) -> Value? {
        switch (type, value) {
        case (UInt8(ascii: "a"), _): value
        case (UInt8(ascii: "s"), .string), (UInt8(ascii: "i"), .int), (UInt8(ascii: "b"), .bool), (UInt8(ascii: "t"), .time):
            value
        case (UInt8(ascii: "m"), .map(let map)): map.takesAnyKey ? nil : value
        case (UInt8(ascii: "s"), .null): .string("")
        case (UInt8(ascii: "i"), .null): .int(0)
        case (UInt8(ascii: "b"), .null): .bool(false)
        case (UInt8(ascii: "t"), .null): .time(Moment(seconds: Timestamp.zero.seconds))
        case (UInt8(ascii: "m"), .null): .map(ValueMap())
        default: nil
        }
    }

    private static func name(of type: UInt8) -> String {
        switch type {
        case UInt8(ascii: "s"): "string"
        case UInt8(ascii: "i"): "int"
        case UInt8(ascii: "b"): "bool"
        case UInt8(ascii: "t"): "time.Time"
        default: "map[string]interface {}"
        }
    }
}

/// One call of a function, its arguments checked.
struct SprigCall {
    typealias Value = ExpressionValue

    let function: SprigFunction
    let values: [Value]
    let evaluator: Evaluator

    var count: Int { values.count }

    @inline(never)
    func text(_ place: Int) -> String { if case .string(let text) = values[place] { text } else { "" } }
    @inline(never)
    func integer(_ place: Int) -> Int { if case .int(let number) = values[place] { number } else { 0 } }
    @inline(never)
    func map(_ place: Int) -> ValueMap { if case .map(let map) = values[place] { map } else { ValueMap() } }
    var rest: ArraySlice<Value> { values.dropFirst() }

    /// The elements of an argument that has to be a list.
    func list(_ place: Int, _ what: String) throws(Fault) -> [Value] {
        switch values[place] {
        case .list(let list): return list.elements
        case .bytes(let bytes): return bytes.map { .int(Int($0)) }
        default: throw Fault("Cannot \(what) on type \(kind(values[place]))")
        }
    }

    /// Any value as a text.
    func shown(_ value: Value) -> String {
        if case .bytes(let bytes) = value { return Bytes.text(bytes) }
        return GoText.shown(value)
    }

    func texts(of value: Value) -> [String] {
        switch value {
        case .list(let list): list.elements.compactMap { if case .null = $0 { nil } else { shown($0) } }
        case .null: []
        default: [shown(value)]
        }
    }

    func isEmpty(_ value: Value) -> Bool {
        switch value {
        case .null: true
        case .bool(let flag): !flag
        case .int(let number), .month(let number), .weekday(let number): number == 0
        case .float(let number): number == 0
        case .duration(let nanoseconds): nanoseconds == 0
        case .string(let text): text.isEmpty
        case .bytes(let bytes): bytes.isEmpty
        case .list(let list): list.elements.isEmpty
        case .map(let map): map.count == 0
        case .time, .zone, .function: false
        }
    }

    func kind(_ value: Value) -> String {
        switch value {
        case .null: "invalid"
        case .bool: "bool"
        case .int, .month, .weekday: "int"
        case .duration: "int64"
        case .float: "float64"
        case .string: "string"
        case .bytes, .list: "slice"
        case .map, .function(.sprigGroup): "map"
        case .time: "struct"
        case .zone: "ptr"
        case .function: "func"
        }
    }

    /// A number of any value; what is none counts as 0.
    @inline(never)
    func whole(_ value: Value) -> Int {
        switch value {
        case .int(let number), .month(let number), .weekday(let number): return number
        case .duration(let nanoseconds): return Int(nanoseconds)
        case .float(let number): return Conversions.truncated(number)
        case .bool(let flag): return flag ? 1 : 0
        case .string(let text): return Self.whole(text)
        default: return 0
        }
    }

    /// A decimal, `0x`, `0o`, `0b` or `0` before octal digits; zeros behind a point do not count.
    private static func whole(_ text: String) -> Int {
        var digits = Array(text.utf8)[...]
        if let point = digits.firstIndex(of: UInt8(ascii: ".")), digits[(point + 1)...].allSatisfy({ $0 == 0x30 }),
            point + 1 < digits.endIndex
        {
            digits = digits[..<point]
        }
        var sign = ""
        if let first = digits.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            sign = String(UnicodeScalar(first))
            digits.removeFirst()
        }
        var radix = 10
        if digits.count > 1, digits.first == 0x30 {
            radix =
                [UInt8(ascii: "x"): 16, UInt8(ascii: "b"): 2, UInt8(ascii: "o"): 8][digits[digits.startIndex + 1] | 0x20] ?? 0
            digits = digits.dropFirst(radix == 0 ? 1 : 2)
            if radix == 0 { radix = 8 }
        }
        return Int(sign + String(decoding: digits, as: UTF8.self), radix: radix) ?? 0
    }

    @inline(never)
    func fraction(_ value: Value) -> Double {
        if case .float(let number) = value { return number }
        if case .string(let text) = value { return GoText.double(text) ?? 0 }
        return Double(whole(value))
    }

    // MARK: Dates

    private func moment(_ value: Value) -> Moment {
        switch value {
        case .time(let moment): return moment
        case .int(let seconds) where Moment.seconds.contains(Int64(seconds)): return Moment(seconds: Int64(seconds))
        default:
            let now = Timestamp.now
            return Moment(seconds: now.seconds, nanoseconds: now.nanoseconds)
        }
    }

    private func formatted(_ layout: String, _ value: Value, _ zone: String) -> Value {
        let zone = (zone == "Local" ? nil : try? Zone.named(zone)) ?? .utc
        return .string(GoLayout.format(moment(value).moved(to: zone), layout))
    }

    func dates() throws(Fault) -> Value? {
        switch function {
        case .now: return .time(moment(.null))
        case .date: return formatted(text(0), values[1], "Local")
        case .htmlDate: return formatted("2006-01-02", values[0], "Local")
        case .date_in_zone, .dateInZone: return formatted(text(0), values[1], text(2))
        case .htmlDateInZone: return formatted("2006-01-02", values[0], text(1))
        case .date_modify, .dateModify, .must_date_modify, .mustDateModify:
            guard let duration = GoDuration.nanoseconds(text(0)) else {
                if function == .date_modify || function == .dateModify { return values[1] }
                throw Fault("time: invalid duration \(GoText.quoted(text(0)))")
            }
            return .time(try moment(values[1]).adding(duration))
        case .ago:
            let passed = moment(.null).since(moment(values[0]))
            let second: Int64 = 1_000_000_000
            let rest = passed % second
            return .string(
                GoText.duration(
                    passed - rest
                        + (rest.magnitude < 500_000_000 || passed.magnitude > 1 << 62 ? 0 : passed < 0 ? -second : second)))
        case .duration:
            let seconds = if case .string(let text) = values[0] { Int64(text) ?? 0 } else { Int64(integer(0)) }
            return .string(GoText.duration(seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue))
        case .durationRound: return .string(roundedDuration())
        case .toDate, .mustToDate:
            if let moment = GoLayout.read(text(1), text(0)) { return .time(moment) }
            if function == .toDate { return .time(Moment(seconds: Timestamp.zero.seconds)) }
            throw Fault("parsing time \(GoText.quoted(text(1))) as \(GoText.quoted(text(0))): the text does not fit")
        case .unixEpoch: return .string(String(moment(values[0]).seconds))
        default: return nil
        }
    }

    /// The largest unit alone: `3d`, `2mo`.
    private func roundedDuration() -> String {
        let nanoseconds: Int64 =
            switch values[0] {
            case .string(let text): GoDuration.nanoseconds(text) ?? 0
            case .int(let number): Int64(number)
            case .time(let moment): self.moment(.null).since(moment)
            default: 0
            }
        let seconds = nanoseconds.magnitude
        for (unit, name) in [(31_536_000, "y"), (2_592_000, "mo"), (86400, "d"), (3600, "h"), (60, "m"), (1, "s")] {
            let unit = UInt64(unit) * 1_000_000_000
            if seconds > unit { return "\(seconds / unit)\(name)" }
        }
        return "0s"
    }

    // MARK: Types, defaults

    func defaults() throws(Fault) -> Value? {
        switch function {
        case .default: return rest.first.map { isEmpty($0) ? values[0] : $0 } ?? values[0]
        case .empty: return .bool(isEmpty(values[0]))
        case .coalesce: return values.first { !isEmpty($0) } ?? .null
        case .all: return .bool(!values.contains { isEmpty($0) })
        case .any: return .bool(values.contains { !isEmpty($0) })
        case .ternary: return if case .bool(true) = values[2] { values[0] } else { values[1] }
        case .deepCopy, .mustDeepCopy: return values[0]
        case .fromJson: return (try? Value.parsed(text(0))) ?? .null
        case .mustFromJson: return try Value.parsed(text(0))
        case .toJson, .toPrettyJson:
            return .string((try? values[0].jsonText(isIndented: function == .toPrettyJson)) ?? "")
        case .mustToJson, .mustToPrettyJson: return .string(try values[0].jsonText(isIndented: function == .mustToPrettyJson))
        case .toRawJson, .mustToRawJson: return .string(try values[0].jsonText(escapesHTML: false))
        case .fail: throw Fault(text(0))
        case .hello: return .string("Hello!")
        default: return nil
        }
    }

    func types() throws(Fault) -> Value? {
        switch function {
        case .typeOf: return .string(values[0].typeName)
        case .typeIs: return .bool(text(0) == values[1].typeName)
        case .typeIsLike: return .bool(text(0) == values[1].typeName || "*" + text(0) == values[1].typeName)
        case .kindOf: return .string(kind(values[0]))
        case .kindIs: return .bool(text(0) == kind(values[1]))
        case .deepEqual: return .bool(try evaluator.isIdentical(values[0], values[1]))
        default: return nil
        }
    }

    func others() throws(Fault) -> Value? {
        switch function {
        case .b64enc: return .string(BaseText.encode64(Array(text(0).utf8)))
        case .b32enc: return .string(BaseText.encode32(Array(text(0).utf8)))
        case .b64dec, .b32dec:
            do throws(Fault) {
                return .string(
                    Bytes.text(function == .b64dec ? try Fault.decodingBase64(text(0)) : try Fault.decodingBase32(text(0))))
            } catch {
                return .string(error.reason)
            }
        case .base, .osBase: return .string(SlashPath.base(text(0)))
        case .dir, .osDir: return .string(SlashPath.directory(text(0)))
        case .clean, .osClean: return .string(SlashPath.clean(text(0)))
        case .ext, .osExt: return .string(SlashPath.suffix(text(0)))
        case .isAbs, .osIsAbs: return .bool(text(0).utf8.first == UInt8(ascii: "/"))
        case .urlParse: return try urlParts()
        case .urlJoin: return .string(try joinedURL())
        case .semver: return try SemanticVersion(text(0)).value
        case .semverCompare: return .bool(try VersionRange(text(0)).contains(try SemanticVersion(text(1))))
        default: return nil
        }
    }
}
