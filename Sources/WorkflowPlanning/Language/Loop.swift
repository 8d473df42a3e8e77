package import Documents
import SystemSupport

/// The items of a loop, and what each is called.
package enum Loop {
    package static func isLoop(_ call: JSONValue) -> Bool {
        !(call["withItems"]?.array ?? []).isEmpty || !(call["withParam"]?.string ?? "").isEmpty
            || call["withSequence"].map { !$0.isNull } ?? false
    }

    /// The items of a step or task whose tags have been replaced.
    package static func items(of call: JSONValue) throws(StepError) -> [JSONValue] {
        if let items = call["withItems"]?.array, !items.isEmpty { return items }
        if let text = call["withParam"]?.string, !text.isEmpty {
            let reason: String
            do throws(JSONError) {
                let value = try JSONValue(parsing: text)
                if let items = value.array { return items }
                if value.isNull { return [] }
                reason = "it is \(value.kindName)"
            } catch { reason = error.reason }
            throw .text("withParam value could not be parsed as a JSON list: \(text.trimmed): \(reason)")
        }
        return try sequence(call["withSequence"] ?? .null)
    }

    private static func sequence(_ sequence: JSONValue) throws(StepError) -> [JSONValue] {
        func number(_ name: String) throws(StepError) -> Int? {
            guard let value = sequence[name], !value.isNull else { return nil }
            let text = value.string ?? value.serializedText()
            guard let number = Int(text) else { throw .text("withSequence.\(name): '\(text)' is no integer") }
            return number
        }
        let start = try number("start") ?? 0
        let last: Int
        if let end = try number("end") {
            last = end
        } else if let count = try number("count") {
            if count == 0 { return [] }
            let (offset, isTooSmall) = count.subtractingReportingOverflow(1)
            let (end, overflow) = start.addingReportingOverflow(offset)
            if overflow || isTooSmall { throw .text("withSequence: the last number is too large") }
            last = end
        } else {
            throw .text("neither end nor count was specified in withSequence")
        }
        let (distance, isTooFar) = last.subtractingReportingOverflow(start)
        guard !isTooFar, distance.magnitude < 10_000_000 else {
            throw .text("withSequence: more than 10000000 items")
        }
        let format = sequence["format"]?.string ?? ""
        let numbers = stride(from: start, through: last, by: start <= last ? 1 : -1)
        return numbers.map { .string(format.isEmpty ? String($0) : GoFormat.text(format, $0)) }
    }

    /// What tags stand for in the call for an item, by their names.
    package static func variables(of item: JSONValue) -> [String: String] {
        guard case .object(let members) = item else { return ["item": text(item)] }
        var variables: [String: String] = ["item": item.serializedText(sortedKeys: true)]
        for member in members.members { variables["item.\(member.name)"] = text(member.value) }
        return variables
    }

    private static func text(_ value: JSONValue) -> String { value.string ?? value.serializedText() }

    /// The name of the call for an item.
    package static func name(_ name: String, _ index: Int, _ item: JSONValue) -> String {
        let description: String
        switch item {
        case .object(let object):
            description = object.members.map { "\($0.name):\(quoted($0.value))" }
                .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.joined(separator: ",")
        case .array(let elements): description = "[" + elements.map(quoted).joined(separator: " ") + "]"
        case .null: description = "[]"
        default: description = quoted(item)
        }
        return "\(name)(\(index):\(description.filter { $0 != "(" && $0 != ")" }))"
    }

    /// As JSON, a text without its quotes.
    private static func quoted(_ value: JSONValue) -> String {
        let text = value.serializedText()
        return value.string == nil ? text : String(text.dropFirst().dropLast())
    }
}

/// Go's notation for putting an integer into a text.
package enum GoFormat {
    package static func text(_ format: String, _ number: Int) -> String {
        var result: [UInt8] = []
        var rest = Array(format.utf8)[...]
        var isUsed = false
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            if rest.first == UInt8(ascii: "%") {
                rest.removeFirst()
                result.append(byte)
                continue
            }
            let flags = rest.prefix { Array("+-# 0".utf8).contains($0) }
            rest = rest.dropFirst(flags.count)
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            rest = rest.dropFirst(digits.count)
            guard let verb = rest.popFirst() else {
                result += Array("%!(NOVERB)".utf8)
                break
            }
            let width = Int(String(decoding: digits, as: UTF8.self)) ?? 0
            result += Array(
                (isUsed ? "%!\(Character(UnicodeScalar(verb)))(BADINDEX)" : directive(verb, flags, min(width, 1000), number))
                    .utf8)
            isUsed = true
        }
        if !isUsed { result += Array("%!(EXTRA int=\(number))".utf8) }
        return String(decoding: result, as: UTF8.self)
    }

    private static func directive(_ verb: UInt8, _ flags: ArraySlice<UInt8>, _ width: Int, _ number: Int) -> String {
        let magnitude = number.magnitude
        let digits: String
        switch verb {
        case UInt8(ascii: "d"), UInt8(ascii: "v"): digits = String(magnitude)
        case UInt8(ascii: "x"): digits = String(magnitude, radix: 16)
        case UInt8(ascii: "X"): digits = String(magnitude, radix: 16, uppercase: true)
        case UInt8(ascii: "o"): digits = String(magnitude, radix: 8)
        case UInt8(ascii: "b"): digits = String(magnitude, radix: 2)
        default: return "%!\(Character(UnicodeScalar(verb)))(int=\(number))"
        }
        let sign = number < 0 ? "-" : flags.contains(UInt8(ascii: "+")) ? "+" : flags.contains(UInt8(ascii: " ")) ? " " : ""
        let missing = max(0, width - sign.count - digits.count)
        if flags.contains(UInt8(ascii: "-")) { return sign + digits + String(repeating: " ", count: missing) }
        if flags.contains(UInt8(ascii: "0")) { return sign + String(repeating: "0", count: missing) + digits }
        return String(repeating: " ", count: missing) + sign + digits
    }
}
