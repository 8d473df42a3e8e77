internal import SystemSupport

extension GoLayout {
    /// The time that a text shows by a layout; nil where it does not fit.
    ///
    /// - Parameter zone: where a text without zone stands, and whose offsets and abbreviations are known.
    package static func read(_ text: String, _ layout: String, in zone: Zone = .utc) -> Moment? {
        var reader = GoLayoutReader(Array(text.utf8)[...])
        return reader.read(Array(layout.utf8)[...], zone)
    }
}

/// Reads one text by one layout.
private struct GoLayoutReader {
    private var rest: ArraySlice<UInt8>
    private var year = 0
    private var month: Int?
    private var day: Int?
    private var dayOfYear: Int?
    private var hour = 0
    private var minute = 0
    private var second = 0
    private var nanoseconds: Int32 = 0
    private var isAfternoon: Bool?
    private var isUTC = false
    private var offset: Int?
    private var zoneName: String?

    init(_ text: ArraySlice<UInt8>) { rest = text }

    mutating func read(_ layout: ArraySlice<UInt8>, _ zone: Zone) -> Moment? {
        var layout = layout
        while let (prefix, field, _, tail) = GoLayout.next(layout) {
            guard skip(prefix), read(field, before: tail) else { return nil }
            layout = tail
        }
        guard skip(layout), rest.isEmpty else { return nil }
        return moment(zone)
    }

    /// Steps over the text of a layout between fields; blanks match any number of them.
    private mutating func skip(_ prefix: ArraySlice<UInt8>) -> Bool {
        var prefix = prefix
        while let byte = prefix.first {
            if byte == 0x20 {
                if let first = rest.first, first != 0x20 { return false }
                prefix = prefix.drop { $0 == 0x20 }
                rest = rest.drop { $0 == 0x20 }
                continue
            }
            guard rest.first == byte else { return false }
            prefix.removeFirst()
            rest.removeFirst()
        }
        return true
    }

    private func isDigit(_ offset: Int) -> Bool {
        let at = rest.startIndex + offset
        return at < rest.endIndex && (0x30...0x39).contains(rest[at])
    }

    /// A number of exactly so many digits.
    private mutating func digits(_ count: Int) -> Int? {
        var value = 0
        for place in 0..<count {
            guard isDigit(place) else { return nil }
            value = value * 10 + Int(rest[rest.startIndex + place] - 0x30)
        }
        rest = rest.dropFirst(count)
        return value
    }

    /// One or two digits; two where the width says so.
    private mutating func number(_ width: Int, _ range: ClosedRange<Int>) -> Int? {
        guard isDigit(0), width < 2 || isDigit(1), let value = digits(isDigit(1) ? 2 : 1), range.contains(value) else {
            return nil
        }
        return value
    }

    /// Which of some names stands here, in any case.
    private mutating func name(_ names: [String], isLong: Bool) -> Int? {
        for (place, name) in names.enumerated() {
            let wanted = isLong ? Array(name.utf8) : Array(name.utf8.prefix(3))
            guard rest.count >= wanted.count, zip(rest, wanted).allSatisfy({ $0 == $1 || $0 | 0x20 == $1 | 0x20 && $1 >= 0x41 })
            else { continue }
            rest = rest.dropFirst(wanted.count)
            return place
        }
        return nil
    }

    private mutating func read(_ field: GoLayout.Field, before layout: ArraySlice<UInt8>) -> Bool {
        switch field {
        case .month(let isLong):
            guard let place = name(GoLayout.months, isLong: isLong) else { return false }
            month = place + 1
        case .weekday(let isLong): return name(GoLayout.days, isLong: isLong) != nil
        case .monthNumber(let width):
            month = number(width, 1...12)
            return month != nil
        case .day(let width, let isSpaced):
            if isSpaced, rest.first == 0x20 { rest.removeFirst() }
            day = number(width, 0...99)
            return day != nil
        case .dayOfYear(let isSpaced):
            if isSpaced { rest = rest.dropFirst(min(2, rest.prefix { $0 == 0x20 }.count)) }
            let count = isSpaced ? (isDigit(1) ? (isDigit(2) ? 3 : 2) : 1) : 3
            dayOfYear = digits(count)
            return dayOfYear != nil
        case .hour: return set(\.hour, number(1, 0...23))
        case .hour12(let width): return set(\.hour, number(width, 0...12))
        case .minute(let width): return set(\.minute, number(width, 0...59))
        case .second(let width):
            guard set(\.second, number(width, 0...59)) else { return false }
            return readUnaskedFraction(before: layout)
        case .year(let isLong):
            guard let value = digits(isLong ? 4 : 2) else { return false }
            year = isLong ? value : value >= 69 ? value + 1900 : value + 2000
        case .half(let isUpper):
            let text = String(decoding: rest.prefix(2), as: UTF8.self)
            guard text == (isUpper ? "PM" : "pm") || text == (isUpper ? "AM" : "am") else { return false }
            isAfternoon = text.utf8.first.map { $0 | 0x20 } == UInt8(ascii: "p")
            rest = rest.dropFirst(2)
        case .zoneName: return readZoneName()
        case .offset(let isISO, let hasColon, let parts): return readOffset(isISO, hasColon, parts)
        case .fraction(let count, let isOptional):
            if isOptional {
                guard isPoint, isDigit(1) else { return true }
                var length = 0
                while length < 9, isDigit(length + 1) { length += 1 }
                return readFraction(length)
            }
            return isPoint && readFraction(count)
        }
        return true
    }

