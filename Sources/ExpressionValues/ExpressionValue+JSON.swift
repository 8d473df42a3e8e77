package import Documents
internal import Encodings
internal import SystemSupport

extension ExpressionValue {
    /// The value that a JSON document stands for: every number is a 64-bit float, as the reference reads them.
    package init(_ json: JSONValue) {
        switch json {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .number(let number): self = .float(Double(number.text) ?? 0)
        case .string(let text): self = .string(text)
        case .array(let elements):
            // A document is no deeper than a value may be.
            self = (try? ValueList(elements.map { ExpressionValue($0) })).map { .list($0) } ?? .null
        case .object(let object):
            var map = ValueMap()
            for member in object.members { map.set(.string(member.name), ExpressionValue(member.value)) }
            self = .map(map)
        }
    }

    /// The value as a document: times in RFC 3339, durations in nanoseconds, bytes in Base64.
    ///
    /// - Throws: for functions, for numbers that are none (NaN, infinities), and for maps of `groupBy` and `fromPairs`.
    package func json() throws(ExpressionError) -> JSONValue {
        do throws(Fault) {
            return try document()
        } catch {
            throw ExpressionError(reason: error.reason, position: nil)
        }
    }

    package func document() throws(Fault) -> JSONValue {
        switch self {
        case .null: return .null
        case .bool(let flag): return .bool(flag)
        case .int(let number): return .integer(number)
        case .float(let number):
            guard let text = JSONNumber(number) else { throw Fault("json: unsupported value: \(GoText.float(number))") }
            return .number(text)
        case .string(let text): return .string(text)
        case .bytes(let bytes): return .string(BaseText.encode64(bytes))
        case .list(let list):
            if list.isNil { return .null }
            var elements: [JSONValue] = []
            elements.reserveCapacity(list.elements.count)
            for element in list.elements { elements.append(try element.document()) }
            return .array(elements)
        case .map(let map):
            if map.takesAnyKey { throw Fault("json: unsupported type: \(typeName)") }
            var object = JSONObject()
            for (key, value) in zip(map.keys, map.values) { object[GoText.shown(key)] = try value.document() }
            return .object(object)
        case .time(let moment): return .string(GoLayout.format(moment, GoLayout.rfc3339Nano))
        case .duration(let nanoseconds): return .integer(Int(nanoseconds))
        case .month(let number), .weekday(let number): return .integer(number)
        case .zone: return .object([:])
        case .function: throw Fault("json: unsupported type: \(typeName)")
        }
    }

    /// JSON as the reference's encoder writes it, members sorted; indented by two spaces a level where asked for.
    package func jsonText(isIndented: Bool = false, escapesHTML: Bool = true) throws(Fault) -> String {
        let compact = try document().serialized(sortedKeys: true)
        var output: [UInt8] = []
        output.reserveCapacity(compact.count)
        var level = 0
        var isInString = false
        var index = 0
        func breakLine() {
            output.append(0x0A)
            for _ in 0..<level { output += [0x20, 0x20] }
        }
        while index < compact.count {
            let byte = compact[index]
            if isInString {
                if byte == UInt8(ascii: "\\") {
                    let rest = compact[index...]
                    if !escapesHTML, let plain = Self.htmlEscapes.first(where: { rest.starts(with: $0.0.utf8) }) {
                        output.append(plain.1)
                        index += 6
                        continue
                    }
                    output += [byte, compact[index + 1]]
                    index += 2
                    continue
                }
                isInString = byte != UInt8(ascii: "\"")
                output.append(byte)
                index += 1
                continue
            }
            switch byte {
            case UInt8(ascii: "\""):
                isInString = true
                output.append(byte)
            case UInt8(ascii: "{") where isIndented, UInt8(ascii: "[") where isIndented:
                output.append(byte)
                if compact[index + 1] == byte + 2 {
                    index += 1
                    output.append(byte + 2)
                } else {
                    level += 1
                    breakLine()
                }
            case UInt8(ascii: "}") where isIndented, UInt8(ascii: "]") where isIndented:
                level -= 1
                breakLine()
                output.append(byte)
            case UInt8(ascii: ",") where isIndented:
                output.append(byte)
                breakLine()
            case UInt8(ascii: ":") where isIndented: output += [byte, 0x20]
            default: output.append(byte)
            }
            index += 1
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static let htmlEscapes: [(String, UInt8)] = [
        ("\\u003c", UInt8(ascii: "<")), ("\\u003e", UInt8(ascii: ">")), ("\\u0026", UInt8(ascii: "&")),
    ]

    package static func parsed(_ text: String) throws(Fault) -> ExpressionValue {
        do throws(JSONError) {
            return ExpressionValue(try JSONValue(parsing: text))
        } catch {
            throw Fault("\(error.reason) (JSON, line \(error.line), column \(error.column))")
        }
    }
}
