/// A JSON number, kept as the text it was written with, so that no digit is lost on the way through.
package struct JSONNumber: Sendable, Equatable {
    /// The number as RFC 8259 §6 writes it.
    package let text: String

    /// - Parameter text: must satisfy the grammar of RFC 8259 §6.
    init(unchecked text: String) { self.text = text }

    package init(_ value: Int64) { text = String(value) }
    package init(_ value: Int) { text = String(value) }

    /// The text that Go's encoder gives a 64-bit float; nil for NaN and infinities, which JSON lacks.
    package init?(_ value: Double) {
        guard value.isFinite else { return nil }
        text = DecimalText.json(value)
    }

    /// The value where it is written as a plain integer that fits (`1`, not `1.0` or `1e3`), as Go's reader asks of integers.
    package var int64: Int64? { Int64(text) }

    /// The nearest 64-bit float; nil where it overflows.
    package var double: Double? {
        guard let value = Double(text), value.isFinite else { return nil }
        return value
    }
}
