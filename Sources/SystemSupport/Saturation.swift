extension FixedWidthInteger {
    /// A number with a fraction, cut to a whole one: the nearest bound where it does not fit, 0 where it is no number.
    ///
    /// The plain conversion ends the process there, so no number that came from outside goes through it.
    @inlinable package init(saturating value: Double) {
        if let whole = Self(exactly: value.rounded(.towardZero)) {
            self = whole
        } else {
            self = value.isNaN ? 0 : value > 0 ? .max : .min
        }
    }

    /// The sum, or the bound that it would pass.
    @inlinable package func addingSaturating(_ other: Self) -> Self {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}

/// The point in time that many nanoseconds from now by the clock of `monotonicNanoseconds`; the end of all time where that is
/// too far away to be counted.
package func monotonicNanoseconds(after delay: Int64) -> Int64 { monotonicNanoseconds().addingSaturating(delay) }

extension FixedWidthInteger {
    /// The product, or the bound that it would pass.
    @inlinable package func multipliedSaturating(by other: Self) -> Self {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? ((self < 0) == (other < 0) ? .max : .min) : product
    }
}