    private mutating func set(_ path: WritableKeyPath<Self, Int>, _ value: Int?) -> Bool {
        guard let value else { return false }
        self[keyPath: path] = value
        return true
    }

    private var isPoint: Bool { rest.first == UInt8(ascii: ".") || rest.first == UInt8(ascii: ",") }

    /// The point and digits behind it.
    private mutating func readFraction(_ count: Int) -> Bool {
        rest = rest.dropFirst()
        let kept = min(count, 9)
        guard var value = digits(kept) else { return false }
        for _ in kept..<9 { value *= 10 }
        nanoseconds = Int32(value)
        rest = rest.dropFirst(count - kept)
        return true
    }

    /// A fraction may follow the seconds though the layout has none.
    private mutating func readUnaskedFraction(before layout: ArraySlice<UInt8>) -> Bool {
        guard isPoint, isDigit(1) else { return true }
        if let (_, field, _, _) = GoLayout.next(layout), case .fraction = field { return true }
        var length = 0
        while isDigit(length + 1) { length += 1 }
        return readFraction(length)
    }

    private mutating func readOffset(_ isISO: Bool, _ hasColon: Bool, _ parts: Int) -> Bool {
        if isISO, rest.first == UInt8(ascii: "Z") {
            rest.removeFirst()
            isUTC = true
            return true
        }
        guard let sign = rest.popFirst(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return false }
        var seconds = 0
        for part in 0..<parts {
            if part > 0, hasColon, rest.popFirst() != UInt8(ascii: ":") { return false }
            guard let value = digits(2), value <= (part == 0 ? 24 : 60) else { return false }
            seconds += value * [3600, 60, 1][part]
        }
        offset = sign == UInt8(ascii: "-") ? -seconds : seconds
        return true
    }

    /// An abbreviation: `UTC`, `CEST`, `GMT+3`, `+03`.
    private mutating func readZoneName() -> Bool {
        if rest.starts(with: "UTC".utf8) {
            rest = rest.dropFirst(3)
            isUTC = true
            return true
        }
        guard let length = zoneNameLength() else { return false }
        zoneName = String(decoding: rest.prefix(length), as: UTF8.self)
        rest = rest.dropFirst(length)
        return true
    }

    private func zoneNameLength() -> Int? {
        if rest.count < 3 { return nil }
        if rest.starts(with: "ChST".utf8) || rest.starts(with: "MeST".utf8) { return 4 }
        if rest.starts(with: "GMT".utf8) { return 3 + signedHours(rest.dropFirst(3)) }
        if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") {
            let length = signedHours(rest)
            return length > 0 ? length : nil
        }
        let name = rest.prefix(6).prefix { (0x41...0x5A).contains($0) }
        switch name.count {
        case 3: return 3
        case 4: return name.last == UInt8(ascii: "T") || name.elementsEqual("WITA".utf8) ? 4 : nil
        case 5: return name.last == UInt8(ascii: "T") ? 5 : nil
        default: return nil
        }
    }

    /// The length of `+3` or `-03`, of at most 23 hours; 0 for anything else.
    private func signedHours(_ text: ArraySlice<UInt8>) -> Int {
        guard let sign = text.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return 0 }
        let digits = text.dropFirst().prefix { (0x30...0x39).contains($0) }
        guard let hours = Int(String(decoding: digits, as: UTF8.self)), hours <= 23 else { return 0 }
        return digits.count + 1
    }

    private mutating func moment(_ zone: Zone) -> Moment? {
        if let isAfternoon {
            if isAfternoon, hour < 12 { hour += 12 }
            if !isAfternoon, hour == 12 { hour = 0 }
        }
        if let dayOfYear {
            let first = Timestamp.days(year: year, month: 1, day: 1)
            guard dayOfYear >= 1, dayOfYear <= Timestamp.days(year: year + 1, month: 1, day: 1) - first else { return nil }
            let date = Timestamp.civil(days: first + dayOfYear - 1)
            guard month == nil || month == date.month, day == nil || day == date.day else { return nil }
            (month, day) = (date.month, date.day)
        }
        let (month, day) = (month ?? 1, day ?? 1)
        let days = Timestamp.days(year: year, month: month, day: day)
        guard Timestamp.civil(days: days) == (year, month, day) else { return nil }
        func made(_ zone: Zone) -> Moment {
            Moment(
                year: year, month: month, day: day, hour: hour, minute: minute, second: second, nanoseconds: nanoseconds,
                zone: zone)
        }
        if isUTC { return made(.utc) }
        let plain = made(.utc)
        if let offset {
            let moment = Moment(seconds: plain.seconds - Int64(offset), nanoseconds: nanoseconds)
            let known = zone.offset(at: moment.seconds)
            let isKnown = known.seconds == offset && (zoneName == nil || zoneName == known.name)
            return moment.moved(to: isKnown ? zone : Zone(fixed: offset, name: zoneName ?? ""))
        }
        if let zoneName {
            if let known = zone.offset(named: zoneName, near: plain.seconds) {
                return Moment(seconds: plain.seconds - Int64(known), nanoseconds: nanoseconds, zone: zone)
            }
            let hours = zoneName.hasPrefix("GMT") ? Int(zoneName.dropFirst(3)) ?? 0 : 0
            return plain.moved(to: Zone(fixed: hours * 3600, name: zoneName))
        }
        return made(zone)
    }
}
