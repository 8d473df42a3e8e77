internal import Documents
import ExpressionValues
internal import Glibc

extension SprigCall {
    func numbers() throws(Fault) -> Value? {
        switch function {
        case .atoi: return .int(Int(text(0)) ?? 0)
        case .int, .int64: return .int(whole(values[0]))
        case .float64: return .float(fraction(values[0]))
        case .toDecimal: return .int(Int(GoText.shown(values[0]), radix: 8) ?? 0)
        case .seq, .until, .untilStep: return try sequence()
        case .add1: return .int(whole(values[0]) &+ 1)
        case .add: return .int(values.reduce(0) { $0 &+ whole($1) })
        case .sub: return .int(whole(values[0]) &- whole(values[1]))
        case .mul: return .int(rest.reduce(whole(values[0])) { $0 &* whole($1) })
        case .div, .mod:
            let (a, b) = (whole(values[0]), whole(values[1]))
            if b == 0 { throw Fault("runtime error: integer divide by zero") }
            return .int(
                function == .div
                    ? a.dividedReportingOverflow(by: b).partialValue : a.remainderReportingOverflow(dividingBy: b).partialValue)
        case .max, .biggest: return .int(values.map { whole($0) }.max() ?? 0)
        case .min: return .int(values.map { whole($0) }.min() ?? 0)
        case .maxf: return .float(values.map { fraction($0) }.max() ?? 0)
        case .minf: return .float(values.map { fraction($0) }.min() ?? 0)
        case .ceil: return .float(fraction(values[0]).rounded(.up))
        case .floor: return .float(fraction(values[0]).rounded(.down))
        case .round: return .float(rounded())
        case .randInt:
            guard integer(0) < integer(1) else { throw Fault("invalid argument to Intn") }
            return .int(Int.random(in: integer(0)..<integer(1)))
        case .add1f, .addf, .subf, .mulf, .divf: return .float(try decimal())
        default: return nil
        }
    }

    private func rounded() -> Double {
        let threshold = count > 2 ? fraction(values[2]) : 0.5
        let power = pow(10, Double(integer(1)))
        let digits = power * fraction(values[0])
        let part = digits - digits.rounded(.towardZero)
        return (part >= threshold ? digits.rounded(.up) : digits.rounded(.down)) / power
    }

    private func sequence() throws(Fault) -> Value {
        let numbers = values.map { whole($0) }
        guard numbers.allSatisfy({ $0.magnitude < 1 << 40 }) else { throw Fault("memory budget exceeded") }
        switch function {
        case .until: return try list(from: 0, to: numbers[0], by: numbers[0] < 0 ? -1 : 1)
        case .untilStep: return try list(from: numbers[0], to: numbers[1], by: numbers[2])
        default: break
        }
        guard (1...3).contains(numbers.count) else { return .string("") }
        let start = numbers.count == 1 ? 1 : numbers[0]
        let end = numbers[numbers.count - 1]
        let direction = end < start ? -1 : 1
        let step = numbers.count == 3 ? numbers[1] : direction
        if numbers.count == 3, direction < 0, step > 0 { return .string("") }
        guard case .list(let list) = try list(from: start, to: end + direction, by: step) else { return .string("") }
        return .string(try joined(list.elements.map { GoText.shown($0) }, by: " "))
    }

    private func list(from start: Int, to end: Int, by step: Int) throws(Fault) -> Value {
        var elements: [Value] = []
        if end < start ? step < 0 : step > 0 {
            let count = ((end - start).magnitude + step.magnitude - 1) / step.magnitude
            try evaluator.grow(Int(count))
            for number in stride(from: start, to: end, by: step) { elements.append(.int(number)) }
        }
        return .list(ValueList(flat: elements))
    }

    /// Calculated with decimal digits: 0.1 and 0.2 make 0.3.
    private func decimal() throws(Fault) -> Double {
        var numbers = values.map { fraction($0) }
        if function == .addf { numbers.insert(0, at: 0) }
        if function == .add1f { numbers.append(1) }
        guard numbers.allSatisfy(\.isFinite) else { throw Fault("sprig.\(function.rawValue): not a finite number") }
        var exact = Decimal(numbers[0])
        var nearest = numbers[0]
        for number in numbers.dropFirst() {
            let other = Decimal(number)
            switch function {
            case .subf:
                nearest -= number
                exact = exact.flatMap { a in other.flatMap { a.adding($0, sign: -1) } }
            case .mulf:
                nearest *= number
                exact = exact.flatMap { a in other.flatMap { a.multiplied(by: $0) } }
            case .divf:
                if number == 0 { throw Fault("decimal division by 0") }
                nearest /= number
                exact = nil
            default:
                nearest += number
                exact = exact.flatMap { a in other.flatMap { a.adding($0, sign: 1) } }
            }
            // Where the digits do not fit, binary numbers go on.
            if exact == nil { exact = function == .divf ? Decimal(nearest) : nil }
        }
        return exact?.double ?? nearest
    }

    /// A number of 18 decimal digits at most.
    private struct Decimal {
        let digits: Int
        /// How many of them stand behind the point.
        let scale: Int

        init?(_ value: Double) {
            let text = DecimalText.plain(value).utf8
            guard text.count < 20 else { return nil }
            let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            let fraction = parts.count > 1 ? parts[1].count : 0
            guard let digits = Int(String(decoding: text.filter { $0 != UInt8(ascii: ".") }, as: UTF8.self)) else { return nil }
            (self.digits, scale) = (digits, fraction)
        }

        private init(digits: Int, scale: Int) { (self.digits, self.scale) = (digits, scale) }

        private func scaled(to scale: Int) -> Int? {
            var value = digits
            for _ in self.scale..<scale {
                let (next, overflows) = value.multipliedReportingOverflow(by: 10)
                if overflows { return nil }
                value = next
            }
            return value
        }

        func adding(_ other: Decimal, sign: Int) -> Decimal? {
            let scale = max(scale, other.scale)
            guard let a = scaled(to: scale), let b = other.scaled(to: scale) else { return nil }
            let (sum, overflows) = a.addingReportingOverflow(b * sign)
            return overflows ? nil : Decimal(digits: sum, scale: scale)
        }

        func multiplied(by other: Decimal) -> Decimal? {
            let (product, overflows) = digits.multipliedReportingOverflow(by: other.digits)
            return overflows ? nil : Decimal(digits: product, scale: scale + other.scale)
        }

        var double: Double? { GoText.double("\(digits)e-\(scale)") }
    }
}
