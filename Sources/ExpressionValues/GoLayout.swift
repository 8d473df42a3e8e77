internal import SystemSupport

/// Times by example, as Go's package `time` writes and reads them: a layout shows how 2006-01-02 15:04:05 MST looks.
package enum GoLayout {
    package static let rfc3339Nano = "2006-01-02T15:04:05.999999999Z07:00"
    package static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    package static let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    /// The layouts that a date without one may have.
    package static let dates = [
        "2006-01-02", "15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04:05Z07:00", "02 Jan 06 15:04 MST",
        "Monday, 02-Jan-06 15:04:05 MST", "Mon, 02 Jan 2006 15:04:05 MST",
    ]

    /// A part of a layout that stands for a field.
    package enum Field: Equatable {
        case month(isLong: Bool), monthNumber(width: Int), weekday(isLong: Bool), day(width: Int, isSpaced: Bool), dayOfYear(
            isSpaced: Bool)
        case hour, hour12(width: Int), minute(width: Int), second(width: Int), year(isLong: Bool), half(isUpper: Bool), zoneName
        /// An offset: `Z` for none where `isISO`; with seconds, with colons, or of the hour alone.
        case offset(isISO: Bool, hasColon: Bool, parts: Int)
        case fraction(digits: Int, isOptional: Bool)
    }

    /// The text before the first field of a layout, that field with its own text, and the rest.
    package static func next(_ layout: ArraySlice<UInt8>) -> (
        prefix: ArraySlice<UInt8>, field: Field, shown: ArraySlice<UInt8>, rest: ArraySlice<UInt8>
    )? {
        for at in layout.indices {
            guard let (skipped, field, length) = field(at: layout[at...]) else { continue }
            let start = at + skipped
            return (layout[..<start], field, layout[start..<start + length], layout[(start + length)...])
        }
        return nil
    }

    private static func isDigit(_ text: ArraySlice<UInt8>, _ offset: Int) -> Bool {
        let at = text.startIndex + offset
        return at < text.endIndex && (0x30...0x39).contains(text[at])
    }

    /// The field at the start of a layout: what is skipped before it, and how long it is.
    private static func field(at rest: ArraySlice<UInt8>) -> (skipped: Int, field: Field, length: Int)? {
        func begins(_ text: String) -> Bool { Bytes.begins(rest, text) }
        func isLower(_ offset: Int) -> Bool {
            let at = rest.startIndex + offset
            return at < rest.endIndex && (0x61...0x7A).contains(rest[at])
        }
        switch rest.first {
        case UInt8(ascii: "J") where begins("January"): return (0, .month(isLong: true), 7)
        case UInt8(ascii: "J") where begins("Jan") && !isLower(3): return (0, .month(isLong: false), 3)
        case UInt8(ascii: "M") where begins("Monday"): return (0, .weekday(isLong: true), 6)
        case UInt8(ascii: "M") where begins("Mon") && !isLower(3): return (0, .weekday(isLong: false), 3)
        case UInt8(ascii: "M") where begins("MST"): return (0, .zoneName, 3)
        case UInt8(ascii: "0"):
            if begins("01") { return (0, .monthNumber(width: 2), 2) }
            if begins("02") { return (0, .day(width: 2, isSpaced: false), 2) }
            if begins("03") { return (0, .hour12(width: 2), 2) }
            if begins("04") { return (0, .minute(width: 2), 2) }
            if begins("05") { return (0, .second(width: 2), 2) }
            if begins("06") { return (0, .year(isLong: false), 2) }
            return begins("002") ? (0, .dayOfYear(isSpaced: false), 3) : nil
        case UInt8(ascii: "1"): return begins("15") ? (0, .hour, 2) : (0, .monthNumber(width: 1), 1)
        case UInt8(ascii: "2"): return begins("2006") ? (0, .year(isLong: true), 4) : (0, .day(width: 1, isSpaced: false), 1)
        case UInt8(ascii: "_"):
            if begins("_2006") { return (1, .year(isLong: true), 4) }
            if begins("_2") { return (0, .day(width: 1, isSpaced: true), 2) }
            return begins("__2") ? (0, .dayOfYear(isSpaced: true), 3) : nil
        case UInt8(ascii: "3"): return (0, .hour12(width: 1), 1)
        case UInt8(ascii: "4"): return (0, .minute(width: 1), 1)
        case UInt8(ascii: "5"): return (0, .second(width: 1), 1)
        case UInt8(ascii: "P") where begins("PM"): return (0, .half(isUpper: true), 2)
        case UInt8(ascii: "p") where begins("pm"): return (0, .half(isUpper: false), 2)
        case UInt8(ascii: "-"), UInt8(ascii: "Z"): return offset(rest)
        case UInt8(ascii: "."), UInt8(ascii: ","): return fraction(rest)
        default: return nil
        }
    }

    private static func offset(_ rest: ArraySlice<UInt8>) -> (skipped: Int, field: Field, length: Int)? {
        let isISO = rest.first == UInt8(ascii: "Z")
        let tail = rest.dropFirst()
        for (text, hasColon, parts) in [
            ("070000", false, 3), ("07:00:00", true, 3), ("0700", false, 2), ("07:00", true, 2), ("07", false, 1),
        ]
        where tail.starts(with: text.utf8) {
            return (0, .offset(isISO: isISO, hasColon: hasColon, parts: parts), text.utf8.count + 1)
        }
        return nil
    }

    private static func fraction(_ rest: ArraySlice<UInt8>) -> (skipped: Int, field: Field, length: Int)? {
        guard let digit = rest.dropFirst().first, digit == UInt8(ascii: "0") || digit == UInt8(ascii: "9") else { return nil }
        let digits = rest.dropFirst().prefix { $0 == digit }.count
        if isDigit(rest, digits + 1) { return nil }
        return (0, .fraction(digits: min(digits, 9), isOptional: digit == UInt8(ascii: "9")), digits + 1)
    }

    package static func format(_ moment: Moment, _ layout: String) -> String {
        var rest = Array(layout.utf8)[...]
        var output: [UInt8] = []
        while let (prefix, field, shown, tail) = next(rest) {
            output += prefix
            output += text(of: field, moment, mark: shown.first ?? 0).utf8
            rest = tail
        }
        output += rest
        return String(decoding: output, as: UTF8.self)
    }

    private static func text(of field: Field, _ moment: Moment, mark: UInt8) -> String {
        let (year, month, day, hour, minute, second) = moment.fields
        switch field {
        case .month(let isLong): return isLong ? months[month - 1] : String(months[month - 1].prefix(3))
        case .monthNumber(let width): return pad(month, width)
        case .weekday(let isLong): return isLong ? days[moment.weekday] : String(days[moment.weekday].prefix(3))
        case .day(let width, let isSpaced): return isSpaced && day < 10 ? " \(day)" : pad(day, width)
        case .dayOfYear(let isSpaced):
            let text = pad(moment.dayOfYear, isSpaced ? 1 : 3)
            return String(repeating: " ", count: 3 - text.utf8.count) + text
        case .hour: return pad(hour, 2)
        case .hour12(let width): return pad(hour % 12 == 0 ? 12 : hour % 12, width)
        case .minute(let width): return pad(minute, width)
        case .second(let width): return pad(second, width)
        case .year(let isLong): return isLong ? (year < 0 ? "-" : "") + pad(abs(year), 4) : pad(((year % 100) + 100) % 100, 2)
        case .half(let isUpper): return hour >= 12 ? (isUpper ? "PM" : "pm") : isUpper ? "AM" : "am"
        case .zoneName:
            let (seconds, name) = moment.offset
            return name.isEmpty ? offsetText(seconds, hasColon: false, parts: 2) : name
        case .offset(let isISO, let hasColon, let parts):
            return isISO && moment.offset.seconds == 0
                ? "Z" : offsetText(moment.offset.seconds, hasColon: hasColon, parts: parts)
        case .fraction(let digits, let isOptional):
            var text = String(pad(Int(moment.nanoseconds), 9).prefix(digits))
            if isOptional {
                while text.hasSuffix("0") { text.removeLast() }
                if text.isEmpty { return "" }
            }
            return String(UnicodeScalar(mark)) + text
        }
    }

    private static func offsetText(_ seconds: Int, hasColon: Bool, parts: Int) -> String {
        let magnitude = abs(seconds)
        var text = (seconds < 0 ? "-" : "+") + pad(magnitude / 3600, 2)
        if parts > 1 { text += (hasColon ? ":" : "") + pad(magnitude / 60 % 60, 2) }
        if parts > 2 { text += (hasColon ? ":" : "") + pad(magnitude % 60, 2) }
        return text
    }
}
