/// An amount of a resource as Kubernetes writes it, such as `500m`, `64Mi` or `1e3`: exact, in thousandths.
struct Quantity: Sendable, Equatable {
    /// Thousandths; smaller parts are rounded up.
    let thousandths: Int128

    /// Nil for what is no quantity, or a larger one than can be counted.
    init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        var digits: Int128 = 0
        var fraction: Int?
        var count = 0
        while let byte = rest.first, (0x30...0x39).contains(byte) || byte == UInt8(ascii: ".") && fraction == nil {
            rest.removeFirst()
            if byte == UInt8(ascii: ".") {
                fraction = 0
                continue
            }
            count += 1
            guard count <= 24 else { return nil }
            digits = digits * 10 + Int128(byte - 0x30)
            fraction = fraction.map { $0 + 1 }
        }
        guard count > 0, let scale = Self.scale(String(decoding: rest, as: UTF8.self)) else { return nil }
        let (scaled, overflow) = digits.multipliedReportingOverflow(by: scale.factor)
        guard !overflow else { return nil }
        let shift = scale.decimals - (fraction ?? 0)
        guard let value = Self.shift(scaled, shift) else { return nil }
        thousandths = isNegative ? -value : value
    }

    init(thousandths: Int128) { self.thousandths = thousandths }

    /// How often the divisor fits, rounded up.
    func divided(by divisor: Quantity) -> Int128? {
        guard divisor.thousandths > 0 else { return nil }
        let (quotient, remainder) = thousandths.quotientAndRemainder(dividingBy: divisor.thousandths)
        return remainder > 0 ? quotient + 1 : quotient
    }

    /// What a suffix means: a factor, and how far the thousandths' point is to be moved to the right.
    private static func scale(_ suffix: String) -> (factor: Int128, decimals: Int)? {
        switch suffix {
        case "": return (1, 3)
        case "n": return (1, -6)
        case "u": return (1, -3)
        case "m": return (1, 0)
        case "k": return (1, 6)
        case "M": return (1, 9)
        case "G": return (1, 12)
        case "T": return (1, 15)
        case "P": return (1, 18)
        case "E": return (1, 21)
        case "Ki": return (1 << 10, 3)
        case "Mi": return (1 << 20, 3)
        case "Gi": return (1 << 30, 3)
        case "Ti": return (1 << 40, 3)
        case "Pi": return (1 << 50, 3)
        case "Ei": return (1 << 60, 3)
        default:
            guard suffix.hasPrefix("e") || suffix.hasPrefix("E"), let exponent = Int(suffix.dropFirst()),
                (-30...30).contains(exponent)
            else { return nil }
            return (1, 3 + exponent)
        }
    }

    /// A value times a power of ten, rounded up.
    private static func shift(_ value: Int128, _ decimals: Int) -> Int128? {
        var value = value
        for _ in 0..<abs(decimals) {
            if decimals > 0 {
                let (product, overflow) = value.multipliedReportingOverflow(by: 10)
                if overflow { return nil }
                value = product
            } else {
                value = (value + 9) / 10
            }
        }
        return value
    }
}
