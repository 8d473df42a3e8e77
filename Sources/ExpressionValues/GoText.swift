internal import Documents
internal import SystemSupport

/// Texts of values as the reference's language prints them.
package enum GoText {
    /// As `%v` prints a value.
    package static func shown(_ value: ExpressionValue) -> String {
        switch value {
        case .null: return "<nil>"
        case .bool(let flag): return flag ? "true" : "false"
        case .int(let number): return String(number)
        case .float(let number): return float(number)
        case .string(let text): return text
        case .bytes(let bytes): return "[" + joined(bytes.map { String($0) }, by: " ") + "]"
        case .list(let list): return "[" + joined(list.elements.map { shown($0) }, by: " ") + "]"
        case .map(let map):
            let members = map.sortedPlaces.map { "\(shown(map.keys[$0])):\(shown(map.values[$0]))" }
            return "map[" + joined(members, by: " ") + "]"
        case .time(let moment): return GoLayout.format(moment, "2006-01-02 15:04:05.999999999 -0700 MST")
        case .duration(let nanoseconds): return duration(nanoseconds)
        case .month(let month):
            let names = GoLayout.months
            return names.indices.contains(month - 1) ? names[month - 1] : "%!Month(\(month))"
        case .weekday(let day): return GoLayout.days[((day % 7) + 7) % 7]
        case .zone(let zone): return zone.name
        case .function(.sprigGroup): return "map[]"
        case .function: return "func"
        }
    }

    package static func joined(_ parts: [String], by separator: String) -> String {
        var text = ""
        for (place, part) in parts.enumerated() {
            if place > 0 { text += separator }
            text += part
        }
        return text
    }

    /// The fewest digits that read back as the same number, with an exponent below 1e-4 and from 1e6 on.
    package static func float(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        let magnitude = value.magnitude
        if magnitude == 0 || magnitude >= 1e-4 && magnitude < 1e6 { return DecimalText.plain(value) }
        let plain = Array(DecimalText.plain(magnitude).utf8)
        let point = plain.firstIndex(of: UInt8(ascii: ".")) ?? plain.count
        let digits = plain.filter { $0 != UInt8(ascii: ".") }
        let zeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
        var significant = digits[zeros...]
        while significant.count > 1, significant.last == UInt8(ascii: "0") { significant.removeLast() }
        let exponent = point - zeros - 1
        var text = (value < 0 ? "-" : "") + String(decoding: significant.prefix(1), as: UTF8.self)
        if significant.count > 1 { text += "." + String(decoding: significant.dropFirst(), as: UTF8.self) }
        return text + (exponent < 0 ? "e-" : "e+") + pad(abs(exponent), 2)
    }

    /// As `strconv.ParseFloat` reads it; nil for what it refuses.
    package static func double(_ text: String) -> Double? {
        let bytes = Array(text.utf8)
        var digits = bytes[...]
        if let sign = digits.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { digits = digits.dropFirst() }
        guard let first = digits.first else { return nil }
        if !(0x30...0x39).contains(first), first != UInt8(ascii: ".") {
            // Words: inf, infinity, nan in any case.
            switch String(decoding: digits, as: UTF8.self).lowercased() {
            case "inf", "infinity": return bytes[0] == UInt8(ascii: "-") ? -.infinity : .infinity
            case "nan": return digits.count == bytes.count ? .nan : nil
            default: return nil
            }
        }
        var plain = String(decoding: digits, as: UTF8.self)
        let isHexadecimal = plain.utf8.starts(with: "0x".utf8) || plain.utf8.starts(with: "0X".utf8)
        if isHexadecimal, !plain.utf8.contains(where: { $0 | 0x20 == UInt8(ascii: "p") }) { return nil }
        if !isHexadecimal {
            for byte in digits where !((0x30...0x39).contains(byte) || ".eE+-".utf8.contains(byte)) { return nil }
            if first == UInt8(ascii: ".") { plain = "0" + plain }
            // The standard library wants a digit behind the point.
            if let point = plain.utf8.firstIndex(of: UInt8(ascii: ".")) {
                let next = plain.utf8.index(after: point)
                if next == plain.utf8.endIndex || !(0x30...0x39).contains(plain.utf8[next]) {
                    if first == UInt8(ascii: ".") { return nil }
                    plain.insert("0", at: next)
                }
            }
        }
        guard let value = Double(plain), !value.isInfinite else { return nil }
        return bytes[0] == UInt8(ascii: "-") ? -value : value
    }

    /// As `time.Duration` prints itself: `1h2m3.5s`, `1.5ms`, `0s`.
    package static func duration(_ nanoseconds: Int64) -> String {
        if nanoseconds == 0 { return "0s" }
        let magnitude = nanoseconds.magnitude
        let sign = nanoseconds < 0 ? "-" : ""
        func fraction(_ value: UInt64, _ digits: Int) -> String {
            var divisor: UInt64 = 1
            for _ in 0..<digits { divisor *= 10 }
            let text = pad(Int(value % divisor), digits)
            let kept = text.utf8.count - text.utf8.reversed().prefix { $0 == UInt8(ascii: "0") }.count
            return "\(value / divisor)" + (kept > 0 ? "." + text.prefix(kept) : "")
        }
        if magnitude < 1000 { return "\(sign)\(magnitude)ns" }
        if magnitude < 1_000_000 { return sign + fraction(magnitude, 3) + "µs" }
        if magnitude < 1_000_000_000 { return sign + fraction(magnitude, 6) + "ms" }
        let minutes = magnitude / 60_000_000_000
        var text = fraction(magnitude % 60_000_000_000, 9) + "s"
        if minutes > 0 { text = "\(minutes % 60)m" + text }
        if minutes >= 60 { text = "\(minutes / 60)h" + text }
        return sign + text
    }

    /// In double quotes, with escapes, as `%q` and `strconv.Quote` give it.
    package static func quoted(_ text: String) -> String {
        var output = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\t": output += "\\t"
            case "\r": output += "\\r"
            case "\u{07}": output += "\\a"
            case "\u{08}": output += "\\b"
            case "\u{0C}": output += "\\f"
            case "\u{0B}": output += "\\v"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: output += "\\x" + hexadecimal(scalar.value, 2)
            case _ where !isPrintable(scalar):
                output += scalar.value < 0x10000 ? "\\u" + hexadecimal(scalar.value, 4) : "\\U" + hexadecimal(scalar.value, 8)
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output + "\""
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return true }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .spaceSeparator:
            return false
        default: return true
        }
    }

    package static func hexadecimal(_ value: UInt32, _ width: Int, uppercase: Bool = false) -> String {
        let digits = String(value, radix: 16, uppercase: uppercase)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// As `%#U` names a character: `U+0040 '@'`.
    package static func named(_ scalar: Unicode.Scalar) -> String {
        let code = "U+" + hexadecimal(scalar.value, 4, uppercase: true)
        return scalar.value >= 0x20 && scalar.value != 0x7F && isPrintable(scalar) ? "\(code) '\(scalar)'" : code
    }
}
