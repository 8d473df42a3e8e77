/// Durations in Go's notation, e.g. `300ms`, `1.5s`, `1h2m` (time.ParseDuration).
package enum GoDuration {
    /// Nanoseconds, or nil where Go's parser would refuse the text or the value overflows.
    package static func nanoseconds(_ text: String) -> Int64? {
        var rest = Array(text.utf8)[...]
        var negative = false
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            negative = sign == UInt8(ascii: "-")
            rest.removeFirst()
        }
        if rest.elementsEqual([UInt8(ascii: "0")]) { return 0 }
        if rest.isEmpty { return nil }
        var total = 0.0
        while !rest.isEmpty {
            let number = rest.prefix { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
            let digits = number.filter { $0 != UInt8(ascii: ".") }
            guard !digits.isEmpty, number.count - digits.count <= 1 else { return nil }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { !((0x30...0x39).contains($0) || $0 == UInt8(ascii: ".")) }
            guard let scale = units[String(decoding: unit, as: UTF8.self)], let value = decimal(number) else { return nil }
            rest = rest.dropFirst(unit.count)
            total += value * scale
            if total > 9.2e18 { return nil }
        }
        return Int64(negative ? -total : total)
    }

    private static let units: [String: Double] = [
        "ns": 1, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9,
    ]

    private static func decimal(_ digits: ArraySlice<UInt8>) -> Double? {
        var text = String(decoding: digits, as: UTF8.self)
        if text.hasPrefix(".") { text = "0" + text }
        if text.hasSuffix(".") { text += "0" }
        return Double(text)
    }
}
