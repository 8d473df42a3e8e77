import SystemSupport

/// Names a trace: 16 bytes, not all zero (W3C Trace Context §3.2.2.3).
package struct TraceID: Sendable, Hashable {
    package let high: UInt64
    package let low: UInt64

    /// Nil where both are zero.
    package init?(_ high: UInt64, _ low: UInt64) {
        if high == 0, low == 0 { return nil }
        (self.high, self.low) = (high, low)
    }

    private init(random: Void) { (high, low) = (UInt64.random(in: .min ... .max), UInt64.random(in: 1 ... .max)) }

    package static func random() -> TraceID { TraceID(random: ()) }

    /// 32 lower-case digits.
    package var text: String { hexadecimal(bytes) }
    package var bytes: [UInt8] { bigEndian(high) + bigEndian(low) }
}

/// Names a span within its trace: 8 bytes, not all zero.
package struct SpanID: Sendable, Hashable {
    package let value: UInt64

    /// Nil for zero.
    package init?(_ value: UInt64) {
        if value == 0 { return nil }
        self.value = value
    }

    private init(random: Void) { value = UInt64.random(in: 1 ... .max) }

    package static func random() -> SpanID { SpanID(random: ()) }

    /// 16 lower-case digits.
    package var text: String { hexadecimal(bytes) }
    package var bytes: [UInt8] { bigEndian(value) }
}

private func bigEndian(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) } }
