internal import SystemSupport

/// A time zone: UTC, a fixed offset, or one of the system's tables (RFC 8536).
package final class Zone: Sendable {
    package let name: String
    private let transitions: [Int64]
    /// Which type holds from each transition on.
    private let typeAt: [Int]
    private let types: [(seconds: Int, name: String)]
    private let daylightNames: [String]
    /// What holds behind the last transition.
    private let rule: ZoneRule?

    package static let utc = Zone(fixed: 0, name: "UTC")

    package init(fixed seconds: Int, name: String) {
        self.name = name
        transitions = []
        typeAt = []
        types = [(seconds, name)]
        daylightNames = []
        rule = nil
    }

    /// The zone of a name of the IANA's database.
    ///
    /// The machine's own zone is taken for UTC: pods have none.
    package static func named(_ name: String) throws(Fault) -> Zone {
        if name.isEmpty || name == "UTC" { return .utc }
        if name == "Local" { return Zone(fixed: 0, name: "Local") }
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isSafe = !name.utf8.contains(UInt8(ascii: "\\")) && !parts.contains { $0.isEmpty || $0.elementsEqual("..".utf8) }
        guard isSafe, name.utf8.count < 64 else { throw Fault("time: invalid location name") }
        guard let bytes = try? SmallFile.read(BytePath("/usr/share/zoneinfo/" + name)),
            let zone = Zone(name: name, table: bytes)
        else {
            throw Fault("unknown time zone \(name)")
        }
        return zone
    }

    /// Whether two have the same table; for `Equal` of the reference's own values.
    package func isSame(as other: Zone) -> Bool { self === other || name == other.name }

    package func offset(at seconds: Int64) -> (seconds: Int, name: String) {
        guard let first = transitions.first, seconds >= first else { return types[0] }
        if let last = transitions.last, seconds >= last, let rule { return rule.offset(at: seconds) }
        var low = 0
        var high = transitions.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if transitions[middle] <= seconds { low = middle } else { high = middle }
        }
        return types[typeAt[low]]
    }

    package func isDaylight(at seconds: Int64) -> Bool { daylightNames.contains(offset(at: seconds).name) }

    /// The offset of an abbreviation, when it is one of this zone's.
    ///
    /// - Parameter local: seconds by the zone's clock.
    package func offset(named wanted: String, near local: Int64) -> Int? {
        for type in types where type.name == wanted && offset(at: local - Int64(type.seconds)).name == wanted {
            return type.seconds
        }
        return types.first { $0.name == wanted }?.seconds
    }

    /// - Parameter table: a file of the system's database, version 2 or later.
    private init?(name: String, table: [UInt8]) {
        self.name = name
        func number(_ at: Int, _ width: Int) -> Int64? {
            guard at >= 0, at + width <= table.count else { return nil }
            var value: Int64 = table[at] & 0x80 == 0 ? 0 : -1
            for byte in table[at..<at + width] { value = value << 8 | Int64(byte) }
            return value
        }
        func counts(_ header: Int) -> [Int]? {
            guard header + 44 <= table.count, table[header..<header + 4].elementsEqual("TZif".utf8) else { return nil }
            var counts: [Int] = []
            for place in 0..<6 {
                guard let count = number(header + 20 + place * 4, 4), (0...100_000).contains(count) else { return nil }
                counts.append(Int(count))
            }
            return counts
        }
        guard let old = counts(0), table[4] >= UInt8(ascii: "2") else { return nil }
        let header = 44 + old[3] * 5 + old[4] * 6 + old[5] + old[2] * 8 + old[1] + old[0]
        guard let new = counts(header) else { return nil }
        let (timeCount, typeCount, nameCount) = (new[3], new[4], new[5])
        let times = header + 44
        let typeIndexes = times + timeCount * 8
        let typeTable = typeIndexes + timeCount
        let names = typeTable + typeCount * 6
        let footer = names + nameCount + new[2] * 12 + new[1] + new[0]
        guard footer <= table.count, typeCount > 0 else { return nil }
        var types: [(seconds: Int, name: String)] = []
        var daylightNames: [String] = []
        for place in 0..<typeCount {
            let at = typeTable + place * 6
            guard let seconds = number(at, 4), Int(table[at + 5]) < nameCount else { return nil }
            let text = table[(names + Int(table[at + 5]))..<(names + nameCount)].prefix { $0 != 0 }
            types.append((Int(seconds), String(decoding: text, as: UTF8.self)))
            if table[at + 4] != 0 { daylightNames.append(String(decoding: text, as: UTF8.self)) }
        }
        var transitions: [Int64] = []
        var typeAt: [Int] = []
        for place in 0..<timeCount {
            guard let time = number(times + place * 8, 8), Int(table[typeIndexes + place]) < typeCount else { return nil }
            transitions.append(time)
            typeAt.append(Int(table[typeIndexes + place]))
        }
        self.types = types
        self.daylightNames = daylightNames
        self.transitions = transitions
        self.typeAt = typeAt
        rule = ZoneRule(table[footer...].filter { $0 != 0x0A })
        if transitions.isEmpty, let rule, !rule.isConstant { return nil }
    }
}

