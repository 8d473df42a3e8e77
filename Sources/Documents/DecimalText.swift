/// Decimal texts of 64-bit floats: the fewest digits that read back as the same value, laid out as Go does.
package enum DecimalText {
    /// Without an exponent, however long that gets, and without a fraction of zero (Go's `strconv.FormatFloat(v, 'f', -1, 64)`).
    ///
    /// - Parameter value: finite.
    package static func plain(_ value: Double) -> String {
        let (digits, point) = shortest(value.magnitude)
        var text: [UInt8] = value.sign == .minus ? [UInt8(ascii: "-")] : []
        if point <= 0 {
            text += [UInt8(ascii: "0"), UInt8(ascii: ".")]
            text += repeatElement(UInt8(ascii: "0"), count: -point)
            text += digits
            if digits == [UInt8(ascii: "0")] { return value.sign == .minus ? "-0" : "0" }
        } else if point >= digits.count {
            text += digits
            text += repeatElement(UInt8(ascii: "0"), count: point - digits.count)
        } else {
            text += digits[..<point]
            text.append(UInt8(ascii: "."))
            text += digits[point...]
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// As Go's JSON encoder: plain from 1e-6 up to but not including 1e21, else with an exponent (`1e-7`, `1.5e+21`).
    ///
    /// - Parameter value: finite.
    package static func json(_ value: Double) -> String {
        let magnitude = value.magnitude
        if magnitude == 0 || magnitude >= 1e-6 && magnitude < 1e21 { return plain(value) }
        let (digits, point) = shortest(magnitude)
        var text: [UInt8] = value.sign == .minus ? [UInt8(ascii: "-")] : []
        text.append(digits[0])
        if digits.count > 1 {
            text.append(UInt8(ascii: "."))
            text += digits[1...]
        }
        let exponent = point - 1
        text += "e\(exponent < 0 ? "-" : "+")\(exponent.magnitude)".utf8
        return String(decoding: text, as: UTF8.self)
    }

    /// The significant digits and where the point stands among them: 12.5 is `125` and 2, 0.05 is `5` and -1, 0 is `0` and 0.
    private static func shortest(_ magnitude: Double) -> (digits: [UInt8], point: Int) {
        // The standard library prints `d.d`, `d.de±xx` or `de±xx`, with the shortest digits that read back exactly.
        let text = magnitude.description.utf8
        var digits: [UInt8] = []
        var point: Int?
        var exponent = 0
        for (offset, byte) in text.enumerated() {
            if byte == UInt8(ascii: ".") {
                point = digits.count
            } else if byte == UInt8(ascii: "e") {
                exponent = Int(String(decoding: text.dropFirst(offset + 1), as: UTF8.self)) ?? 0
                break
            } else {
                digits.append(byte)
            }
        }
        var position = (point ?? digits.count) + exponent
        let zeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
        digits.removeFirst(zeros)
        position -= zeros
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return digits.isEmpty ? ([UInt8(ascii: "0")], 0) : (digits, position)
    }
}
