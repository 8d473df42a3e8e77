package import SystemSupport

/// Durations in workflows: Go's notation, or a plain number of seconds.
package enum Durations {
    /// Nanoseconds; nil for what is no duration.
    package static func nanoseconds(_ text: String) -> Int64? {
        guard let seconds = Int64(text) else { return GoDuration.nanoseconds(text) }
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? nil : product
    }

    /// In words, in at most two units.
    package static func shown(_ nanoseconds: Int64) -> String {
        let seconds = nanoseconds / 1_000_000_000
        func unit(_ count: Int64, _ name: String) -> String { count == 1 ? "1 \(name)" : "\(count) \(name)s" }
        switch seconds {
        case ..<60: return unit(seconds, "second")
        case ..<3600: return "\(unit(seconds / 60, "minute")) \(seconds % 60) seconds"
        case ..<86_400: return "\(unit(seconds / 3600, "hour")) \(seconds / 60 % 60) minutes"
        default: return "\(unit(seconds / 86_400, "day")) \(seconds / 3600 % 24) hours"
        }
    }
}

extension Timestamp {
    /// A time some nanoseconds later; the last there is where that is beyond all time.
    package func adding(_ nanoseconds: Int64) -> Timestamp {
        let part = Int64(self.nanoseconds) + nanoseconds % 1_000_000_000
        let (sum, overflow) = seconds.addingReportingOverflow(nanoseconds / 1_000_000_000 + part / 1_000_000_000)
        return overflow
            ? Timestamp(seconds: 253_402_300_799) : Timestamp(seconds: sum, nanoseconds: Int32(part % 1_000_000_000))
    }
}
