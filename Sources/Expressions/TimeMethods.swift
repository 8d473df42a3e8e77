import ExpressionValues
internal import SystemSupport

/// The methods of times, durations, months, weekdays and zones.
enum TimeMethods {
    typealias Value = ExpressionValue

    static func call(_ name: String, on receiver: Value, _ values: [Value]) throws(Fault) -> Value {
        let call = Arguments(name: name, values: values)
        let result: Value?
        switch receiver {
        case .time(let moment): result = try time(moment, call)
        case .duration(let nanoseconds): result = try duration(nanoseconds, call)
        case .month, .weekday: result = name == "String" ? .string(GoText.shown(receiver)) : nil
        case .zone(let zone): result = name == "String" ? .string(zone.name) : nil
        default: result = nil
        }
        guard let result else { throw Fault("type \(receiver.typeName) has no method \(name)") }
        return result
    }

    private static func checkCount(_ call: Arguments, _ count: Int) throws(Fault) {
        if call.count != count {
            throw Fault("\(call.count < count ? "not enough" : "too many") arguments to call \(call.name)")
        }
    }

    private static func duration(_ nanoseconds: Int64, _ call: Arguments) throws(Fault) -> Value? {
        switch call.name {
        case "Round", "Truncate":
            try checkCount(call, 1)
            guard case .duration(let unit) = call.values[0] else { throw call.fault(0, "time.Duration") }
            if unit <= 0 { return .duration(nanoseconds) }
            let rest = nanoseconds % unit
            if call.name == "Truncate" || rest.magnitude < unit.magnitude - rest.magnitude {
                return .duration(nanoseconds - rest)
            }
            let (rounded, overflows) = (nanoseconds - rest).addingReportingOverflow(nanoseconds < 0 ? -unit : unit)
            return .duration(overflows ? (nanoseconds < 0 ? .min : .max) : rounded)
        default: try checkCount(call, 0)
        }
        func parts(_ unit: Int64) -> Value { .float(Double(nanoseconds / unit) + Double(nanoseconds % unit) / Double(unit)) }
        switch call.name {
        case "Hours": return parts(3_600_000_000_000)
        case "Minutes": return parts(60_000_000_000)
        case "Seconds": return parts(1_000_000_000)
        case "Milliseconds": return .int(Int(nanoseconds / 1_000_000))
        case "Microseconds": return .int(Int(nanoseconds / 1000))
        case "Nanoseconds": return .int(Int(nanoseconds))
        case "Abs": return .duration(nanoseconds == .min ? .max : abs(nanoseconds))
        case "String": return .string(GoText.duration(nanoseconds))
        default: return nil
        }
    }

    private static func time(_ moment: Moment, _ call: Arguments) throws(Fault) -> Value? {
        switch call.name {
        case "Format", "In", "Add", "Sub", "After", "Before", "Equal", "Compare", "Truncate", "Round":
            try checkCount(call, 1)
            return try withOne(moment, call)
        case "AddDate":
            try checkCount(call, 3)
            let (years, months, days) = (try call.integer(0), try call.integer(1), try call.integer(2))
            guard [years, months, days].allSatisfy({ abs($0) < 1_000_000 }) else { throw Fault("a time is out of range") }
            return .time(moment.adding(years: years, months: months, days: days))
        default: try checkCount(call, 0)
        }
        let fields = moment.fields
        switch call.name {
        case "Year": return .int(fields.year)
        case "Month": return .month(fields.month)
        case "Day": return .int(fields.day)
        case "Hour": return .int(fields.hour)
        case "Minute": return .int(fields.minute)
        case "Second": return .int(fields.second)
        case "Nanosecond": return .int(Int(moment.nanoseconds))
        case "Weekday": return .weekday(moment.weekday)
        case "YearDay": return .int(moment.dayOfYear)
        case "Unix": return .int(Int(moment.seconds))
        case "UnixMilli": return .int(Int(moment.seconds * 1000 + Int64(moment.nanoseconds / 1_000_000)))
        case "UnixMicro": return .int(Int(moment.seconds &* 1_000_000 &+ Int64(moment.nanoseconds / 1000)))
        case "UnixNano": return .int(Int(moment.seconds &* 1_000_000_000 &+ Int64(moment.nanoseconds)))
        case "UTC": return .time(moment.moved(to: .utc))
        case "Local": return .time(moment.moved(to: Zone(fixed: 0, name: "UTC")))
        case "Location": return .zone(moment.zone)
        case "IsZero": return .bool(moment.seconds == Timestamp.zero.seconds && moment.nanoseconds == 0)
        case "IsDST": return .bool(moment.zone.isDaylight(at: moment.seconds))
        case "String": return .string(GoText.shown(.time(moment)))
        case "ISOWeek": return .int(moment.isoWeek.year)
        default: return nil
        }
    }

    private static func withOne(_ moment: Moment, _ call: Arguments) throws(Fault) -> Value {
        switch call.name {
        case "Format": return .string(GoLayout.format(moment, try call.text(0)))
        case "In":
            guard case .zone(let zone) = call.values[0] else { throw call.fault(0, "*time.Location") }
            return .time(moment.moved(to: zone))
        case "Add", "Truncate", "Round":
            guard case .duration(let duration) = call.values[0] else { throw call.fault(0, "time.Duration") }
            return .time(
                call.name == "Add"
                    ? try moment.adding(duration) : try moment.snapped(to: duration, rounds: call.name == "Round"))
        default:
            guard case .time(let other) = call.values[0] else { throw call.fault(0, "time.Time") }
            switch call.name {
            case "Sub": return .duration(moment.since(other))
            case "After": return .bool(other.isBefore(moment))
            case "Before": return .bool(moment.isBefore(other))
            case "Compare": return .int(moment.isBefore(other) ? -1 : other.isBefore(moment) ? 1 : 0)
            default: return .bool(moment.isEqual(to: other))
            }
        }
    }
}
