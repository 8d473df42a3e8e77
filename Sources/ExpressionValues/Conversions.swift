/// Conversions between types, as the language's functions do them.
package enum Conversions {
    /// What is no whole number of 64 bits becomes the least one, as on the reference's machines.
    package static func truncated(_ value: Double) -> Int { Int(exactly: value.rounded(.towardZero)) ?? Int.min }

    /// An index or a count.
    package static func index(_ value: ExpressionValue) throws(Fault) -> Int {
        switch value {
        case .int(let number): return number
        case .float(let number): return truncated(number)
        default: throw Fault("invalid operation: int(\(value.typeName))")
        }
    }

    package static func int(_ value: ExpressionValue) throws(Fault) -> Int {
        switch value {
        case .int(let number), .month(let number), .weekday(let number): return number
        case .float(let number): return truncated(number)
        case .duration(let nanoseconds): return Int(nanoseconds)
        case .string(let text):
            guard let number = Int(text) else { throw Fault("invalid operation: int(\(text))") }
            return number
        default: throw Fault("invalid operation: int(\(value.typeName))")
        }
    }

    package static func float(_ value: ExpressionValue) throws(Fault) -> Double {
        switch value {
        case .int(let number): return Double(number)
        case .float(let number): return number
        case .string(let text):
            guard let number = GoText.double(text) else { throw Fault("invalid operation: float(\(text))") }
            return number
        default: throw Fault("invalid operation: float(\(value.typeName))")
        }
    }
}