/// The rule at the end of a zone's table, in POSIX's notation: `CET-1CEST,M3.5.0,M10.5.0/3`.
package struct ZoneRule {
    private var standard: (seconds: Int, name: String)
    private var daylight: (seconds: Int, name: String)?
    private var start = Change()
    private var end = Change()

    /// When the offset changes in a year.
    private struct Change {
        /// Month, week and weekday (`M3.5.0`), or a day of the year in `week` where the month is 0.
        var month = 0
        var week = 0
        var weekday = 0
        var countsLeapDay = true
        var seconds = 7200
    }

    package var isConstant: Bool { daylight == nil }

    package init?(_ text: [UInt8]) {
        var rest = text[...]
        guard let name = Self.name(&rest), let offset = Self.time(&rest) else { return nil }
        standard = (-offset, name)
        guard !rest.isEmpty else { return }
        guard let summerName = Self.name(&rest) else { return nil }
        var summer = standard.seconds + 3600
        if let first = rest.first, first != UInt8(ascii: ",") {
            guard let offset = Self.time(&rest) else { return nil }
            summer = -offset
        }
        daylight = (summer, summerName)
        guard let start = Self.change(&rest), let end = Self.change(&rest), rest.isEmpty else { return nil }
        (self.start, self.end) = (start, end)
    }

    package func offset(at seconds: Int64) -> (seconds: Int, name: String) {
        guard let daylight else { return standard }
        let local = seconds + Int64(standard.seconds)
        let year = Timestamp(seconds: local).fields.year
        let beginning = Int64(Timestamp.days(year: year, month: 1, day: 1)) * 86400
        let from = beginning + second(of: start, year) - Int64(standard.seconds)
        let to = beginning + second(of: end, year) - Int64(daylight.seconds)
        let isSummer = from < to ? seconds >= from && seconds < to : seconds >= from || seconds < to
        return isSummer ? daylight : standard
    }

    /// Seconds of the year, by the clock that shows until then.
    private func second(of change: Change, _ year: Int) -> Int64 {
        let first = Timestamp.days(year: year, month: 1, day: 1)
        var day: Int
        if change.month == 0 {
            day = change.week
            let isLeap = Timestamp.days(year: year + 1, month: 1, day: 1) - first == 366
            if !change.countsLeapDay { day += isLeap && day >= 60 ? 0 : -1 }
        } else {
            let month = Timestamp.days(year: year, month: change.month, day: 1)
            let next =
                change.month == 12
                ? Timestamp.days(year: year + 1, month: 1, day: 1) : Timestamp.days(year: year, month: change.month + 1, day: 1)
            let weekday = ((month + 4) % 7 + 7) % 7
            var date = month + (change.weekday - weekday + 7) % 7 + (change.week - 1) * 7
            while date >= next { date -= 7 }
            day = date - first
        }
        return Int64(day) * 86400 + Int64(change.seconds)
    }

    private static func name(_ rest: inout ArraySlice<UInt8>) -> String? {
        let isQuoted = rest.first == UInt8(ascii: "<")
        if isQuoted { rest.removeFirst() }
        let name = rest.prefix { isQuoted ? $0 != UInt8(ascii: ">") : (0x41...0x5A).contains($0 & 0xDF) }
        rest = rest.dropFirst(name.count + (isQuoted ? 1 : 0))
        return name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
    }

    private static func digits(_ rest: inout ArraySlice<UInt8>) -> Int? {
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        rest = rest.dropFirst(digits.count)
        return digits.count > 5 ? nil : Int(String(decoding: digits, as: UTF8.self))
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    private static func time(_ rest: inout ArraySlice<UInt8>) -> Int? {
        var sign = 1
        if let first = rest.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            sign = first == UInt8(ascii: "-") ? -1 : 1
            rest.removeFirst()
        }
        guard var seconds = digits(&rest).map({ $0 * 3600 }) else { return nil }
        for unit in [60, 1] where rest.first == UInt8(ascii: ":") {
            rest.removeFirst()
            guard let value = digits(&rest) else { return nil }
            seconds += value * unit
        }
        return sign * seconds
    }

    private static func change(_ rest: inout ArraySlice<UInt8>) -> Change? {
        guard rest.first == UInt8(ascii: ",") else { return nil }
        rest.removeFirst()
        var change = Change()
        if rest.first == UInt8(ascii: "M") {
            rest.removeFirst()
            guard let month = digits(&rest), (1...12).contains(month), rest.popFirst() == UInt8(ascii: "."),
                let week = digits(&rest), (1...5).contains(week), rest.popFirst() == UInt8(ascii: "."),
                let weekday = digits(&rest), (0...6).contains(weekday)
            else { return nil }
            (change.month, change.week, change.weekday) = (month, week, weekday)
        } else {
            if rest.first == UInt8(ascii: "J") {
                rest.removeFirst()
                change.countsLeapDay = false
            }
            guard let day = digits(&rest), day <= 366 else { return nil }
            change.week = day
        }
        if rest.first == UInt8(ascii: "/") {
            rest.removeFirst()
            guard let seconds = time(&rest) else { return nil }
            change.seconds = seconds
        }
        return change
    }
}
