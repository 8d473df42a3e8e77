import SystemSupport

/// Durations in workflows: Go's notation, or a plain number of seconds.
enum Durations {
    /// Nanoseconds; nil for what is no duration.
    static func nanoseconds(_ text: String) -> Int64? {
        guard let seconds = Int64(text) else { return GoDuration.nanoseconds(text) }
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? nil : product
    }
}
