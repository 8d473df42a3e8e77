internal import SystemSupport

/// A point in time as seen from a zone.
package final class Moment: Sendable {
    /// Since 1970-01-01T00:00:00Z.
    package let seconds: Int64
    /// 0 to 999,999,999.
    package let nanoseconds: Int32
    package let zone: Zone

    package init(seconds: Int64, nanoseconds: Int32 = 0, zone: Zone = .utc) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
        self.zone = zone
    }

    /// Years that can be told: beyond them arithmetic of days would overflow.
    package static let seconds: ClosedRange<Int64> = -9_000_000_000_000...9_000_000_000_000

    /// From fields as a clock in the zone shows them; those out of range carry over.
    package init(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, nanoseconds: Int32 = 0, zone: Zone) {
        let months = month - 1
        let years = months >= 0 ? months / 12 : (months - 11) / 12
        let days = Timestamp.days(year: year + years, month: months - years * 12 + 1, day: 1) + day - 1
        let local = Int64(days) * 86400 + Int64(hour) * 3600 + Int64(minute) * 60 + Int64(second)
        // Guessed by the offset at that time in UTC, then by the one that holds there: in the hour that a change leaves out, the one before.
        let guess = Int64(zone.offset(at: local).seconds)
        let offset = guess == 0 ? 0 : Int64(zone.offset(at: local - guess).seconds)
        self.seconds = local - offset
        self.nanoseconds = nanoseconds
        self.zone = zone
    }

    package func moved(to zone: Zone) -> Moment { Moment(seconds: seconds, nanoseconds: nanoseconds, zone: zone) }

    package var offset: (seconds: Int, name: String) { zone.offset(at: seconds) }

    /// What a clock in the zone shows.
    package var fields: (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        Timestamp(seconds: seconds + Int64(offset.seconds)).fields
    }

    /// Days since 1970-01-01 by the zone's calendar.
    package var days: Int {
        let local = seconds + Int64(offset.seconds)
        return Int(local >= 0 ? local / 86400 : (local - 86399) / 86400)
    }

    /// From 0, Sunday.
    package var weekday: Int { ((days + 4) % 7 + 7) % 7 }

    /// From 1.
    package var dayOfYear: Int { days - Timestamp.days(year: fields.year, month: 1, day: 1) + 1 }

    /// The week by ISO 8601, and the year that it belongs to.
    package var isoWeek: (year: Int, week: Int) {
        let thursday = days + 3 - (weekday + 6) % 7
        let year = Timestamp.civil(days: thursday).year
        return (year, (thursday - Timestamp.days(year: year, month: 1, day: 1)) / 7 + 1)
    }

    package func adding(_ duration: Int64) throws(Fault) -> Moment {
        var whole = duration / 1_000_000_000
        var rest = Int32(duration % 1_000_000_000) + nanoseconds
        if rest >= 1_000_000_000 { (whole, rest) = (whole + 1, rest - 1_000_000_000) }
        if rest < 0 { (whole, rest) = (whole - 1, rest + 1_000_000_000) }
        let sum = seconds + whole
        guard Self.seconds.contains(sum) else { throw Fault("a time is out of range") }
        return Moment(seconds: sum, nanoseconds: rest, zone: zone)
    }

    /// By the calendar; a day that the month lacks carries over.
    package func adding(years: Int, months: Int, days: Int) -> Moment {
        let (year, month, day, hour, minute, second) = fields
        return Moment(
            year: year + years, month: month + months, day: day + days, hour: hour, minute: minute, second: second,
            nanoseconds: nanoseconds, zone: zone)
    }

    /// Moved to a multiple of a duration since the year 1.
    package func snapped(to unit: Int64, rounds: Bool) throws(Fault) -> Moment {
        if unit <= 0 { return self }
        guard seconds >= Timestamp.zero.seconds else { throw Fault("a time is out of range") }
        let (high, low) = UInt64(seconds - Timestamp.zero.seconds).multipliedFullWidth(by: 1_000_000_000)
        let (sum, carries) = low.addingReportingOverflow(UInt64(nanoseconds))
        let divisor = UInt64(unit)
        // The remainder of the upper half does not change the result, and lets the quotient fit.
        let rest = Int64(divisor.dividingFullWidth(((high + (carries ? 1 : 0)) % divisor, sum)).remainder)
        return try adding(rounds && rest >= unit - rest ? unit - rest : -rest)
    }

    /// Nanoseconds from another moment to this one; where they do not fit, the most or the least that does.
    package func since(_ other: Moment) -> Int64 {
        let (product, overflows) = (seconds - other.seconds).multipliedReportingOverflow(by: 1_000_000_000)
        if overflows { return seconds > other.seconds ? .max : .min }
        let (sum, carries) = product.addingReportingOverflow(Int64(nanoseconds) - Int64(other.nanoseconds))
        return carries ? (product > 0 ? .max : .min) : sum
    }

    package func isBefore(_ other: Moment) -> Bool { (seconds, nanoseconds) < (other.seconds, other.nanoseconds) }
    package func isEqual(to other: Moment) -> Bool { (seconds, nanoseconds) == (other.seconds, other.nanoseconds) }
}
